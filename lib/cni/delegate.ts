import { accessSync, constants, statSync } from "node:fs";
import { join } from "node:path";
import { CniError, cniCode } from "./cni-error.ts";
import type { CniCommand } from "./cni-input.ts";
import { type CniResult, readResult } from "./cni-result.ts";

/** As long as runtimes wait for plugins. */
const delegateWaitMs = 90_000;
const outputBytesMax = 1 << 20;

type Environment = Readonly<Record<string, string | undefined>>;

/** Another plugin of addresses, which gets what we got. */
export interface Delegate {
  /** @throws CniError its own, or code 102 when it does not work as a plugin */
  add(environment?: Environment): Promise<CniResult>;
  /** DEL, CHECK, GC and STATUS answer nothing. @throws CniError */
  call(command: Exclude<CniCommand, "ADD" | "VERSION">, environment?: Environment): Promise<void>;
}

/**
 * Finds a plugin in the folders of CNI_PATH.
 *
 * @param stdin the configuration, as it came
 * @throws CniError invalid configuration when there is none of that name
 */
export function findDelegate(
  type: string,
  folders: readonly string[],
  stdin: string,
  environment: Environment,
): Delegate {
  const program = programOf(type, folders);
  const run = async (command: string, more: Environment = {}): Promise<string> =>
    runPlugin(program, stdin, { ...environment, ...more, CNI_COMMAND: command });
  return {
    async add(more) {
      return readResult(parseOutput(type, await run("ADD", more)));
    },
    async call(command, more) {
      await run(command, more);
    },
  };
}

function programOf(type: string, folders: readonly string[]): string {
  if (/^[^/\0]+$/.test(type) && type !== "." && type !== "..") {
    const found = folders.map((folder) => join(folder, type)).find(isExecutable);
    if (found !== undefined) return found;
  }
  throw new CniError(
    cniCode.invalidConfig,
    `there is no plugin "${type}" for addresses`,
    `looked in ${folders.join(", ") || "no folder: CNI_PATH is not set"}`,
  );
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** Gives its stdout. @throws CniError */
async function runPlugin(program: string, stdin: string, env: Environment): Promise<string> {
  const child = Bun.spawn([program], {
    stdin: Buffer.from(stdin),
    stdout: "pipe",
    stderr: "inherit",
    env: { ...env },
    timeout: delegateWaitMs,
    killSignal: "SIGKILL",
    maxBuffer: outputBytesMax,
  });
  const output = await new Response(child.stdout).text();
  const code = await child.exited;
  if (code === 0) return output;
  throw failureOf(program, code, output);
}

/** What the plugin says of itself, as our own error. */
function failureOf(program: string, exit: number, output: string): CniError {
  const general = `the plugin ${program} failed with exit code ${exit}`;
  try {
    const said: unknown = JSON.parse(output);
    if (typeof said === "object" && said !== null && "msg" in said && "code" in said) {
      const details = "details" in said && said.details ? `: ${said.details}` : "";
      return new CniError(
        Number(said.code) || cniCode.delegate,
        String(said.msg),
        general + details,
      );
    }
  } catch {
    // Not even an error of the specification.
  }
  return new CniError(cniCode.delegate, general, output.slice(0, 1024).trim());
}

function parseOutput(type: string, output: string): unknown {
  try {
    return JSON.parse(output);
  } catch (cause) {
    throw new CniError(
      cniCode.delegate,
      `the plugin "${type}" has answered with something that is no JSON`,
      String(cause),
    );
  }
}
