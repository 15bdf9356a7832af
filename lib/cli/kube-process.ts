import { WeaveError } from "../base/errors.ts";
import { agentSettings } from "../kubernetes/agent/agent-settings.ts";
import { kubeUtilsWords } from "./kube-utils.ts";
import { kubeWord } from "./kube-words.ts";
import { localRouter } from "./local-router.ts";
import type { Environment } from "./parse.ts";
import { processOutput } from "./process-output.ts";
import { processSurroundings } from "./process-surroundings.ts";
import { run } from "./run.ts";

/** The words of {@link runKube} for who called `kube-utils`. Go's exit code for a wrong option is 2. */
export async function runKubeUtils(
  words: readonly string[],
  environment: Environment,
): Promise<number> {
  try {
    return await runKube(kubeUtilsWords(words), environment);
  } catch (error) {
    if (!(error instanceof WeaveError)) throw error;
    processOutput(2, environment).write(`${error.message}\n${error.remedy}\n`);
    return 2;
  }
}

/** This process as what a pod runs: what it remembers is where the pod's environment says. */
export function runKube(words: readonly string[], given: Environment): Promise<number> {
  const environment = {
    ...given,
    WEAVE_STATE_DIR: agentSettings(given).stateDir,
    DOCKER_HOST: undefined,
  };
  return run([kubeWord, ...words], {
    ...processSurroundings(localRouter(environment)),
    environment,
  });
}
