import { weaveCommand } from "../hosts/lab.ts";
import { eventually, must } from "../hosts/shell.ts";

/** A command on a terminal of its own, of 80 columns and 24 rows: one of ours, or another program. */
export class TerminalSession implements AsyncDisposable {
  readonly child;
  seen = "";
  readonly #decoder = new TextDecoder();
  #more = Promise.withResolvers<void>();

  constructor(
    words: readonly string[],
    env: Readonly<Record<string, string>>,
    program = weaveCommand(),
  ) {
    this.child = Bun.spawn([...program, ...words], {
      env: { PATH: process.env.PATH, TERM: "xterm", LANG: "C.UTF-8", ...env },
      terminal: {
        ...{ cols: 80, rows: 24 },
        data: (_terminal, bytes) => {
          this.seen += this.#decoder.decode(bytes, { stream: true });
          this.#more.resolve();
          this.#more = Promise.withResolvers();
        },
      },
    });
  }

  type(text: string): void {
    this.child.terminal!.write(text);
  }

  /** Waits for a text among what is shown from some place on. */
  async shows(text: string, from = 0): Promise<void> {
    while (!this.seen.includes(text, from)) await this.#more.promise;
  }

  /** Waits until it is stopped, as the kernel has it. */
  async isStopped(): Promise<void> {
    await eventually(
      "a stopped process",
      () => must(["ps", "-o", "stat=", "-p", String(this.child.pid)]),
      (state) => state.startsWith("T"),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.child.kill("SIGKILL");
    await this.child.exited;
    this.child.terminal?.close();
  }
}
