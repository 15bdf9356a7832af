import { httpApiClient } from "./api-client.ts";
import type { Output, Surroundings } from "./context.ts";
import { forTerminal } from "./for-terminal.ts";
import type { RouterProcess } from "./router-process.ts";

/** The surroundings of a real command: this process's streams, environment and signals. */
export function processSurroundings(router: RouterProcess): Surroundings {
  return {
    environment: process.env,
    stdout: outputOf(process.stdout),
    stderr: outputOf(process.stderr),
    isRoot: process.geteuid?.() === 0,
    readStdin: () => Bun.stdin.text(),
    ...(process.stdin.isTTY && process.stdout.isTTY && { confirm }),
    interrupts,
    api: httpApiClient(process.env),
    router,
  };
}

async function confirm(question: string): Promise<boolean> {
  process.stdout.write(`${question} [y/N] `);
  for await (const line of console) return /^y(es)?$/i.test(line.trim());
  return false;
}

function outputOf(stream: NodeJS.WriteStream): Output {
  // `weave report | head`: a reader that has seen enough is no failure.
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit();
    throw error;
  });
  return {
    write(text) {
      stream.write(stream.isTTY === true ? forTerminal(text) : text);
    },
    isTerminal: stream.isTTY === true,
    isColoured: showsColours(stream),
  };
}

/** By the conventions of no-color.org and of terminals that call themselves dumb. */
function showsColours(stream: NodeJS.WriteStream): boolean {
  const { NO_COLOR, TERM } = process.env;
  return stream.isTTY === true && !NO_COLOR && TERM !== "dumb";
}

function interrupts(): AbortSignal {
  const controller = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    // Every time, not once: an impatient second Ctrl-C must not cut the cleaning up short.
    process.on(signal, () => controller.abort());
  }
  return controller.signal;
}
