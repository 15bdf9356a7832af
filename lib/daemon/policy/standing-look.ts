import { WeaveError } from "../../base/errors.ts";
import type { HostIp } from "../../base/ip.ts";
import { pause } from "../../base/pause.ts";
import type { World } from "../../base/world.ts";
import { openingVerdict } from "../../policy/opening-verdict.ts";
import type { RuleSet } from "../../policy/rule-set.ts";
import { type FlowLook, fateOf, type StandingFlow } from "../../policy/standing-flow.ts";

/** So long flows are looked at before others have a turn. */
const turnMs = 5;

/** Flows that one look looks at; a kernel of the usual size keeps track of a quarter of it. */
export const flowsMax = 1_048_576;

/** By what flows are judged. */
export interface FlowJudge {
  /** Those in place, which may change under way; `undefined`: none, and everything may go on. */
  readonly rules: RuleSet | undefined;
  /** Whether rules are asked about traffic to groups. */
  readonly judgesGroups: boolean;
}

/** What came of a look. */
export interface Looked {
  /** That were cut, the first {@link keptMax} of them. */
  readonly flows: StandingFlow[];
  /** All that were, without those that were over anyway. */
  cut: number;
  /** How long it kept the processor. */
  tookMs: number;
}

/** Flows that are kept to be named. */
export const keptMax = 5;

/**
 * Looks through flows to the end, and cuts them or lets them go on as rules have it.
 *
 * @param looked what came of it, also when it fails under way
 * @throws WeaveError `POLICY_FLOWS` when there are too many; SystemError
 */
export async function lookThrough(
  world: Pick<World, "after" | "monotonicMs">,
  look: FlowLook,
  judge: FlowJudge,
  looked: Looked,
  signal: AbortSignal,
): Promise<void> {
  let seen = 0;
  for (let isOver = false; !isOver; ) {
    const beganMs = world.monotonicMs();
    let turnedMs = 0;
    while (!isOver && turnedMs < turnMs && seen <= flowsMax) {
      const part = look.next();
      isOver = part === undefined;
      seen += part?.length ?? 0;
      for (const flow of part ?? []) settle(look, flow, judge, looked);
      turnedMs = world.monotonicMs() - beganMs;
    }
    looked.tookMs += turnedMs;
    if (seen > flowsMax) throw tooMany();
    if (!isOver) await pause(world, 0, signal);
    if (signal.aborted) return;
  }
}

/** Flows that are let go on while everything else waits. */
const releasedMax = 4096;

/**
 * Lets those of a look go on that rules allow, all in one go, as many as there is time for.
 *
 * @throws SystemError, WeaveError
 */
export function releaseAllowed(look: FlowLook, judge: FlowJudge): void {
  let seen = 0;
  for (let part = look.next(); part !== undefined && seen < releasedMax; part = look.next()) {
    seen += part.length;
    for (const flow of part) {
      if (judged(look, flow, judge) === "release") look.setCut(flow, false);
    }
  }
}

function settle(look: FlowLook, flow: StandingFlow, judge: FlowJudge, looked: Looked): void {
  const fate = judged(look, flow, judge);
  if (fate === "stay" || !look.setCut(flow, fate === "cut")) return;
  if (fate === "release" || flow.isOver) return;
  looked.cut++;
  if (looked.flows.length < keptMax) looked.flows.push(flow);
}

function judged(look: FlowLook, flow: StandingFlow, { rules, judgesGroups }: FlowJudge) {
  const place = { judgesGroups, isOwn: (address: HostIp) => look.isOwn(address) };
  return fateOf(
    flow,
    (opening) => (rules === undefined ? "allowed" : openingVerdict(rules, opening, place)),
    () => look.announcer(flow),
  );
}

function tooMany(): WeaveError {
  return new WeaveError(
    "POLICY_FLOWS",
    `the kernel keeps track of more than ${flowsMax} connections, and not all were looked at`,
    { remedy: "lower net.netfilter.nf_conntrack_max" },
  );
}
