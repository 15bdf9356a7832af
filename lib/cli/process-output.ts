import { fstatSync, writeSync } from "node:fs";
import type { Output } from "./context.ts";
import { forTerminal } from "./for-terminal.ts";
import type { Environment } from "./parse.ts";
import { PassingLine } from "./passing-line.ts";
import type { ScreenSize } from "./terminal/screen.ts";

const passingLine = new PassingLine();

/**
 * Standard output or error of this process, written to at once: the stream objects of the runtime
 * take longer to make than most commands take for all they do.
 */
export function processOutput(descriptor: 1 | 2, { NO_COLOR, TERM }: Environment): Output {
  const isTerminal = isTerminalAt(descriptor);
  if (!isTerminal) return { write: (text) => writeAll(descriptor, text), isTerminal };
  const isDumb = TERM === "dumb";
  return {
    write(text) {
      passingLine.remove();
      writeAll(descriptor, forTerminal(text));
    },
    isTerminal,
    // By the conventions of no-color.org and of terminals that call themselves dumb.
    isColoured: !NO_COLOR && !isDumb,
    get columns() {
      return terminalSize(descriptor).columns;
    },
    ...(!isDumb && {
      pass: (line) => {
        const columns = terminalSize(descriptor).columns || usualColumns;
        passingLine.show(line, columns, (octets) => writeAll(descriptor, octets));
      },
    }),
  };
}

const usualColumns = 80;

/** As it is now: streams of the runtime remember what they were told last. 0 where it does not know. */
export function terminalSize(descriptor: number): ScreenSize {
  const { WriteStream } = process.getBuiltinModule("node:tty");
  const stream = new WriteStream(descriptor);
  const { columns, rows } = stream;
  // It has a descriptor of its own.
  stream.destroy();
  return { columns, rows };
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

/** @throws Error of the system, but for a reader that is gone: then the process ends */
export function writeAll(descriptor: number, text: string): void {
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
