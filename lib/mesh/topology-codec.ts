import { WeaveError } from "../base/errors.ts";
import { cutNickname } from "../base/nickname.ts";
import { type PeerName, peerNameBytes, peerNameSize, readPeerName } from "../base/peer-name.ts";
import { GobDecoder, GobEncoder, GobError, type GobValue, gob } from "../wire/gob.ts";
import type { PeerLink, PeerRecord } from "./peer-record.ts";

/**
 * The payload of channel `topology` (mesh-protocol §6.6, §6.7): one gob stream with two values for
 * each peer.
 *
 *   ┌─────────────┬──────────────────────┬─────────────┬──────────────────────┬───
 *   │ peerSummary │ []connectionSummary  │ peerSummary │ []connectionSummary  │ …
 *   └─────────────┴──────────────────────┴─────────────┴──────────────────────┴───
 *     name, nickname, uid,  remote name, address,
 *     version, short id     outbound, established
 *
 * Definitions go before the first value of each type. No peers are no octets.
 */
const peerSummary = gob.struct("peerSummary", {
  NameByte: gob.bytes,
  NickName: gob.string,
  UID: gob.uint64,
  Version: gob.uint64,
  ShortID: gob.uintBits(16),
  HasShortID: gob.bool,
});

const connectionSummary = gob.struct("connectionSummary", {
  NameByte: gob.bytes,
  RemoteTCPAddr: gob.string,
  Outbound: gob.bool,
  Established: gob.bool,
});

const connectionList = gob.slice(connectionSummary);

/** A topology is split over payloads of about this size, well below the frame limit of 10 MiB. */
export const payloadTargetBytes = 4 << 20;

/** Longer addresses are dropped: no socket has one. */
const addressMaxLength = 64;

export interface DecodedTopology {
  readonly records: PeerRecord[];
  /** Records and links left out because their name is no peer name. */
  readonly skipped: number;
}

/**
 * Reads a whole payload. A record or link whose name does not have six octets is left out and
 * counted, the others stand: one odd record must not make a peer deaf to all news.
 *
 * @throws WeaveError `TOPOLOGY_FORMAT`; then nothing of the payload may be used
 */
export function decodeTopology(payload: Uint8Array): DecodedTopology {
  const stream = new GobDecoder(payload);
  const records: PeerRecord[] = [];
  let skipped = 0;
  try {
    while (!stream.ended) {
      const summary = stream.read(peerSummary);
      const links = stream.read(connectionList);
      const usable = links.filter((link) => link.NameByte.length === peerNameSize);
      skipped += links.length - usable.length;
      if (summary.NameByte.length === peerNameSize) records.push(toRecord(summary, usable));
      else skipped++;
    }
    return { records, skipped };
  } catch (cause) {
    // The data may end before a record, and before the list of one: that record does not count.
    if (cause instanceof GobError && cause.atEnd) return { records, skipped };
    if (!(cause instanceof WeaveError)) throw cause;
    throw new WeaveError("TOPOLOGY_FORMAT", `topology does not decode: ${cause.message}`, {
      cause,
    });
  }
}

function toRecord(
  summary: GobValue<typeof peerSummary>,
  links: GobValue<typeof connectionList>,
): PeerRecord {
  return {
    name: readPeerName(summary.NameByte),
    nickname: cutNickname(summary.NickName),
    uid: summary.UID,
    version: summary.Version,
    shortId: summary.HasShortID ? summary.ShortID : undefined,
    links: new Map(links.map((link) => [readPeerName(link.NameByte), toLink(link)])),
  };
}

function toLink(link: GobValue<typeof connectionSummary>): PeerLink {
  return {
    address: link.RemoteTCPAddr.length <= addressMaxLength ? link.RemoteTCPAddr : "",
    outbound: link.Outbound,
    established: link.Established,
  };
}

/** Writes all of `records` into one payload. */
export function encodeTopology(records: Iterable<PeerRecord>): Uint8Array {
  const stream = new GobEncoder();
  for (const record of records) {
    stream.write(peerSummary, {
      NameByte: peerNameBytes(record.name),
      NickName: record.nickname,
      UID: record.uid,
      Version: record.version,
      ShortID: record.shortId ?? 0,
      HasShortID: record.shortId !== undefined,
    });
    stream.write(connectionList, Array.from(record.links, toSummary));
  }
  return stream.bytes();
}

function toSummary([remote, link]: [PeerName, PeerLink]): GobValue<typeof connectionSummary> {
  return {
    NameByte: peerNameBytes(remote),
    RemoteTCPAddr: link.address,
    Outbound: link.outbound,
    Established: link.established,
  };
}

/**
 * Writes `records` into as many payloads as they need: a peer may spread its records over several
 * messages, and one message must fit a frame. No records, no payload.
 */
export function encodeTopologyPayloads(
  records: Iterable<PeerRecord>,
  targetBytes = payloadTargetBytes,
): Uint8Array[] {
  const payloads: Uint8Array[] = [];
  let batch: PeerRecord[] = [];
  let batchBytes = 0;
  for (const record of records) {
    const size = encodedSizeMax(record);
    if (batch.length > 0 && batchBytes + size > targetBytes) {
      payloads.push(encodeTopology(batch));
      batch = [];
      batchBytes = 0;
    }
    batch.push(record);
    batchBytes += size;
  }
  if (batch.length > 0) payloads.push(encodeTopology(batch));
  return payloads;
}

/** An upper bound: fixed fields of a summary take 48 octets, those of a link 20. */
function encodedSizeMax(record: PeerRecord): number {
  let size = 64 + 3 * record.nickname.length;
  for (const link of record.links.values()) size += 24 + 3 * link.address.length;
  return size;
}
