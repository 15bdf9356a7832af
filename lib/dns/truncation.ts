import { readUint16, writeUint16 } from "../base/bytes.ts";
import {
  type Edns,
  flag,
  headerSize,
  type RecordPlace,
  readRecord,
  recordType,
} from "../wire/dns-message.ts";
import { skipName } from "../wire/dns-name.ts";
import { ednsUdpSize, messageSizeMax } from "./reply-writer.ts";

export type Transport = "udp" | "tcp";

/** What every client takes in a datagram (RFC 1035 §4.2.1), also one that says less by EDNS. */
const plainUdpSize = 512;

/** Octets that a reply may have. */
export function replySizeMax(transport: Transport, edns: Edns | undefined): number {
  if (transport === "tcp") return messageSizeMax;
  if (edns === undefined) return plainUdpSize;
  return Math.min(Math.max(edns.udpSize, plainUdpSize), ednsUdpSize);
}

/** How many records of `recordSize` octets fit behind `used` of `limit` octets. */
export function recordsThatFit(limit: number, used: number, recordSize: number): number {
  return Math.max(0, Math.floor((limit - used) / recordSize));
}

/**
 * Shortens another server's reply to `limit` octets: whole answers from the front, no authority,
 * the OPT record if there was one, and TC. Names point backwards only, so what stays is intact.
 * `undefined` when the reply breaks the format or not even the question fits.
 */
export function truncateReply(reply: Uint8Array, limit: number): Uint8Array | undefined {
  if (reply.length <= limit) return reply;
  const places = recordPlaces(reply);
  if (places === undefined) return undefined;
  const { questionEnd, records } = places;
  const opt = records.find((record) => record.type === recordType.opt);
  const room = limit - (opt === undefined ? 0 : opt.end - opt.start);
  const answers = records.slice(0, readUint16(reply, 6));
  const kept = answers.filter((record) => record.end <= room);
  const end = kept.at(-1)?.end ?? questionEnd;
  if (end > room) return undefined;
  const shorter = new Uint8Array(end + limit - room);
  shorter.set(reply.subarray(0, end));
  if (opt !== undefined) shorter.set(reply.subarray(opt.start, opt.end), end);
  writeUint16(shorter, 2, readUint16(reply, 2) | flag.truncated);
  writeUint16(shorter, 6, kept.length);
  writeUint16(shorter, 8, 0);
  writeUint16(shorter, 10, opt === undefined ? 0 : 1);
  return shorter;
}

/** Where everything is in a reply; `undefined` when it breaks the format. */
export function recordPlaces(
  reply: Uint8Array,
): { questionEnd: number; records: RecordPlace[] } | undefined {
  if (reply.length < headerSize) return undefined;
  let at = headerSize;
  for (let left = readUint16(reply, 4); left > 0; left--) {
    const end = skipName(reply, at);
    if (end < 0 || end + 4 > reply.length) return undefined;
    at = end + 4;
  }
  const questionEnd = at;
  const records: RecordPlace[] = [];
  const count = readUint16(reply, 6) + readUint16(reply, 8) + readUint16(reply, 10);
  for (let left = count; left > 0; left--) {
    const record = readRecord(reply, at);
    if (record === undefined) return undefined;
    records.push(record);
    at = record.end;
  }
  return { questionEnd, records };
}
