import type { Ipv4 } from "../../base/ip.ts";
import type { PeerName } from "../../base/peer-name.ts";
import type { Beliefs } from "../beliefs.ts";

/** How it is with a cable; a pair for the way that is cut. */
export type Cable = "whole" | "both" | readonly [number, number];

/** A message on its way, as it is drawn. */
export interface Flight {
  readonly from: number;
  readonly to: number;
  readonly channel: string;
  readonly kind: string;
  readonly bytes: number;
  readonly departMs: number;
  readonly arriveMs: number;
  /** Something is cut there: it gets as far as that. */
  readonly isLost: boolean;
}

export interface PlaygroundContainer {
  readonly name: string;
  /** Missing while it waits for one. */
  readonly address: Ipv4 | undefined;
}

export interface PlaygroundHost {
  readonly number: number;
  readonly peer: PeerName;
  readonly isRunning: boolean;
  readonly containers: readonly PlaygroundContainer[];
  /** What it answers for. */
  readonly names: readonly { readonly name: string; readonly address: string }[];
}

/** All that there is to see. */
export interface PlaygroundView {
  readonly nowMs: number;
  readonly hosts: readonly PlaygroundHost[];
  readonly beliefs: Beliefs;
  readonly cables: readonly {
    readonly a: number;
    readonly b: number;
    readonly cable: Cable;
    /** Both ends have a link over it. */
    readonly carries: boolean;
  }[];
  readonly flights: readonly Flight[];
  /** Oldest first. */
  readonly log: readonly { readonly atMs: number; readonly text: string }[];
  /** Addresses that two containers have; none, whatever is cut. */
  readonly addressesTwice: readonly string[];
}
