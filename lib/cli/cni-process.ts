import { readSync } from "node:fs";
import { configBytesMax } from "../cni/cni-config.ts";
import type { PluginName } from "../cni/plugin-name.ts";
import { removeAlone } from "../cni/remove-alone.ts";
import { runPlugin } from "../cni/run-plugin.ts";
import { pathsFrom } from "../daemon/paths.ts";
import { httpApiClient } from "./api-client.ts";
import { cniRouter } from "./cni-router.ts";
import type { Environment } from "./parse.ts";
import { processOutput } from "./process-output.ts";

/** This process as a plugin of CNI: the call is on stdin and in the environment. */
export async function runCniProcess(plugin: PluginName, environment: Environment): Promise<number> {
  const stderr = processOutput(2, environment);
  const warn = (sentence: string): void => stderr.write(`${plugin}: ${sentence}\n`);
  const { output, exitCode } = await runPlugin(plugin, {
    environment,
    stdin: environment.CNI_COMMAND === undefined ? "" : stdinText(),
    router: cniRouter(httpApiClient(environment, "cni")),
    removeAlone: (target, { frees }) =>
      removeAlone(pathsFrom(environment), target, { frees, warn }),
    warn,
  });
  if (output !== undefined) processOutput(1, environment).write(`${JSON.stringify(output)}\n`);
  return exitCode;
}

/** All of stdin; of one that is too long only so much that it is no JSON any more. */
function stdinText(): string {
  const chunks: Uint8Array[] = [];
  let size = 0;
  while (size <= configBytesMax) {
    const chunk = new Uint8Array(1 << 16);
    const bytes = readSome(chunk);
    if (bytes === 0) break;
    chunks.push(chunk.subarray(0, bytes));
    size += bytes;
  }
  return size > configBytesMax ? "" : Buffer.concat(chunks).toString("utf8");
}

const emptyPipeMs = 1;

/** The stream objects of the runtime take longer to make than the call for all it does. */
function readSome(chunk: Uint8Array): number {
  for (;;) {
    try {
      return readSync(0, chunk);
    } catch (error) {
      const code = error instanceof Error && "code" in error ? error.code : undefined;
      if (code === "EOF") return 0;
      if (code !== "EAGAIN") throw error;
      Bun.sleepSync(emptyPipeMs);
    }
  }
}
