import { formatIp, ipBytes, ipFromBytes, parseIp } from "../base/ip.ts";

/** Neighbours and their strangers: what is beyond is looked up anew. */
export const addressesMax = 1024;

/**
 * IPv6 addresses between the octets of the kernel's structures and their canonical text, which would
 * cost microseconds to make for every datagram. It remembers no more than {@link addressesMax}, so
 * that datagrams from ever new addresses cost time but no memory; whatever it forgets, texts stay
 * good.
 */
export class Ipv6Texts {
  /** By the octets, as eight characters of sixteen bits. */
  readonly #texts = new Map<string, string>();
  readonly #octets = new Map<string, Uint8Array>();
  #lastKey = "";
  #lastText = "";

  /** How many addresses it remembers. */
  get size(): number {
    return Math.max(this.#texts.size, this.#octets.size);
  }

  /** The address whose sixteen octets lie in `view` from `at`. */
  text(view: DataView, at: number): string {
    const key = keyOf(view, at);
    // Runs of datagrams come from one neighbour.
    if (key === this.#lastKey) return this.#lastText;
    let text = this.#texts.get(key);
    if (text === undefined) {
      text = formatIp(ipFromBytes(new Uint8Array(view.buffer, view.byteOffset + at, 16)));
      remember(this.#texts, key, text);
    }
    this.#lastKey = key;
    this.#lastText = text;
    return text;
  }

  /** The sixteen octets of an address in canonical text. */
  octets(text: string): Uint8Array {
    const known = this.#octets.get(text);
    if (known !== undefined) return known;
    const octets = ipBytes(parseIp(text));
    remember(this.#octets, text, octets);
    return octets;
  }
}

function remember<Value>(known: Map<string, Value>, key: string, value: Value): void {
  if (known.size >= addressesMax) known.clear();
  known.set(key, value);
}

function keyOf(view: DataView, at: number): string {
  return String.fromCharCode(
    view.getUint16(at),
    view.getUint16(at + 2),
    view.getUint16(at + 4),
    view.getUint16(at + 6),
    view.getUint16(at + 8),
    view.getUint16(at + 10),
    view.getUint16(at + 12),
    view.getUint16(at + 14),
  );
}
