import { httpApiClient } from "./api-client.ts";
import type { Output, Surroundings } from "./context.ts";
import { isTerminalAt, processOutput } from "./process-output.ts";
import type { RouterProcess } from "./router-process.ts";
import { openProcessScreen } from "./terminal/process-screen.ts";

/** The surroundings of a real command: this process's streams, environment and signals. */
export function processSurroundings(router: RouterProcess): Surroundings {
  const environment = process.env;
  const stdout = processOutput(1, environment);
  return {
    environment,
    stdout,
    stderr: processOutput(2, environment),
    isRoot: process.geteuid?.() === 0,
    readStdin: () => Bun.stdin.text(),
    ...(isTerminalAt(0) &&
      stdout.isTerminal && { confirm: (question) => confirm(stdout, question) }),
    interrupts,
    ...(stdout.pass !== undefined && { openScreen: openProcessScreen }),
    api: httpApiClient(environment),
    router,
  };
}

async function confirm(stdout: Output, question: string): Promise<boolean> {
  stdout.write(`${question} [y/N] `);
  for await (const line of console) return /^y(es)?$/i.test(line.trim());
  return false;
}

function interrupts(): AbortSignal {
  const controller = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    // Every time, not once: an impatient second Ctrl-C must not cut the cleaning up short.
    process.on(signal, () => controller.abort());
  }
  return controller.signal;
}
