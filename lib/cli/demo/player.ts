import { errorText, WeaveError } from "../../base/errors.ts";
import { selfCommand } from "../../daemon/process.ts";
import type { Output } from "../context.ts";
import { inNamespace } from "./stage.ts";

/** Runs this program on the stage and shows what it does. */

export class Interrupted extends WeaveError {
  constructor() {
    super("DEMO_INTERRUPTED", "interrupted");
  }
}

/** Who runs a command: its name for the prompt, its namespace, its environment. */
export interface Role {
  readonly name: string;
  readonly namespace: string;
  readonly environment?: Readonly<Record<string, string>>;
}

export class Player {
  readonly #output: Output;
  readonly #signal: AbortSignal;

  constructor(output: Output, signal: AbortSignal) {
    this.#output = output;
    this.#signal = signal;
  }

  say(text = ""): void {
    this.#output.write(`${text}\n`);
  }

  /**
   * Shows and runs `weave <words>`, shows its output indented and returns it.
   *
   * @throws WeaveError `DEMO_COMMAND` with the command's own words when it fails; Interrupted
   */
  async weave(role: Role, words: readonly string[]): Promise<string> {
    this.say(`  ${role.name}# weave ${words.join(" ")}`);
    return this.perform(role, words);
  }

  /** Like {@link weave}, for a command that people do not type. */
  async perform(role: Role, words: readonly string[]): Promise<string> {
    const child = this.#spawn(role, words, "pipe");
    const kill = (): void => child.kill("SIGKILL");
    this.#signal.addEventListener("abort", kill, { once: true });
    try {
      const [stdout, stderr, code] = await Promise.all([
        this.#show(child.stdout),
        new Response(child.stderr).text(),
        child.exited,
      ]);
      if (this.#signal.aborted) throw new Interrupted();
      if (code !== 0) {
        throw new WeaveError(
          "DEMO_COMMAND",
          `${role.name}: 'weave ${words[0]}' failed with ${code}`,
          {
            remedy: stderr.trim(),
          },
        );
      }
      return stdout;
    } finally {
      this.#signal.removeEventListener("abort", kill);
    }
  }

  /** Starts a command that stays, and waits for its first line. */
  async serve(role: Role, words: readonly string[]): Promise<void> {
    const child = this.#spawn(role, words, "ignore");
    const reader = child.stdout.getReader();
    await reader.read();
    // From here on it is on its own: neither its output nor its end concerns this process.
    await reader.cancel();
    child.unref();
  }

  /** Starts this program in the role's namespace, in a session of its own. */
  #spawn<Stderr extends "pipe" | "ignore">(role: Role, words: readonly string[], stderr: Stderr) {
    if (this.#signal.aborted) throw new Interrupted();
    const environment = Object.fromEntries(
      Object.entries(process.env).filter(([name]) => !name.startsWith("WEAVE_")),
    );
    return inNamespace(role.namespace, () =>
      Bun.spawn([...selfCommand(), ...words], {
        stdin: "ignore",
        stdout: "pipe",
        stderr,
        env: { ...environment, ...role.environment },
        // A Ctrl-C at the terminal is for the demonstration, which then ends everything in order.
        detached: true,
      }),
    );
  }

  async #show(stream: ReadableStream<Uint8Array>): Promise<string> {
    const decoder = new TextDecoder();
    let text = "";
    let shown = 0;
    for await (const chunk of stream) {
      text += decoder.decode(chunk, { stream: true });
      for (let end = text.indexOf("\n", shown); end >= 0; end = text.indexOf("\n", shown)) {
        this.say(`  ${text.slice(shown, end)}`.trimEnd());
        shown = end + 1;
      }
    }
    if (shown < text.length) this.say(`  ${text.slice(shown)}`);
    return text;
  }

  /**
   * Asks `question` until it has an answer.
   *
   * @throws WeaveError `DEMO_TIMEOUT` naming `what`; Interrupted
   */
  async until<Answer>(
    what: string,
    waitMs: number,
    question: () => Promise<Answer | undefined>,
  ): Promise<Answer> {
    const deadline = performance.now() + waitMs;
    let last: unknown;
    while (performance.now() < deadline) {
      if (this.#signal.aborted) throw new Interrupted();
      try {
        const answer = await question();
        if (answer !== undefined) return answer;
      } catch (error) {
        last = error;
      }
      await Bun.sleep(pollMs);
    }
    throw new WeaveError("DEMO_TIMEOUT", `${what} did not happen within ${waitMs / 1000} s`, {
      ...(last === undefined ? {} : { remedy: errorText(last) }),
    });
  }
}

const pollMs = 50;
