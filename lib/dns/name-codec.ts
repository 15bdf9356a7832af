import { peerNameFromNumber } from "../base/peer-name.ts";
import { decodeGob, encodeGob, gob } from "../wire/gob.ts";
import { type Entry, foldTwins, inWireOrder, makeEntry } from "./entry.ts";

/**
 * The body of every message on channel `nameserver` (dns §3), a gob stream of its own:
 *
 *   GossipData │ Timestamp int   Unix seconds when the message was made
 *              │ Entries   slice of
 *              └─▶ Entry │ ContainerID string │ Origin uint │ Addr uint
 *                        │ Hostname string    │ Version int │ Tombstone int
 */
const entryType = gob.struct("Entry", {
  ContainerID: gob.string,
  Origin: gob.uint,
  Addr: gob.uintBits(32),
  Hostname: gob.string,
  Version: gob.int,
  Tombstone: gob.int,
});

const bodyType = gob.struct("GossipData", {
  Timestamp: gob.int,
  Entries: gob.slice(entryType, { name: "Entries" }),
});

export interface NameMessage {
  /** Unix seconds of the sender's clock. */
  readonly timestampS: number;
  readonly entries: readonly Entry[];
  /** Entries left out because no peer can have meant them; see {@link decodeNames}. */
  readonly refused: number;
}

/** Octets of entries in one message; a mesh message takes 10 MiB. */
const messageOctetsMax = 8 << 20;

/** Bound of an entry's octets beside its texts: numbers, field deltas and lengths. */
const entryOverheadMax = 64;

/** Characters of a hostname or container id; real ones have at most 255. */
export const entryTextMax = 1024;

/** A version that still can grow; nothing honest comes near. */
const versionMax = 2 ** 52;

/**
 * Messages that say `entries`, sorted as the original sends them. No message holds an identity
 * twice or under two letter cases, which would stop or flood an original peer.
 */
export function encodeNames(entries: Iterable<Entry>, timestampS: number): Uint8Array[] {
  const sorted = foldTwins(entries).sort(inWireOrder);
  const messages: Uint8Array[] = [];
  let octets = 0;
  let first = 0;
  for (const [index, entry] of sorted.entries()) {
    // Text of n UTF-16 units takes at most 3n octets.
    const size = entryOverheadMax + 3 * (entry.containerId.length + entry.hostname.length);
    if (octets + size > messageOctetsMax) {
      messages.push(encodeMessage(sorted.slice(first, index), timestampS));
      first = index;
      octets = 0;
    }
    octets += size;
  }
  messages.push(encodeMessage(first === 0 ? sorted : sorted.slice(first), timestampS));
  return messages;
}

function encodeMessage(entries: readonly Entry[], timestampS: number): Uint8Array {
  return encodeGob(bodyType, {
    Timestamp: timestampS,
    Entries: entries.map((entry) => ({
      ContainerID: entry.containerId,
      Origin: entry.origin,
      Addr: entry.address,
      Hostname: entry.hostname,
      Version: entry.version,
      Tombstone: entry.tombstone,
    })),
  });
}

/**
 * Reads one message. Single entries are refused, and counted, when their origin has more than 48
 * bits, their text is not UTF-8 (it could not be passed on unchanged) or longer than
 * {@link entryTextMax}, or their version leaves no room to grow.
 *
 * @throws GobError when the message as a whole cannot be read
 */
export function decodeNames(payload: Uint8Array): NameMessage {
  const body = decodeGob(bodyType, payload);
  const entries = body.Entries.filter(isPlausible).map((entry) =>
    makeEntry({
      containerId: entry.ContainerID,
      origin: peerNameFromNumber(entry.Origin),
      address: entry.Addr,
      hostname: entry.Hostname,
      version: entry.Version,
      tombstone: entry.Tombstone,
    }),
  );
  return { timestampS: body.Timestamp, entries, refused: body.Entries.length - entries.length };
}

function isPlausible(entry: { Origin: number; Version: number } & Record<TextField, string>) {
  return (
    entry.Origin < 2 ** 48 &&
    Math.abs(entry.Version) < versionMax &&
    isPlausibleText(entry.Hostname) &&
    isPlausibleText(entry.ContainerID)
  );
}

type TextField = "Hostname" | "ContainerID";

function isPlausibleText(text: string): boolean {
  return text.length <= entryTextMax && !text.includes("\ufffd");
}
