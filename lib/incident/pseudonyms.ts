import { formatIp, formatIpv4, type Ipv4Cidr, tryParseIp, tryParseIpv4 } from "../base/ip.ts";
import { formatPeerName, type PeerName } from "../base/peer-name.ts";

/** What may be replaced in a bundle. */
export const redactable = ["addresses", "names"] as const;
export type Redactable = (typeof redactable)[number];

/** Names as they stand in a bundle; whatever is one of several kinds counts as the first. */
export interface KnownNames {
  readonly peers: readonly string[];
  readonly nicknames: readonly string[];
  /** Names that DNS answers for, without the domain. */
  readonly hostnames: readonly string[];
  /** Containers, as the router knows them. */
  readonly containers: readonly string[];
  /** Of policies, namespaces, targets, domains. */
  readonly others: readonly string[];
}

/** More parts of one word are not tried in all combinations. */
const partsMax = 16;

const word = /[\p{L}\p{N}_](?:[\p{L}\p{N}_.:/-]*[\p{L}\p{N}_])?/gu;
/** A name without any hides nobody. */
const hasLetters = /[\p{L}\p{N}]/u;
const ipv4Like = /(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?!\w|\.\d)/;
const ethernetLike = /(?<![\w:])(?:[\da-f]{2}:){5}[\da-f]{2}(?!\w|:[\da-f])/;
const ipv6Like =
  /(?<![\w.:])(?=[\da-f]*:[\da-f]*:)(?:[\da-f:]*:\d+(?:\.\d+){3}|[\da-f:]*[\da-f]|[\da-f:]*::)(?!\w)/;
const addressLike = new RegExp(
  `${ethernetLike.source}|${ipv6Like.source}|${ipv4Like.source}`,
  "gi",
);
/** An address with its port or prefix as well; what it is made of is no name. */
const wholeAddress = new RegExp(`^(?:${addressLike.source})(?:[:/]\\d+)?$`, "i");
const number = /^\d+$/;
const macLike = /^(?:[\da-f]{2}:){5}[\da-f]{2}$/i;

/**
 * Replaces addresses, names or both, each by the same pseudonym wherever it stands. Peers keep their
 * order and containers' addresses their place in the network's range, so that the bundle can still
 * be replayed; loopback, multicast and masks are nobody's and stay.
 */
export class Pseudonyms {
  readonly #kinds: ReadonlySet<Redactable>;
  readonly #universe: Ipv4Cidr | undefined;
  readonly #names = new Map<string, string>();
  /** Names that are numbers, as which they stand all over a bundle: replaced where they stand alone. */
  readonly #numbers = new Map<string, string>();
  /** Names that are no single word: looked for one by one. */
  readonly #phrases: (readonly [RegExp, string])[] = [];
  readonly #addresses = new Map<string, string>();
  readonly #peers: ReadonlySet<string>;

  constructor(kinds: readonly Redactable[], known: KnownNames, universe: Ipv4Cidr | undefined) {
    this.#kinds = new Set(kinds);
    this.#universe = universe;
    this.#peers = new Set(known.peers);
    if (!this.#kinds.has("names")) return;
    for (const [index, peer] of [...this.#peers].sort().entries()) {
      this.#name(peer, formatPeerName((index + 1) as PeerName));
    }
    this.#nameAll(known.nicknames, "host");
    this.#nameAll(known.hostnames, "name");
    this.#nameAll(known.containers, "container");
    this.#nameAll(known.others, "label");
  }

  replace(text: string): string {
    const alone = this.#numbers.get(text);
    if (alone !== undefined) return alone;
    let after = text;
    for (const [name, pseudonym] of this.#phrases) after = after.replace(name, pseudonym);
    if (this.#names.size > 0) after = after.replace(word, (each) => this.#word(each));
    if (!this.#kinds.has("addresses")) return after;
    return after.replace(addressLike, (each) => this.#address(each));
  }

  #nameAll(names: readonly string[], kind: string): void {
    for (const [index, name] of [...new Set(names)].entries()) {
      if (name !== "") this.#name(name, `${kind}-${index + 1}`);
    }
  }

  #name(name: string, pseudonym: string): void {
    const isWord = name.match(word)?.[0] === name;
    const words = number.test(name) ? this.#numbers : this.#names;
    if (isWord && !words.has(name)) words.set(name, pseudonym);
    else if (!isWord && hasLetters.test(name)) this.#phrases.push([phrase(name), pseudonym]);
  }

  /** The whole of a word, or the longest of its parts that are names: `web` in `web.weave.local`. */
  #word(text: string): string {
    const whole = this.#names.get(text);
    if (whole !== undefined || wholeAddress.test(text)) return whole ?? text;
    const parts = text.split(/([.:/-])/);
    if (parts.length === 1 || parts.length > 2 * partsMax) return text;
    for (let length = parts.length - 2; length > 0; length -= 2) {
      for (let from = 0; from + length <= parts.length; from += 2) {
        const found = this.#names.get(parts.slice(from, from + length).join(""));
        if (found === undefined) continue;
        const before = this.#rest(parts.slice(0, from));
        return before + found + this.#rest(parts.slice(from + length));
      }
    }
    return text;
  }

  #rest(parts: readonly string[]): string {
    return parts.map((part) => this.#names.get(part) ?? part).join("");
  }

  #address(text: string): string {
    const known = this.#addresses.get(text);
    if (known !== undefined) return known;
    const made = this.#pseudonymOf(text);
    this.#addresses.set(text, made);
    return made;
  }

  #pseudonymOf(text: string): string {
    if (macLike.test(text)) return this.#isPeer(text) ? text : this.#mac();
    const ipv4 = tryParseIpv4(text);
    if (ipv4 !== undefined) return this.#ipv4(ipv4, text);
    const address = tryParseIp(text);
    if (address === undefined || address.family === 4 || address.value < 2n) return text;
    const isMulticast = address.value >> 120n === 0xffn;
    if (isMulticast) return text;
    const network = address.value >> 118n === 0x3fan ? 0xfe80n << 112n : 0x20010db8n << 96n;
    return formatIp({ family: 6, value: network | BigInt(this.#addresses.size + 1) });
  }

  /** The name of a peer, or a pseudonym of one, which only looks like an address. */
  #isPeer(text: string): boolean {
    return this.#peers.has(text) || text.startsWith("00:00:00:00:");
  }

  #ipv4(address: number, text: string): string {
    const first = address >>> 24;
    if (first === 0 || first === 127 || first >= 224) return text;
    const universe = this.#universe;
    if (universe !== undefined && universe.prefix >= 8) {
      const offset = address - universe.address;
      // RFC 1918; the place in the range is what the ring is about.
      if (offset >= 0 && offset < 2 ** (32 - universe.prefix)) {
        return formatIpv4(0x0a00_0000 + offset);
      }
    }
    // RFC 2544: addresses that are nobody's.
    return formatIpv4(0xc612_0001 + (this.#addresses.size % 0x1_fffe));
  }

  #mac(): string {
    return formatPeerName((0x02_00_5e_00_00_00 + this.#addresses.size + 1) as PeerName);
  }
}

/** A name of several words, where it is not a part of others. */
function phrase(name: string): RegExp {
  return new RegExp(`(?<![\\p{L}\\p{N}_])${RegExp.escape(name)}(?![\\p{L}\\p{N}_])`, "gu");
}
