import { expect, test } from "bun:test";
import { fromHex, toHex, utf8 } from "../../../lib/base/bytes.ts";
import { keyPairOf, sessionKey } from "../../../lib/mesh/session.ts";
import vectors from "../../vectors/sleeve/session-key.json";

for (const vector of vectors.cases) {
  test(`both sides derive the key that seals sleeve: password "${vector.password_utf8}"`, () => {
    const password = utf8(vector.password_utf8);
    const a = keyPairOf(fromHex(vector.a_private));
    const b = keyPairOf(fromHex(vector.b_private));
    expect([toHex(a.publicKey), toHex(b.publicKey)]).toEqual([vector.a_public, vector.b_public]);
    expect(toHex(sessionKey(a, b.publicKey, password))).toBe(vector.session_key);
    expect(toHex(sessionKey(b, a.publicKey, password))).toBe(vector.session_key);
  });
}
