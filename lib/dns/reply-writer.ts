import { writeUint16, writeUint32 } from "../base/bytes.ts";
import type { Ipv4 } from "../base/ip.ts";
import {
  type DnsQuery,
  flag,
  headerSize,
  opcodeMask,
  recordClass,
  recordHeadSize,
  recordType,
} from "../wire/dns-message.ts";
import { nameOctetsMax } from "../wire/dns-name.ts";

/** A TCP message's length field has 16 bits. */
export const messageSizeMax = 65_535;

/** What we take and offer by EDNS: larger datagrams do not cross most networks whole. */
export const ednsUdpSize = 4096;

/** Octets of our OPT record: root name and no options. */
export const optSize = 1 + recordHeadSize;

/** Octets of the name of an SOA record: a pointer. */
export const soaOwnerSize = 2;

/** A pointer to the first question's name (RFC 1035 §4.1.4). */
const pointerToQuestion = 0xc000 | headerSize;

/**
 * Writes one reply at a time into a buffer of its own, beginning with the octets of the query:
 * header and first question are copied, records appended, and the counts filled in at the end.
 */
export class ReplyWriter {
  readonly #bytes = new Uint8Array(messageSizeMax + 2 * nameOctetsMax);
  #at = 0;

  /** Octets so far. */
  get size(): number {
    return this.#at;
  }

  /**
   * Copies header and first question. `flags` joins those that every reply repeats: opcode,
   * RD and CD; records are added afterwards.
   */
  begin(query: DnsQuery, flags: number): void {
    const bytes = this.#bytes;
    const source = query.bytes;
    for (let at = 0; at < query.questionEnd; at++) bytes[at] = source[at]!;
    const repeated = opcodeMask | flag.recursionDesired | flag.checkingDisabled;
    writeUint16(bytes, 2, flag.reply | (query.flags & repeated) | flags);
    writeUint16(bytes, 4, query.questionCount === 0 ? 0 : 1);
    writeUint32(bytes, 6, 0);
    writeUint16(bytes, 10, 0);
    this.#at = query.questionEnd;
  }

  /** An A record; its owner is the question's name, repeated in full or as a pointer. */
  address(query: DnsQuery, address: Ipv4, ttlS: number, ownerInFull: boolean): void {
    this.#owner(query, ownerInFull);
    this.#head(recordType.a, recordClass.internet, ttlS, 4);
    writeUint32(this.#bytes, this.#at, address);
    this.#at += 4;
    this.#count(6);
  }

  /** A PTR record to `target`, a name as octets. */
  pointer(query: DnsQuery, target: Uint8Array, ttlS: number): void {
    this.#owner(query, true);
    this.#head(recordType.ptr, recordClass.internet, ttlS, target.length);
    this.#append(target);
    this.#count(6);
  }

  /**
   * An SOA record whose owner, a zone, is the end of the question's name; in the answer, or in the
   * authority section of a negative reply.
   */
  startOfAuthority(query: DnsQuery, zone: Uint8Array, data: Uint8Array, soa: SoaPlace): void {
    writeUint16(this.#bytes, this.#at, 0xc000 | (query.nameEnd - zone.length));
    this.#at += 2;
    this.#head(recordType.soa, recordClass.internet, soa.ttlS, data.length);
    this.#append(data);
    this.#count(soa.section === "answer" ? 6 : 8);
  }

  /** The OPT record that a query with EDNS gets (RFC 6891 §6.1.1). */
  edns(dnssecOk: boolean, extendedRcode: number): void {
    this.#bytes[this.#at++] = 0;
    this.#head(
      recordType.opt,
      ednsUdpSize,
      ((extendedRcode << 24) | (dnssecOk ? 0x8000 : 0)) >>> 0,
      0,
    );
    this.#count(10);
  }

  setTruncated(): void {
    this.#bytes[2]! |= flag.truncated >>> 8;
  }

  /** The finished reply, as a copy. */
  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#at);
  }

  #owner(query: DnsQuery, inFull: boolean): void {
    if (!inFull) {
      writeUint16(this.#bytes, this.#at, pointerToQuestion);
      this.#at += 2;
      return;
    }
    this.#bytes.copyWithin(this.#at, headerSize, query.nameEnd);
    this.#at += query.nameEnd - headerSize;
  }

  #head(type: number, rrClass: number, ttl: number, dataSize: number): void {
    const bytes = this.#bytes;
    const at = this.#at;
    writeUint16(bytes, at, type);
    writeUint16(bytes, at + 2, rrClass);
    writeUint32(bytes, at + 4, ttl);
    writeUint16(bytes, at + 8, dataSize);
    this.#at = at + recordHeadSize;
  }

  #append(data: Uint8Array): void {
    this.#bytes.set(data, this.#at);
    this.#at += data.length;
  }

  /** One more record in the section whose count stands at `offset`. */
  #count(offset: number): void {
    const bytes = this.#bytes;
    writeUint16(bytes, offset, ((bytes[offset]! << 8) | bytes[offset + 1]!) + 1);
  }
}

export interface SoaPlace {
  readonly section: "answer" | "authority";
  readonly ttlS: number;
}
