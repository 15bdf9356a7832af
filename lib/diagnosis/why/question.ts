import type { Cidr, Ipv4 } from "../../base/ip.ts";
import type { Facts } from "../facts.ts";

/** What is asked, and what more has to be known for the answer than `weave doctor` looks at. */
export interface Question {
  readonly facts: Facts;
  readonly from: Word;
  /** Missing when one place is asked about. */
  readonly to: Word | undefined;
  /** Live names of all peers. */
  readonly names: readonly NameFact[];
  /** Which peer frames of which MAC address came from. */
  readonly macs: readonly MacFact[];
  /** The bridge's own table: behind which port a MAC address is. */
  readonly forwarding: readonly { readonly mac: string; readonly port: string }[];
  /** Addresses of the bridge, as `weave expose` gives them. */
  readonly exposed: readonly Cidr[];
  /** Who gives out which addresses; a range ends where the universe does, and goes on at its start. */
  readonly ranges: readonly {
    readonly first: Ipv4;
    readonly size: number;
    readonly peer: string;
  }[];
  /** What policies say of a ping; missing where they say nothing, or one place is asked about. */
  readonly policy?: PolicyVerdict | undefined;
}

/** A word of the user's, and the container that it means, where it means one. */
export interface Word {
  readonly text: string;
  readonly ident: string | undefined;
}

export interface PolicyVerdict {
  /** As policies call them. */
  readonly from: string;
  readonly to: string;
  readonly isAllowed: boolean;
  /** What decides at either end, a sentence each. */
  readonly egress: string;
  readonly ingress: string;
}

export interface NameFact {
  /** With final dot. */
  readonly hostname: string;
  readonly address: Ipv4;
  readonly containerId: string;
  /** The peer that registered it. */
  readonly origin: string;
}

export interface MacFact {
  readonly mac: string;
  readonly peer: string;
  readonly lastSeenMs: number;
}
