import { concatBytes, writeUint16 } from "../base/bytes.ts";

/**
 * DNS over TCP (RFC 1035 §4.2.2): each message behind its length.
 *
 *   │ length (2) │ message … │ length (2) │ message … │
 *
 * At most one message is held unfinished, so the memory is bounded by the length's 16 bits.
 */
export class DnsStream {
  #rest: Uint8Array = new Uint8Array(0);

  /** Takes what arrived and returns the messages that are complete now, as copies. */
  push(chunk: Uint8Array): Uint8Array[] {
    const bytes = this.#rest.length === 0 ? chunk : concatBytes(this.#rest, chunk);
    const messages: Uint8Array[] = [];
    let at = 0;
    while (at + 2 <= bytes.length) {
      const end = at + 2 + ((bytes[at]! << 8) | bytes[at + 1]!);
      if (end > bytes.length) break;
      messages.push(new Uint8Array(bytes.subarray(at + 2, end)));
      at = end;
    }
    this.#rest = new Uint8Array(bytes.subarray(at));
    return messages;
  }
}

/** `message` with its length in front; at most 65 535 octets. */
export function withLength(message: Uint8Array): Uint8Array {
  const framed = new Uint8Array(message.length + 2);
  writeUint16(framed, 0, message.length);
  framed.set(message, 2);
  return framed;
}
