/**
 * Where programs find what they work on. Throughout a program r6 is the frame's `struct __sk_buff`,
 * r9 its processor's counters, and the stack holds
 *
 *   -8   destination MAC, as a key      -84  VNI                  -100  longest of its segments
 *   -16  source MAC, as a key           -88  outer source         -112  the tree of a flood
 *   -64  tunnel key (44)                -92  own short id         -116  uplink
 *   -72  index into an array            -96  time in ticks        -120  handover
 *   -80  a new entry of `macs`           -104  device at which it came in
 *                                        -124  a neighbour and        -128  the device of a copy
 *                                                                     -132  slot of the next hop
 */
export const stack = {
  destination: -8,
  source: -16,
  tunnelKey: -64,
  index: -72,
  macEntry: -80,
  vni: -84,
  outerSource: -88,
  self: -92,
  now: -96,
  length: -100,
  arrivedBy: -104,
  tree: -112,
  uplink: -116,
  handover: -120,
  hop: -124,
  device: -128,
  slot: -132,
} as const;

/** `struct __sk_buff` (linux/bpf.h). */
export const frame = {
  length: 0,
  mark: 8,
  device: 40,
  data: 76,
  dataEnd: 80,
  /** How many segments a super-frame has; 0 for any other frame. */
  segments: 164,
  /** Octets of payload in each segment of a super-frame; 0 for any other frame. */
  segment: 176,
} as const;

/** `struct bpf_tunnel_key`. VNI and IPv4 addresses are in the machine's byte order. */
export const tunnelKey = {
  vni: 0,
  remote: 4,
  timeToLive: 21,
  local: 28,
  bytes: 44,
} as const;
