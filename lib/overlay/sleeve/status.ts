import type { PeerName } from "../../base/peer-name.ts";
import type { LinkState, SleeveLink } from "./link.ts";
import type { SleeveCipher } from "./link-seal.ts";
import type { UdpEndpoint } from "./ports.ts";

/** What `status` and `report` show of a sleeve link. Plain data. */
export interface SleeveLinkStatus {
  readonly link: number;
  readonly remote: PeerName;
  readonly state: LinkState;
  /** `undefined` when frames travel in clear. */
  readonly cipher: SleeveCipher | undefined;
  /** Where datagrams are sent; `undefined` until the peer is heard. */
  readonly endpoint: UdpEndpoint | undefined;
  /** Inner packets up to this size are sent unfragmented. */
  readonly mtu: number;
  readonly searchingMtu: boolean;
  /** No test of the path was answered, not even for small packets. */
  readonly pathSilent: boolean;
  readonly stackFragments: boolean;
  /** When the peer's last heartbeat came, in monotonic milliseconds. */
  readonly heardMs: number | undefined;
}

export function statusOf(link: SleeveLink): SleeveLinkStatus {
  const { path } = link;
  return {
    link: link.id,
    remote: link.remote,
    state: link.state,
    cipher: link.cipher,
    endpoint: link.endpoint,
    mtu: path.mtu,
    searchingMtu: path.searching,
    pathSilent: path.silent,
    stackFragments: path.stackFragments,
    heardMs: link.heardMs,
  };
}
