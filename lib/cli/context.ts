import type { ApiClient } from "./api-client.ts";
import type { CommandSpec } from "./command-spec.ts";
import type { FlagValues } from "./flag-values.ts";
import type { Environment } from "./parse.ts";
import type { RouterProcess } from "./router-process.ts";
import type { OpenScreen } from "./terminal/screen.ts";

/** Where text goes: a stream of the process, or a list of strings in tests. */
export interface Output {
  write(text: string): void;
  /** Whether people look at it. */
  readonly isTerminal?: boolean;
  /** Whether they do, on a screen that shows colours. */
  readonly isColoured?: boolean;
  /** Of the screen at which they look. */
  readonly columns?: number;
  /**
   * Shows one line that is gone when another one follows, or anything else is written, or nothing is
   * given. Absent where lines stay that were written.
   */
  readonly pass?: (line?: string) => void;
}

/** What the program gets from the machine; tests inject all of it. */
export interface Surroundings {
  readonly environment: Environment;
  readonly stdout: Output;
  readonly stderr: Output;
  readonly isRoot: boolean;
  /** The whole of stdin as text, for `--password-file -`. */
  readStdin(): Promise<string>;
  /** Asks a person to say yes; absent where nobody sits at the terminal. */
  readonly confirm?: (question: string) => Promise<boolean>;
  /** From the first call on SIGINT and SIGTERM abort this signal instead of ending the process. */
  interrupts(): AbortSignal;
  /** Absent where there is no terminal that can be drawn on. */
  readonly openScreen?: OpenScreen;
  readonly api: ApiClient;
  readonly router: RouterProcess;
}

export interface CommandContext extends Surroundings {
  readonly command: CommandSpec;
  readonly arguments: readonly string[];
  readonly flags: FlagValues;
}

/** A command: its exit code is the result, everything else goes through the context. */
export type CommandHandler = (context: CommandContext) => Promise<number>;
