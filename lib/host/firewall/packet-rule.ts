import type { Cidr, IpFamily } from "../../base/ip.ts";

/**
 * Packet filter rules as the router declares them, whatever program or kernel interface puts them in
 * place.
 */
export interface PacketChain {
  /** Of the packets that meet it. */
  readonly family: IpFamily;
  /** Where packets meet it: to this host, through it, or on their way out. */
  readonly at: "input" | "forward" | "postrouting";
  readonly rules: readonly PacketRule[];
}

/** A packet has to meet every condition; one that is not given is met by all. */
export interface PacketRule {
  /** The link by which it came. */
  readonly from?: Unless<string>;
  /** The link by which it leaves. */
  readonly to?: Unless<string>;
  readonly source?: Unless<Cidr>;
  readonly destination?: Unless<Cidr>;
  /** Where it goes to at its destination. */
  readonly port?: { readonly protocol: "tcp" | "udp"; readonly number: number };
  /** Of a connection that is known already, or belonging to one. */
  readonly known?: true;
  /** `leave` goes back to where the chain was entered. */
  readonly verdict: "accept" | "drop" | "leave" | "masquerade";
  /** Why, for whoever lists the rules. */
  readonly comment?: string;
}

/** Something that a packet is to have, or is not to have. */
export type Unless<T> = { readonly is: T } | { readonly isNot: T };

/** One way of putting rules of one family in place. It acts on the thread's network namespace. */
export interface FirewallBackend {
  /** As an operator knows it. */
  readonly name: string;
  /**
   * Puts these rules in the place of all that were there of ours. False when that changed nothing.
   *
   * @throws WeaveError, SystemError
   */
  apply(chains: readonly PacketChain[]): boolean;
  /**
   * Puts back what somebody has changed since {@link apply}; says whether anything was. To be called
   * again and again: it costs next to nothing while nobody changes any rule.
   *
   * @param generation see {@link rulesGeneration}; `undefined` where there is none
   * @throws WeaveError, SystemError
   */
  mend(generation: number | undefined): boolean;
}
