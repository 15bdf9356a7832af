import { pathMtuMin } from "../path-mtu.ts";

/**
 * How large packets may be that take the tunnel to one neighbour. Larger ones take sleeve, which
 * divides them or tells their senders, so a figure that is too low costs speed and never a packet.
 *
 *   FixedMtu        what containers have. A path that does not carry it is not used at all
 *   CompatibleMtu   to a peer that cannot be asked: what the original has, or less if it says so
 *   DiscoveredMtu   what the path carries, found by asking (discovered-mtu.ts)
 */
export interface LinkMtu {
  /** Largest packet for the tunnel, octets; `undefined` for any that a container may send. */
  readonly limit: number | undefined;
  /** False while the limit is a mere precaution: what held on the same path before is better. */
  readonly isFound: boolean;
  /** MTU by which full heartbeats are as long as the longest frame. */
  readonly heartbeat: number;
  /** Largest packet that the peer can deliver, as far as it lets us know. */
  readonly peerTakes: number | undefined;
  /** A full heartbeat of the peer came, sent at this MTU. */
  heard(mtu: number): void;
  /** The peer says that a heartbeat of ours that asks got through. */
  answered(mtu: number): void;
  /** Whether heartbeats pass in both directions; first when the peer acknowledges ours. */
  works(yes: boolean): void;
  stop(): void;
}

/**
 * MTU of the original, and of our containers where nothing else is asked for: fits every common
 * cloud (1460) less VXLAN and ESP (fastdp §3.2).
 */
export const compatibleMtu = 1376;

/** Outer IPv4, UDP, VXLAN and the inner Ethernet header. */
const vxlanBytes = 20 + 8 + 8 + 14;
/** ESP header, IV, trailer and ICV of AES-GCM (RFC 4106), where the packet needs no padding. */
const espBytes = 8 + 8 + 2 + 16;

/** Octets that an MTU of the underlay loses to the tunnel. */
export function tunnelOverhead(encrypted: boolean): number {
  return encrypted ? vxlanBytes + espBytes : vxlanBytes;
}

/** The largest packet in a tunnel over an underlay of this MTU. */
export function mtuWithin(underlayMtu: number, encrypted: boolean): number {
  const mtu = underlayMtu - tunnelOverhead(encrypted);
  // The cipher's trailer ends at a multiple of four octets (RFC 4303 §2.4).
  return encrypted ? mtu - (underlayMtu % 4) : mtu;
}

export class FixedMtu implements LinkMtu {
  readonly limit = undefined;
  readonly isFound = true;
  readonly heartbeat: number;
  readonly peerTakes = undefined;

  constructor(own: number) {
    this.heartbeat = own;
  }

  heard(): void {}
  answered(): void {}
  works(): void {}
  stop(): void {}
}

/** The peer's heartbeats are as long as the longest frame that its datapath takes. */
export class CompatibleMtu implements LinkMtu {
  readonly isFound = true;
  readonly heartbeat: number;
  readonly #changed: () => void;
  #peerTakes = compatibleMtu;

  constructor(own: number, changed: () => void) {
    this.heartbeat = Math.min(own, compatibleMtu);
    this.#changed = changed;
  }

  get limit(): number {
    return Math.min(this.heartbeat, this.#peerTakes);
  }

  get peerTakes(): number {
    return this.#peerTakes;
  }

  heard(mtu: number): void {
    const takes = Math.max(mtu, pathMtuMin);
    if (takes === this.#peerTakes) return;
    this.#peerTakes = takes;
    this.#changed();
  }

  answered(): void {}
  works(): void {}
  stop(): void {}
}
