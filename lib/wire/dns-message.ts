import { readUint16, readUint32 } from "../base/bytes.ts";
import { readFoldedName, skipName } from "./dns-name.ts";

/**
 * DNS messages (RFC 1035 §4.1), read only as far as a name server for one zone needs: records are
 * walked over, never copied, and no count is believed before the octets behind it were seen.
 *
 *     0  1  2  3  4  5  6  7  8  9 10 11 12 13 14 15
 *   +--+--+--+--+--+--+--+--+--+--+--+--+--+--+--+--+
 *   |                      id                       |   0
 *   |QR|   opcode  |AA|TC|RD|RA| 0|AD|CD|   rcode   |   2
 *   |  questions                                    |   4
 *   |  answers                                      |   6
 *   |  authority records                            |   8
 *   |  additional records                           |  10
 *   +--+--+--+--+--+--+--+--+--+--+--+--+--+--+--+--+
 *   question: name, type (2), class (2)                 12
 *   record:   name, type (2), class (2), ttl (4), length (2), data
 */
export const headerSize = 12;

export const flag = {
  reply: 0x8000,
  authoritative: 0x0400,
  truncated: 0x0200,
  recursionDesired: 0x0100,
  recursionAvailable: 0x0080,
  checkingDisabled: 0x0010,
} as const;

export const opcodeMask = 0x7800;
export const rcodeMask = 0x000f;

export const rcode = {
  noError: 0,
  formatError: 1,
  serverFailure: 2,
  nameError: 3,
  notImplemented: 4,
  refused: 5,
  /** Of EDNS: the upper eight bits stand in the OPT record (RFC 6891 §6.1.3). */
  badVersion: 16,
} as const;

export const recordType = {
  a: 1,
  ns: 2,
  soa: 6,
  ptr: 12,
  aaaa: 28,
  opt: 41,
  ds: 43,
  any: 255,
} as const;

export const recordClass = { internet: 1, any: 255 } as const;

/** Octets of a record behind its name, without data. */
export const recordHeadSize = 10;

/** EDNS(0) of a query (RFC 6891 §6.1). */
export interface Edns {
  /** Largest UDP reply in octets that the sender takes, as sent. */
  readonly udpSize: number;
  readonly version: number;
  readonly dnssecOk: boolean;
}

/** A query whose whole structure was checked. */
export interface DnsQuery {
  readonly bytes: Uint8Array;
  readonly flags: number;
  readonly questionCount: number;
  /** Of the first question; `""`, 0 and 0 when there is none. */
  readonly name: string;
  readonly type: number;
  readonly class: number;
  /** Offset behind the name of the first question. */
  readonly nameEnd: number;
  /** Offset behind the first question. */
  readonly questionEnd: number;
  readonly edns: Edns | undefined;
}

/** Whether it is worth an answer at all: a whole header with QR clear. */
export function isQuery(bytes: Uint8Array): boolean {
  return bytes.length >= headerSize && (bytes[2]! & 0x80) === 0;
}

/** Reads a message for which {@link isQuery} holds; `undefined` when it breaks the format. */
export function parseQuery(bytes: Uint8Array): DnsQuery | undefined {
  const flags = readUint16(bytes, 2);
  const questionCount = readUint16(bytes, 4);
  if (questionCount === 0) {
    const noName = { name: "", type: 0, class: 0, nameEnd: headerSize, questionEnd: headerSize };
    const edns = findEdns(bytes, headerSize);
    return edns === malformed ? undefined : { bytes, flags, questionCount, ...noName, edns };
  }
  const name = readFoldedName(bytes, headerSize);
  if (name === undefined || name.end + 4 > bytes.length) return undefined;
  const questionEnd = name.end + 4;
  let at = questionEnd;
  for (let left = questionCount - 1; left > 0; left--) {
    at = skipName(bytes, at);
    if (at < 0 || at + 4 > bytes.length) return undefined;
    at += 4;
  }
  const edns = findEdns(bytes, at);
  if (edns === malformed) return undefined;
  return {
    bytes,
    flags,
    questionCount,
    name: name.text,
    type: readUint16(bytes, name.end),
    class: readUint16(bytes, name.end + 2),
    nameEnd: name.end,
    questionEnd,
    edns,
  };
}

const malformed = Symbol("malformed");

/** Walks all records from `at`; finds the OPT record, of which there is at most one. */
function findEdns(bytes: Uint8Array, at: number): Edns | undefined | typeof malformed {
  const count = readUint16(bytes, 6) + readUint16(bytes, 8) + readUint16(bytes, 10);
  let edns: Edns | undefined;
  for (let left = count; left > 0; left--) {
    const record = readRecord(bytes, at);
    if (record === undefined) return malformed;
    if (record.type === recordType.opt) {
      if (edns !== undefined) return malformed;
      const extended = readUint32(bytes, record.head + 4);
      edns = {
        udpSize: readUint16(bytes, record.head + 2),
        version: (extended >>> 16) & 0xff,
        dnssecOk: (extended & 0x8000) !== 0,
      };
    }
    at = record.end;
  }
  return edns;
}

/** Where a record is: `start` its name, `head` its type, `end` behind its data. */
export interface RecordPlace {
  readonly start: number;
  readonly head: number;
  readonly end: number;
  readonly type: number;
}

/** `undefined` when the record at `start` is cut or breaks the format. */
export function readRecord(bytes: Uint8Array, start: number): RecordPlace | undefined {
  const head = skipName(bytes, start);
  if (head < 0 || head + recordHeadSize > bytes.length) return undefined;
  const end = head + recordHeadSize + readUint16(bytes, head + 8);
  return end > bytes.length ? undefined : { start, head, end, type: readUint16(bytes, head) };
}

/**
 * Whether `reply` answers `query`, of which it repeats id and question. Servers that understood
 * nothing may leave the question out, so an error without question counts as well.
 */
export function isReplyTo(reply: Uint8Array, query: Uint8Array): boolean {
  if (reply.length < headerSize || readUint16(reply, 0) !== readUint16(query, 0)) return false;
  const flags = readUint16(reply, 2);
  if ((flags & flag.reply) === 0 || (flags & opcodeMask) !== 0) return false;
  const asked = parseQuery(query);
  if (readUint16(reply, 4) === 0) {
    const code = flags & rcodeMask;
    return code !== rcode.noError && code !== rcode.nameError;
  }
  const name = readFoldedName(reply, headerSize);
  return (
    asked !== undefined &&
    name !== undefined &&
    name.text === asked.name &&
    name.end + 4 <= reply.length &&
    readUint16(reply, name.end) === asked.type &&
    readUint16(reply, name.end + 2) === asked.class
  );
}
