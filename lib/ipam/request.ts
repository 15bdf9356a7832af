import type { Ipv4Cidr } from "../base/ip.ts";
import type { Pending } from "./pending.ts";

/** A caller that waits for a ring. */
export interface Prime {
  readonly kind: "prime";
  readonly pending: Pending<void>;
}

/** A caller that waits for any address of a subnet. */
export interface Allocation {
  readonly kind: "allocation";
  readonly ident: string;
  readonly subnet: Ipv4Cidr;
  readonly isContainer: boolean;
  readonly pending: Pending<Ipv4Cidr>;
}

/** Somebody that holds an address already and wants us to know. */
export interface Claim {
  readonly kind: "claim";
  readonly ident: string;
  readonly cidr: Ipv4Cidr;
  readonly isContainer: boolean;
  /** Answer success while it cannot be known whether the address is free, and go on trying. */
  readonly noErrorOnUnknown: boolean;
  /** Nobody waits for the answer to a claim of our own at start. */
  readonly pending: Pending<void> | undefined;
  /** Attempts that found no way to the owner. */
  failedTries: number;
  /** The tick in which the last of them was made: a storm of ring updates is one attempt. */
  lastTryTick: number;
}

export type Request = Prime | Allocation | Claim;

/** An ident that stands for whoever asks: each of its addresses is held under its own text. */
export const anonymousIdent = "_";

export function newClaim(
  request: Pick<Claim, "ident" | "cidr" | "isContainer" | "noErrorOnUnknown">,
  pending: Pending<void> | undefined,
): Claim {
  return { kind: "claim", ...request, pending, failedTries: 0, lastTryTick: -1 };
}
