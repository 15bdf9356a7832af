import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Machine } from "../../lib/docker/wait-helper/elf.ts";
import { type WaitsFor, waitHelper } from "../../lib/docker/wait-helper/program.ts";
import type { Patience } from "../../lib/docker/wait-helper/wait-for-interface.ts";
import type { Lab } from "./lab.ts";
import { eventually, must } from "./shell.ts";

/** This machine's own processor. */
export const ownMachine: Machine = process.arch === "arm64" ? "arm64" : "x86-64";

/**
 * A root in which there is nothing but the wait helper, no library, no /proc, no shell, and a command:
 * another wait helper, of this machine's processor, which says that it was given none.
 */
export interface BareRoot {
  /** Runs the helper in it, for a command. */
  words(variant: WaitsFor): string[];
}

/** What the command in a bare root says. */
export const commandText = "No command specified\n";

/**
 * @param emulator of the helper's processor, as one static file; missing for this machine's own
 * @param patience default: a message at once, and no other
 */
export function bareRoot(
  folder: string,
  machine: Machine,
  emulator?: string,
  patience: Patience = { firstWordAfterS: 0, nextWordAfterS: 600 },
): BareRoot {
  mkdirSync(join(folder, "w"), { recursive: true });
  for (const variant of ["route", "interface", "nothing"] as const) {
    const path = join(folder, "w", variant);
    writeFileSync(path, waitHelper(machine, variant, patience), { mode: 0o555 });
  }
  writeFileSync(join(folder, "command"), waitHelper(ownMachine, "nothing"), { mode: 0o555 });
  if (emulator !== undefined) {
    writeFileSync(join(folder, "emulator"), readFileSync(emulator), { mode: 0o555 });
  }
  const emulated = emulator === undefined ? [] : ["/emulator"];
  return {
    words: (variant) => ["chroot", folder, ...emulated, `/w/${variant}`, "/command"],
  };
}

/** A helper that waits in a network namespace for its interface. */
export class WaitingHelper {
  readonly #process: Bun.Subprocess<"ignore", "ignore", "pipe">;
  readonly #pid: number;
  readonly #namespace: string;
  /** What it has said on standard error so far. */
  said = "";
  readonly #read: Promise<void>;

  private constructor(
    process: Bun.Subprocess<"ignore", "ignore", "pipe">,
    pid: number,
    namespace: string,
  ) {
    this.#process = process;
    this.#pid = pid;
    this.#namespace = namespace;
    this.#read = this.#readAll();
  }

  static async start(
    lab: Lab,
    suffix: string,
    root: BareRoot,
    variant: WaitsFor,
  ): Promise<WaitingHelper> {
    const namespace = await lab.namespace(suffix);
    const entered = ["nsenter", `--net=/run/netns/${namespace}`];
    // The first process of a namespace is spared from signals that it does not handle.
    const first = ["unshare", "--pid", "--fork", "--kill-child"];
    const process = Bun.spawn([...entered, ...first, ...root.words(variant)], {
      ...{ stdin: "ignore", stdout: "ignore", stderr: "pipe" },
    });
    const pid = await eventually(
      "the wait helper runs",
      async () => Number((await must(["pgrep", "-P", `${process.pid}`]).catch(() => "")).trim()),
      (pid) => pid > 0,
    );
    return new WaitingHelper(process, pid, namespace);
  }

  async #readAll(): Promise<void> {
    const decoder = new TextDecoder();
    for await (const chunk of this.#process.stderr) {
      this.said += decoder.decode(chunk, { stream: true });
    }
  }

  ip(...words: string[]): Promise<string> {
    return must(["ip", "-n", this.#namespace, ...words]);
  }

  /** Several commands of `ip`, a line each. */
  async batch(lines: string): Promise<void> {
    await must(["ip", "-n", this.#namespace, "-batch", "-"], { stdin: lines });
  }

  /** Resolves when it has looked again, at least once wholly after this was called. */
  async looksAgain(): Promise<void> {
    const before = this.#rests();
    await eventually(
      "the wait helper looks again",
      async () => {
        await must(["true"]);
        return this.#rests();
      },
      (now) => now >= before + 3,
    );
  }

  signal(signal: NodeJS.Signals): void {
    process.kill(this.#pid, signal);
  }

  /** Resolves with its exit code once it has said all. */
  async ended(): Promise<number> {
    await this.#read;
    return this.#process.exited;
  }

  /** How often it has given up the processor of its own will; fails when it has ended. */
  #rests(): number {
    const status = readFileSync(`/proc/${this.#pid}/status`, "utf8");
    return Number(/^voluntary_ctxt_switches:\s+(\d+)/m.exec(status)?.[1]);
  }
}
