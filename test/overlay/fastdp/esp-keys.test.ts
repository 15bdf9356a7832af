import { describe, expect, test } from "bun:test";
import { fromHex, toHex } from "../../../lib/base/bytes.ts";
import { formatPeerName, parsePeerName } from "../../../lib/base/peer-name.ts";
import {
  decodeInvitation,
  deriveEspKey,
  encodeInvitation,
} from "../../../lib/overlay/fastdp/esp-keys.ts";
import recorded from "../../vectors/fastdp/ipsec-keys.json";

describe("the key of a direction", () => {
  for (const { session_key, nonce, receiver_peer_name, key36, ...parts } of recorded.keys) {
    test(`is made for who decrypts: ${receiver_peer_name}, nonce ${nonce.slice(0, 8)}`, () => {
      const receiver = parsePeerName(receiver_peer_name);
      const key = deriveEspKey(fromHex(session_key), fromHex(nonce), receiver);
      expect(toHex(key)).toBe(key36);
      expect(toHex(key)).toBe(parts.aes_key + parts.salt);
      expect(formatPeerName(receiver).replaceAll(":", "").padStart(16, "0")).toBe(parts.hkdf_info);
    });
  }
});

describe("the message by which it is agreed on", () => {
  for (const { message, nonce, spi, length } of recorded.init_sa_messages) {
    test(`carries nonce and SPI ${spi}`, () => {
      const invitation = { nonce: fromHex(nonce), spi };
      expect(toHex(encodeInvitation(invitation))).toBe(message);
      expect(fromHex(message).length).toBe(length);
      expect(decodeInvitation(fromHex(message))).toEqual(invitation);
    });
  }

  test("is refused with any other length, or an SPI that is reserved", () => {
    for (const { length } of recorded.init_sa_bad_lengths) {
      expect(decodeInvitation(new Uint8Array(length).fill(1))).toBeUndefined();
    }
    expect(decodeInvitation(new Uint8Array(64))).toBeUndefined();
  });
});
