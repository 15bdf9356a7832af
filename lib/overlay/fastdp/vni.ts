/**
 * The VXLAN network identifier does not name a network: it says whose frame it is and whom it is
 * for (fastdp §2.2). A relay leaves both alone; in a flood the destination is the next hop.
 *
 *   23         12 11          0
 *   │ destination │ originator │
 */
/** 0–4095; names a peer. */
export type ShortId = number;

const shortIdBits = 12;
const shortIdMask = (1 << shortIdBits) - 1;

export function makeVni(originator: ShortId, destination: ShortId): number {
  return (destination << shortIdBits) | originator;
}

/** Also of whatever has a VNI in its low 24 bits. */
export function vniOriginator(vni: number): ShortId {
  return vni & shortIdMask;
}

/** Also of whatever has a VNI in its low 24 bits. */
export function vniDestination(vni: number): ShortId {
  return (vni >>> shortIdBits) & shortIdMask;
}
