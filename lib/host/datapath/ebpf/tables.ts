import { type MapShape, mapType } from "../../../../ffi/bpf/maps.ts";

/**
 * The tables that the programs and this process share. Numbers are in the machine's byte order; IPv4
 * addresses as numbers.
 *
 *   settings    one       | self: 4 | uplink: 4 | handover: 4 | layout: 4 |
 *   neighbours  short id  | present: 4 | remote: 4 | local: 4 | device: 4 | lane: 4 | longest: 4 | … |
 *   routes      short id  | kind: 2 | neighbour: 2 | floods: 2 | 0: 2 |
 *   trees       short id  | neighbour: 2 | … as many as the route of the originator says in `floods`
 *   sources     address   | slot: 4 |        outer sources that frames are taken from
 *   macs        MAC, 0: 2 | owner: 4 | seen: 4 |                    learned, least recent go first
 *   residents   MAC, 0: 2 | 1: 4 |           of containers here
 *   counters    one       | 8 each, for every processor
 *   traffic     slot      | frames out: 8 | octets out: 8 | frames in: 8 | octets in: 8 |  likewise
 *
 * `self` is {@link noSelf} until it is known. `uplink` is the device through which the bridge and
 * the tunnel meet, `handover` our end of the pair to sleeve. A neighbour's `device` is the VXLAN
 * device of its port, its `lane`, when not 0, the device whose frames go to it alone, and `longest`,
 * when not 0, the octets of the longest frame that takes either. Its `slot` is where in `traffic` its
 * frames count; 0 is that of all who have none of their own. That of a source is its neighbour's, if
 * there is one alone.
 */
export const shortIds = 4096;
export const noSelf = 0xffff_ffff;

export const settings = {
  self: 0,
  uplink: 4,
  handover: 8,
  layout: 12,
  layoutVersion: 3,
  bytes: 16,
} as const;
export const neighbour = {
  present: 0,
  remote: 4,
  local: 8,
  device: 12,
  lane: 16,
  longest: 20,
  /** When the last heartbeat came of it, and the last frame, in ticks; 0 for never. */
  beatHeard: 24,
  frameHeard: 28,
  /** Counts the ticks in which frames came. */
  activity: 32,
  slot: 36,
  bytes: 40,
} as const;
export const traffic = {
  sent: { frames: 0, octets: 8 },
  received: { frames: 16, octets: 24 },
  bytes: 32,
} as const;
/** A table with a row for every processor is not to be large; the first row is nobody's. */
export const trafficSlots = 512;
export const route = { kind: 0, neighbour: 2, floods: 4, bytes: 8 } as const;
export const routeKind = { none: 0, tunnel: 1, sleeve: 2 } as const;
export const mac = { owner: 0, seen: 4, bytes: 8 } as const;

/** A flood goes to so many neighbours at most: each copy costs time in which nothing else is done. */
export const floodMax = 128;

/** Of the times in `macs`: nanoseconds of the monotonic clock, shifted right by this. */
export const tickShift = 20;
export const tickMs = 2 ** tickShift / 1e6;
/** An entry may seem to be so much younger than nothing: another processor has a later time. */
export const aheadTicksMax = 64;

/** What is counted, by its place in the row of counters. */
export const counterNames = [
  "sentFrames",
  "sentBytes",
  "receivedFrames",
  "receivedBytes",
  "relayedFrames",
  "floodedFrames",
  "handedOverFrames",
  "handedInFrames",
  "heartbeatsSent",
  "heartbeatsHeard",
  "malformed",
  "spanningTree",
  "macConflict",
  "destinationLocal",
  "noRoute",
  "unknownSource",
  "unknownPeer",
  "wouldReturn",
  "unmarked",
  "notReady",
  "encapsulation",
] as const;
export type CounterName = (typeof counterNames)[number];

const counterBytes = 8;
export const counterSlots = 32;

export function counterAt(name: CounterName): number {
  return counterNames.indexOf(name) * counterBytes;
}

const u32Bytes = 4;
const macKeyBytes = 8;

export const tables = {
  settings: { type: mapType.array, keyBytes: u32Bytes, valueBytes: settings.bytes, entriesMax: 1 },
  neighbours: {
    type: mapType.array,
    keyBytes: u32Bytes,
    valueBytes: neighbour.bytes,
    entriesMax: shortIds,
  },
  routes: {
    type: mapType.array,
    keyBytes: u32Bytes,
    valueBytes: route.bytes,
    entriesMax: shortIds,
  },
  trees: {
    type: mapType.array,
    keyBytes: u32Bytes,
    valueBytes: 2 * floodMax,
    entriesMax: shortIds,
  },
  sources: { type: mapType.hash, keyBytes: u32Bytes, valueBytes: u32Bytes, entriesMax: shortIds },
  macs: { type: mapType.lruHash, keyBytes: macKeyBytes, valueBytes: mac.bytes, entriesMax: 65_536 },
  residents: {
    type: mapType.hash,
    keyBytes: macKeyBytes,
    valueBytes: u32Bytes,
    entriesMax: 16_384,
  },
  counters: {
    type: mapType.perCpuArray,
    keyBytes: u32Bytes,
    valueBytes: counterSlots * counterBytes,
    entriesMax: 1,
  },
  traffic: {
    type: mapType.perCpuArray,
    keyBytes: u32Bytes,
    valueBytes: traffic.bytes,
    entriesMax: trafficSlots,
  },
} as const satisfies Readonly<Record<string, MapShape>>;
export type TableName = keyof typeof tables;
export const tableNames = Object.keys(tables) as readonly TableName[];
