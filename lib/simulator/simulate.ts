import { errorText } from "../base/errors.ts";
import type { Fence } from "../ipam/reclaim-lease.ts";
import { Faults } from "./faults.ts";
import type { Breach, Happening } from "./happening.ts";
import { History } from "./history.ts";
import { Machines } from "./machines.ts";
import { describe, isFault, type Plan, peersOf, type Step } from "./plan.ts";
import { carryOutRequest } from "./requests.ts";
import { Settling } from "./settling.ts";

/** How a history went. */
export interface Outcome {
  readonly plan: Plan;
  /** The first invariant that did not hold; absent when all held. */
  readonly breach: Breach | undefined;
  readonly happenings: readonly Happening[];
  /** Virtual time from the first start to the last stop. */
  readonly virtualMs: number;
  /** Pieces that TCP carried, and their octets. */
  readonly traffic: { readonly writes: number; readonly bytes: number };
}

/** Peers start within this time. */
const launchMs = 3_000;

/**
 * Carries out `plan`. `observe` hears of everything as it happens; `fence` is what allocators ask
 * before they use their ranges, and their leases when it is absent.
 */
export async function simulate(
  plan: Plan,
  observe: (happening: Happening) => void = () => {},
  fence?: Fence,
): Promise<Outcome> {
  const history = new History(plan.seed, plan.shape, observe, fence);
  const machines = new Machines(history);
  const faults = new Faults(history, machines);
  await launch(history, machines, plan.seed);
  for (const step of plan.steps) {
    await history.advance(launchMs + step.atMs);
    if (history.breach !== undefined) break;
    try {
      carryOut(step, history, faults);
    } catch (error) {
      history.break("nothing fails inside", errorText(error), peersOf(step));
    }
  }
  await history.advance(launchMs + plan.durationMs);
  await new Settling(history, machines, faults).run();
  return {
    plan,
    breach: history.breach,
    happenings: history.happenings,
    virtualMs: history.nowMs,
    traffic: history.cluster.network.traffic(),
  };
}

/** One after the other, in an order and at times that follow from the seed. */
async function launch(history: History, machines: Machines, seed: number): Promise<void> {
  const { peers } = history.shape;
  const gapMs = launchMs / (peers + 1);
  for (let index = 0; index < peers; index++) {
    await history.advance(gapMs * index);
    machines.start(1 + ((index + seed) % peers));
  }
  history.note(`${peers} peers are started`, "▲", []);
}

function carryOut(step: Step, history: History, faults: Faults): void {
  if (isFault(step)) {
    faults.carryOut(step);
  } else if (carryOutRequest(history, step)) {
    history.note(describe(step), "+", peersOf(step));
  }
}
