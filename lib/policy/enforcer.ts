import type { Direction, TransportProtocol } from "./objects.ts";
import type { RuleSet, RuleSetChange } from "./rule-set.ts";

/**
 * A packet filter that does what a {@link RuleSet} says. The one contract between what computes
 * rules and what puts them into a kernel.
 *
 * At no moment is more let through than the rules before or those after allow.
 */
export interface PolicyEnforcer {
  /** As operators know it. */
  readonly name: "nftables" | "iptables";
  /** Puts a whole rule set in the place of whatever is there. @throws SystemError, WeaveError */
  replace(rules: RuleSet): void;
  /**
   * Goes from the rule set that is in place to `rules`.
   *
   * @throws SystemError, WeaveError; what is in place then is not known, and {@link replace} mends it
   */
  apply(change: RuleSetChange, rules: RuleSet): void;
  /** Whether somebody else has changed what was put there. Costs little while nobody has. */
  isSpoilt(): boolean;
  /** Lets everything through and leaves nothing behind. */
  remove(): void;
}

/** Traffic to groups (224.0.0.0/4, ff00::/8). */
export type MulticastPolicy =
  /** Passes, as the original lets it. */
  | "allow"
  /** Is dropped. */
  | "deny"
  /** Is judged by the egress rules of its sender, in which a block may name groups. */
  | "egress";

/** A packet that was dropped, as the kernel tells of it. Only some are told of when there are many. */
export interface BlockedPacket {
  readonly direction: Direction;
  /** Whose rule; `undefined` when it is known no more. */
  readonly origin: string | undefined;
  readonly protocol: TransportProtocol | "ICMP" | "other";
  readonly source: string;
  readonly destination: string;
  /** Of protocols that have ports. */
  readonly ports?: { readonly source: number; readonly destination: number };
}
