import type { Ipv4 } from "../base/ip.ts";
import { type Random, randomUint32, seededRandom, shuffle } from "../base/random.ts";
import {
  type DnsQuery,
  flag,
  isQuery,
  opcodeMask,
  parseQuery,
  rcode,
  recordClass,
  recordHeadSize,
  recordType,
} from "../wire/dns-message.ts";
import { encodeName } from "../wire/dns-name.ts";
import { isSingleLabel, isWithin, reverseAddress } from "./domain.ts";
import type { NameView } from "./name-table.ts";
import { StartOfAuthority } from "./negative.ts";
import { optSize, ReplyWriter, soaOwnerSize } from "./reply-writer.ts";
import { recordsThatFit, replySizeMax, type Transport } from "./truncation.ts";

export type { Transport } from "./truncation.ts";

/**
 * Turns the octets of a query into the octets of a reply (dns §6), without sockets and without
 * waiting.
 *
 *   query ─┬─ not worth a reply ────────────────────────────────▶ ignore
 *          ├─ breaks the rules ──── FORMERR, NOTIMP, BADVERS ────▶ reply
 *          ├─ in the domain, or one label ─┬─ known ─ answer ────▶ reply
 *          │                               └─ no such ─ NXDOMAIN ▶ reply
 *          ├─ in-addr.arpa, address known ─────────── answer ────▶ reply
 *          └─ the rest, and DS, which the parent zone knows ─────▶ forward
 */
export type Outcome =
  | { readonly kind: "ignore" }
  | { readonly kind: "reply"; readonly bytes: Uint8Array; readonly result: LocalResult }
  | Forward;

export interface Forward {
  readonly kind: "forward";
  readonly query: DnsQuery;
  /** Octets that the client takes. */
  readonly replySizeMax: number;
}

/** How a query ended that we answered ourselves. */
export type LocalResult =
  | "answered"
  | "no-data"
  | "no-such-name"
  | "malformed"
  | "not-implemented"
  | "refused"
  | "failed";

export interface ResponderOptions {
  /** Of all answers from the table, in seconds. */
  readonly ttlS: number;
  readonly random: Random;
}

const ignored: Outcome = { kind: "ignore" };

export class DnsResponder {
  readonly #table: NameView;
  readonly #ttlS: number;
  readonly #soa: StartOfAuthority;
  readonly #writer = new ReplyWriter();
  /** Order of answers is no secret: a cheap source, seeded once. */
  readonly #random: Random;

  constructor(table: NameView, options: ResponderOptions) {
    this.#table = table;
    this.#ttlS = options.ttlS;
    this.#soa = new StartOfAuthority(table.domain, options.ttlS);
    this.#random = seededRandom(randomUint32(options.random));
  }

  /** `bytes` is not kept, unless the outcome is to forward it. */
  handle(bytes: Uint8Array, transport: Transport): Outcome {
    if (!isQuery(bytes)) return ignored;
    const query = parseQuery(bytes);
    if (query === undefined) return this.#malformed(bytes);
    if ((query.flags & opcodeMask) !== 0) {
      return this.#error(query, rcode.notImplemented, "not-implemented");
    }
    if (query.edns !== undefined && query.edns.version > 0) {
      return this.#error(query, rcode.badVersion, "not-implemented");
    }
    if (query.questionCount === 0) return this.#noQuestion(query);
    return this.#dispatch(query, replySizeMax(transport, query.edns));
  }

  /** The reply to a query that could not be forwarded, or was not allowed to. */
  failure(query: DnsQuery, code: number): Uint8Array {
    this.#writer.begin(query, flag.recursionAvailable | code);
    return this.#finish(query);
  }

  #dispatch(query: DnsQuery, sizeMax: number): Outcome {
    const { name, type } = query;
    const { domain } = this.#table;
    const forward: Forward = { kind: "forward", query, replySizeMax: sizeMax };
    if (type === recordType.ds) return forward;
    if (isWithin(name, domain.folded)) {
      return this.#refusal(query) ?? this.#inDomain(query, sizeMax);
    }
    if (isSingleLabel(name) && query.class === recordClass.internet) {
      return this.#unqualified(query, sizeMax) ?? forward;
    }
    const address = reverseAddress(name);
    if (address === undefined || query.class !== recordClass.internet) return forward;
    return this.#reverse(query, address) ?? forward;
  }

  /** What we never answer from the table. */
  #refusal(query: DnsQuery): Outcome | undefined {
    if (query.questionCount > 1) return this.#error(query, rcode.nameError, "no-such-name");
    if (query.class !== recordClass.internet && query.class !== recordClass.any) {
      return this.#error(query, rcode.refused, "refused");
    }
    return undefined;
  }

  #inDomain(query: DnsQuery, sizeMax: number): Outcome {
    const { name, type } = query;
    const isApex = name === this.#table.domain.folded;
    if (isApex && type === recordType.soa) return this.#apex(query, sizeMax);
    const addresses = this.#table.addressesOf(name);
    if (addresses.length > 0 && (type === recordType.a || type === recordType.any)) {
      return this.#answer(query, name, sizeMax);
    }
    if (addresses.length > 0 || isApex || this.#table.hasNamesBelow(name)) {
      return this.#negative(query, rcode.noError, "no-data", sizeMax);
    }
    return this.#negative(query, rcode.nameError, "no-such-name", sizeMax);
  }

  /**
   * A host that appends no search domain asks for one label. A name we know is answered, owner as
   * asked; an unknown one is no top-level domain that has addresses; other types go upstream.
   */
  #unqualified(query: DnsQuery, sizeMax: number): Outcome | undefined {
    const { folded } = this.#table.domain;
    const name = folded === "." ? query.name : query.name + folded;
    const addresses = this.#table.addressesOf(name);
    const { type } = query;
    if (query.questionCount > 1) return this.#error(query, rcode.nameError, "no-such-name");
    if (addresses.length > 0) {
      if (type === recordType.a || type === recordType.any) {
        return this.#answer(query, name, sizeMax);
      }
      this.#writer.begin(query, flag.authoritative | flag.recursionAvailable);
      return this.#reply(query, "no-data");
    }
    if (type !== recordType.a && type !== recordType.aaaa) return undefined;
    return this.#error(query, rcode.nameError, "no-such-name");
  }

  #reverse(query: DnsQuery, address: Ipv4): Outcome | undefined {
    const name = this.#table.nameOf(address);
    const target = name === undefined ? undefined : encodeName(name);
    if (target === undefined) return undefined;
    if (query.questionCount > 1) return this.#error(query, rcode.nameError, "no-such-name");
    this.#writer.begin(query, flag.authoritative | flag.recursionAvailable);
    if (query.type !== recordType.ptr && query.type !== recordType.any) {
      return this.#reply(query, "no-data");
    }
    this.#writer.pointer(query, target, this.#ttlS);
    return this.#reply(query, "answered");
  }

  /**
   * The addresses of `name` in uniformly random order, owners in full: as many as fit, and TC when
   * some had to stay out. A single one always goes; with a long name its owner is a pointer.
   */
  #answer(query: DnsQuery, name: string, sizeMax: number): Outcome {
    const writer = this.#writer;
    writer.begin(query, flag.authoritative | flag.recursionAvailable);
    const used = writer.size + (query.edns === undefined ? 0 : optSize);
    const ownerSize = query.questionEnd - 4 - 12;
    const fitting = recordsThatFit(sizeMax, used, ownerSize + recordHeadSize + 4);
    const inFull = fitting > 0;
    const order = this.#order(name);
    const count = Math.min(order.length, Math.max(1, fitting));
    for (let index = 0; index < count; index++) {
      writer.address(query, order[index]!, this.#ttlS, inFull);
    }
    if (count < order.length) writer.setTruncated();
    return this.#reply(query, "answered");
  }

  /** Random, but those that cannot be reached now after all others: clients try the first ones. */
  #order(name: string): readonly Ipv4[] {
    const addresses = this.#table.addressesOf(name);
    if (addresses.length === 1) return addresses;
    const order = shuffle(this.#random, [...addresses]);
    const far = this.#table.unreachableOf(name);
    if (far.size === 0) return order;
    return [
      ...order.filter((address) => !far.has(address)),
      ...order.filter((address) => far.has(address)),
    ];
  }

  /** The zone exists, and says so to whoever asks where it begins. */
  #apex(query: DnsQuery, sizeMax: number): Outcome {
    this.#writer.begin(query, flag.authoritative | flag.recursionAvailable);
    if (!this.#appendSoa(query, "answer", sizeMax)) this.#writer.setTruncated();
    return this.#reply(query, "answered");
  }

  /**
   * "No such name" or "no such data", with the SOA that lets resolvers remember it briefly, unless the
   * domain has so long a name that it does not fit.
   */
  #negative(query: DnsQuery, code: number, result: LocalResult, sizeMax: number): Outcome {
    this.#writer.begin(query, flag.authoritative | flag.recursionAvailable | code);
    this.#appendSoa(query, "authority", sizeMax);
    return this.#reply(query, result);
  }

  /** Whether it fits. */
  #appendSoa(query: DnsQuery, section: "answer" | "authority", sizeMax: number): boolean {
    const { data } = this.#soa;
    const used = this.#writer.size + (query.edns === undefined ? 0 : optSize);
    if (used + soaOwnerSize + recordHeadSize + data.length > sizeMax) return false;
    this.#soa.setSerial(this.#table.changes);
    const zone = this.#table.domain.octets;
    this.#writer.startOfAuthority(query, zone, data, { section, ttlS: this.#ttlS });
    return true;
  }

  #error(query: DnsQuery, code: number, result: LocalResult): Outcome {
    this.#writer.begin(query, flag.recursionAvailable | (code & 0x0f));
    return this.#reply(query, result, code >>> 4);
  }

  #noQuestion(query: DnsQuery): Outcome {
    this.#writer.begin(query, rcode.serverFailure);
    return this.#reply(query, "failed");
  }

  /** A header alone: nothing behind it can be trusted. */
  #malformed(bytes: Uint8Array): Outcome {
    const header = new Uint8Array(12);
    header[0] = bytes[0]!;
    header[1] = bytes[1]!;
    header[2] = flag.reply >>> 8;
    header[3] = rcode.formatError;
    return { kind: "reply", bytes: header, result: "malformed" };
  }

  #reply(query: DnsQuery, result: LocalResult, extendedRcode = 0): Outcome {
    return { kind: "reply", bytes: this.#finish(query, extendedRcode), result };
  }

  #finish(query: DnsQuery, extendedRcode = 0): Uint8Array {
    if (query.edns !== undefined) this.#writer.edns(query.edns.dnssecOk, extendedRcode);
    return this.#writer.finish();
  }
}
