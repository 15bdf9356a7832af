import { describe, expect, test } from "bun:test";
import { hkdfSync } from "node:crypto";
import { concatBytes, utf8 } from "../../../lib/base/bytes.ts";
import { parsePeerName, peerNameBytes } from "../../../lib/base/peer-name.ts";
import { generationSecrets, KeyRatchet } from "../../../lib/overlay/sleeve/key-ratchet.ts";

const [one, two] = [parsePeerName("7a:9f:eb:b6:0c:6e"), parsePeerName("de:3a:11:00:42:01")];
const sessionKey = new Uint8Array(32).map((_, at) => at);

const secretsAt = (local: typeof one, remote: typeof one, generation: number) =>
  generationSecrets({ sessionKey, local, remote }, generation);

function keysOf(secret: Uint8Array, count: number): string[] {
  const ratchet = new KeyRatchet(secret);
  return Array.from({ length: count }, () => ratchet.next((key) => key.toHex()));
}

describe("the secrets of a generation", () => {
  test("are the same at both ends, one for each direction", () => {
    const [here, there] = [secretsAt(one, two, 3), secretsAt(two, one, 3)];
    expect(here.send).toEqual(there.receive);
    expect(here.receive).toEqual(there.send);
    expect(here.send).not.toEqual(here.receive);
  });

  test("are others for every generation, pair of peers and session", () => {
    const all = [
      secretsAt(one, two, 0),
      secretsAt(one, two, 1),
      secretsAt(one, parsePeerName("::3"), 0),
      generationSecrets({ sessionKey: new Uint8Array(32), local: one, remote: two }, 0),
    ].flatMap(({ send, receive }) => [send.toHex(), receive.toHex()]);
    expect(new Set(all).size).toBe(all.length);
  });

  test("are what docs/protocol.md says, by another implementation of HKDF", () => {
    const info = concatBytes(
      utf8("direction"),
      peerNameBytes(one),
      peerNameBytes(two),
      Uint8Array.of(2),
    );
    const secret = hkdfSync("sha256", sessionKey, utf8("weave sleeve-aes-gcm/1"), info, 32);
    expect(secretsAt(one, two, 2).send).toEqual(new Uint8Array(secret));
  });
});

describe("the ratchet", () => {
  test("gives the recorded keys: another peer of this release has them too", () => {
    expect(keysOf(secretsAt(one, two, 0).send, 3)).toEqual([
      "bfeae689a18f6a0967fdd32a75fd851875d3d0fbbda8e28dd2ac2866f324d58a",
      "82c36fe4065cac85b7f5a1261ac77567138a1b22c45570e2bf95e8e5e24038d3",
      "f31506641ee09fdad340748944d0cd7862b7a857252f6b81ad488b6b15b38c81",
    ]);
  });

  test("leaves the secret it began with alone, and no key behind it", () => {
    const secret = new Uint8Array(32).fill(5);
    const ratchet = new KeyRatchet(secret);
    const kept: Uint8Array[] = [];
    const texts = [0, 1].map((epoch) =>
      ratchet.next((key, number) => {
        expect(number).toBe(epoch);
        kept.push(key);
        return key.toHex();
      }),
    );
    expect(texts).toEqual(keysOf(secret, 2));
    expect(kept.every((key) => key.every((octet) => octet === 0))).toBe(true);
    expect(secret).toEqual(new Uint8Array(32).fill(5));
  });

  test("gives nothing once it is erased", () => {
    const ratchet = new KeyRatchet(new Uint8Array(32));
    ratchet.erase();
    expect(() => ratchet.next(() => 0)).toThrow("gives no keys");
  });
});
