import type { HostIp } from "../base/ip.ts";
import type { Opening, OpeningVerdict } from "./opening-verdict.ts";

/**
 * A connection that has begun, as the machine's kernel keeps track of it; a _flow_ of datagrams or of
 * pings is one as well.
 *
 *   goes on ◀──────────── let through when it began
 *     │ the rules would not let it begin any more          ▲ they would again
 *     ▼                                                    │
 *   cut: its packets are dropped, those of both directions ┘     until the kernel forgets it
 */
export interface StandingFlow {
  /** How it began. */
  readonly opening: Opening;
  /** How it may have begun as well, where the kernel has seen it from its middle on alone. */
  readonly otherWay?: Opening;
  /** Of IP, for whoever shows it. */
  readonly protocol: number;
  readonly isCut: boolean;
  /** Its ends have said goodbye: what may still come of it is nothing to tell of. */
  readonly isOver: boolean;
  /** Another one has announced it, as FTP does for data. */
  readonly isAnnounced: boolean;
}

/** Where flows are kept. It acts on the thread's network namespace. */
export interface FlowTable<Flow extends StandingFlow = StandingFlow> {
  /** @param which `cut`: those alone, which costs little @throws SystemError */
  look(which: "all" | "cut"): FlowLook<Flow>;
}

/** One look through all flows, part by part; what comes and goes meanwhile may be missed. */
export interface FlowLook<Flow extends StandingFlow = StandingFlow> extends Disposable {
  /** Whether an address is the machine's. */
  isOwn(address: HostIp): boolean;
  /** The next part, which may be empty; `undefined` behind the last. @throws SystemError, WeaveError */
  next(): readonly Flow[] | undefined;
  /** How the flow began that announced this one; `undefined` when that is gone. @throws SystemError */
  announcer(flow: Flow): Opening | undefined;
  /** False when there is no such flow any more. @throws SystemError */
  setCut(flow: Flow, isCut: boolean): boolean;
}

/** What is to become of a flow: what is neither cut nor let go on again stays as it is. */
export type Fate = "cut" | "release" | "stay";

/**
 * A flow that another one has announced may do what that one may: no rule is asked when it begins.
 *
 * @param announcer called when it matters
 */
export function fateOf(
  { opening, otherWay, isCut, isAnnounced }: StandingFlow,
  verdictOf: (opening: Opening) => OpeningVerdict,
  announcer: () => Opening | undefined,
): Fate {
  let verdict = verdictOf(opening);
  if (verdict === "denied" && otherWay !== undefined) verdict = verdictOf(otherWay);
  if (verdict === "denied" && isAnnounced) {
    const by = announcer();
    if (by !== undefined) verdict = verdictOf(by);
  }
  switch (verdict) {
    case "allowed":
      return isCut ? "release" : "stay";
    case "denied":
      return isCut ? "stay" : "cut";
    case "held":
      return "stay";
  }
}
