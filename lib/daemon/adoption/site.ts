import { errorCode, WeaveError } from "../../base/errors.ts";
import type { Caller } from "../../base/network-event.ts";
import type { Paths } from "../paths.ts";
import { runningRouter } from "../pid-file.ts";
import { type AdoptionOutcome, adoptHost } from "./adopt.ts";
import { examineOldRouter } from "./examine.ts";
import type { AdoptionFacts, OldRouter, ProgramEngine } from "./facts.ts";
import { findOldRouter } from "./find-old-router.ts";
import type { AdoptionPlan } from "./plan.ts";
import type { OldSettings } from "./settings.ts";

/** A host that can be taken over. */
export interface AdoptionSite {
  readonly router: OldRouter;
  /** Looks at all that there is to be taken over. */
  examine(settings: OldSettings): Promise<AdoptionFacts>;
  /** Does it; `say` hears what is being done, and `signal` has it taken back. */
  adopt(
    plan: AdoptionPlan,
    say: (sentence: string) => void,
    signal: AbortSignal,
  ): Promise<AdoptionOutcome>;
}

/**
 * Finds what there is to be adopted on this host.
 *
 * @param engine asked only if it answers
 * @param by who asks
 * @throws WeaveError `ALREADY_RUNNING`, `ADOPT_NOTHING`, `ADOPT_SEVERAL`, `ADOPT_ENGINE`
 */
export async function openAdoption(
  engine: ProgramEngine,
  paths: Paths,
  by?: Caller,
): Promise<AdoptionSite> {
  if (runningRouter(paths.pidFile) ?? runningRouter(paths.keeperFile)) {
    throw new WeaveError("ALREADY_RUNNING", "a router of this kind runs here already");
  }
  const answering = (await answers(engine)) ? engine : undefined;
  const router = await findOldRouter(answering);
  return {
    router,
    examine: (settings) => examineOldRouter(router, settings, answering, paths),
    adopt: (plan, say, signal) => adoptHost(plan, { engine: answering, paths, by, say, signal }),
  };
}

async function answers(engine: ProgramEngine): Promise<boolean> {
  try {
    await engine.running();
    return true;
  } catch (error) {
    if (errorCode(error) === "ENGINE_UNREACHABLE") return false;
    throw error;
  }
}
