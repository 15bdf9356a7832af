import { agentSettings } from "../kubernetes/agent/agent-settings.ts";
import { localRouter } from "./local-router.ts";
import type { Environment } from "./parse.ts";
import { processSurroundings } from "./process-surroundings.ts";
import { run } from "./run.ts";

/** This process as what a pod runs: what it remembers is where the pod's environment says. */
export function runInPod(words: readonly string[], given: Environment): Promise<number> {
  const environment = {
    ...given,
    WEAVE_STATE_DIR: agentSettings(given).stateDir,
    DOCKER_HOST: undefined,
  };
  return run(words, { ...processSurroundings(localRouter(environment)), environment });
}
