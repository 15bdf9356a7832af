import { fstatSync, writeSync } from "node:fs";
import type { Output } from "./context.ts";
import { forTerminal } from "./for-terminal.ts";
import type { Environment } from "./parse.ts";

/**
 * Standard output or error of this process, written to at once: the stream objects of the runtime
 * take longer to make than most commands take for all they do.
 */
export function processOutput(descriptor: 1 | 2, { NO_COLOR, TERM }: Environment): Output {
  const isTerminal = isTerminalAt(descriptor);
  return {
    write: (text) => writeAll(descriptor, isTerminal ? forTerminal(text) : text),
    isTerminal,
    // By the conventions of no-color.org and of terminals that call themselves dumb.
    isColoured: isTerminal && !NO_COLOR && TERM !== "dumb",
  };
}

/** The kernel's number for /dev/null and its like. */
const memoryDevices = 1;

/** Whether people sit at the other end of a descriptor. */
export function isTerminalAt(descriptor: number): boolean {
  try {
    const status = fstatSync(descriptor);
    if (!status.isCharacterDevice() || status.rdev >> 8 === memoryDevices) return false;
  } catch {
    // Closed by whoever started us.
    return false;
  }
  return process.getBuiltinModule("node:tty").isatty(descriptor);
}

/** How long to wait for a reader whose pipe is full and does not block. */
const fullPipeMs = 1;

function writeAll(descriptor: number, text: string): void {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; ) {
    try {
      at += writeSync(descriptor, bytes, at);
    } catch (error) {
      const code = error instanceof Error && "code" in error ? error.code : undefined;
      // `weave report | head`: a reader that has seen enough is no failure.
      if (code === "EPIPE") process.exit();
      if (code !== "EAGAIN") throw error;
      Bun.sleepSync(fullPipeMs);
    }
  }
}
