import type { Difference } from "../../api/link-ends.ts";
import type { PictureContainer } from "../../api/picture-models.ts";
import type { MissingHost } from "../live/missing-hosts.ts";

/** The network as a graph, in the order in which it is drawn. */
export interface NetworkMap {
  /** Those that reach each other; this host's first, then by size. */
  readonly islands: readonly Island[];
  /** Hosts that own addresses and that nobody hears of. */
  readonly missing: readonly MissingHost[];
  /** What is not as it should be, a sentence each. */
  readonly problems: readonly string[];
  readonly isEncrypted: boolean;
}

export interface Island {
  /** This host first, then by nickname. */
  readonly hosts: readonly MapHost[];
  readonly links: readonly MapLink[];
}

export interface MapHost {
  /** A peer name. */
  readonly name: string;
  readonly nickname: string;
  readonly isSelf: boolean;
  /** Whether frames from here find a way there. */
  readonly isReached: boolean;
  /** The nickname of the neighbour that passes them on; undefined for neighbours and this host. */
  readonly via: string | undefined;
  readonly containers: readonly PictureContainer[];
}

export interface MapLink {
  /** Peer names. */
  readonly from: string;
  readonly to: string;
  /** `established`, `one-sided` where one end alone says so, or what this host says of its own. */
  readonly state: string;
  /** As its ends say; empty and undefined where neither has told of it, as are the following. */
  readonly overlay: string;
  readonly isEncrypted: boolean | undefined;
  readonly roundTripMs: number | undefined;
  readonly mtu: number | undefined;
  /** What its ends say otherwise than each other. */
  readonly differences: readonly Difference[];
}
