import { forTerminal } from "../for-terminal.ts";
import { isTerminalAt, terminalSize, writeAll } from "../process-output.ts";
import { KeyReader } from "./keys.ts";
import type { Screen, ScreenSize, ScreenUser } from "./screen.ts";

/**
 * The terminal of this process, for one program that fills it.
 *
 *   open ─▶ taken ─ suspend, SIGTSTP ─▶ given back, stopped ─ SIGCONT ─▶ taken ─ dispose, exit ─▶ given back
 */

/** DEC private modes: alternate screen, no cursor, no line that goes on in the next row. */
const take = "\u001b[?1049h\u001b[?25l\u001b[?7l\u001b[2J";
const giveBack = "\u001b[?7h\u001b[?25h\u001b[?1049l";
/** Synchronized output: the terminal shows a frame at once or not yet. Others ignore it. */
const [frameBegins, frameEnds] = ["\u001b[?2026h", "\u001b[?2026l"];

/** What follows an Escape within this time belongs to it: terminals send sequences at once. */
const sequenceMs = 30;

const [input, output] = [0, 1];
const usualSize: ScreenSize = { columns: 80, rows: 24 };

export function openProcessScreen(user: ScreenUser): Screen {
  return new ProcessScreen(user);
}

class ProcessScreen implements Screen {
  readonly #user: ScreenUser;
  readonly #keys = new KeyReader();
  readonly #hasKeys = isTerminalAt(input);
  #settling: ReturnType<typeof setTimeout> | undefined;
  #isTaken = false;
  #size = usualSize;
  /** What the terminal shows, from the top. */
  #shown: readonly string[] = [];

  constructor(user: ScreenUser) {
    this.#user = user;
    process.on("SIGWINCH", this.#resized);
    process.on("SIGTSTP", this.#suspend);
    process.on("SIGCONT", this.#resumed);
    // Whatever ends the process, but for signals that nobody hears.
    process.on("exit", this.#leave);
    if (this.#hasKeys) process.stdin.on("data", this.#heard);
    this.#enter();
  }

  get size(): ScreenSize {
    return this.#size;
  }

  show(lines: readonly string[]): void {
    if (!this.#isTaken) return;
    const changed = lines.flatMap((line, row) =>
      // Erased first: after its last column the cursor still stands there.
      line === this.#shown[row] ? [] : [`\u001b[${row + 1};1H\u001b[K${forTerminal(line)}`],
    );
    const rest = lines.length < this.#shown.length ? `\u001b[${lines.length + 1};1H\u001b[J` : "";
    this.#shown = lines;
    if (changed.length === 0 && rest === "") return;
    writeAll(output, frameBegins + changed.join("") + rest + frameEnds);
  }

  suspend(): void {
    this.#leave();
    // Not SIGTSTP, which is heard here. Shells tell of both in the same words.
    process.kill(process.pid, "SIGSTOP");
  }

  [Symbol.dispose](): void {
    this.#leave();
    clearTimeout(this.#settling);
    process.off("SIGWINCH", this.#resized);
    process.off("SIGTSTP", this.#suspend);
    process.off("SIGCONT", this.#resumed);
    process.off("exit", this.#leave);
    if (this.#hasKeys) process.stdin.off("data", this.#heard).pause();
  }

  readonly #suspend = (): void => this.suspend();

  readonly #resumed = (): void => {
    this.#leave();
    this.#enter();
    this.#user.resized();
  };

  readonly #resized = (): void => {
    if (!this.#isTaken) return;
    this.#shown = [];
    this.#size = sizeOfScreen();
    writeAll(output, "\u001b[2J");
    this.#user.resized();
  };

  #enter(): void {
    this.#isTaken = true;
    this.#shown = [];
    // Who is stopped is not told of another size.
    this.#size = sizeOfScreen();
    if (this.#hasKeys) process.stdin.setRawMode(true).resume();
    writeAll(output, take);
  }

  readonly #leave = (): void => {
    if (!this.#isTaken) return;
    this.#isTaken = false;
    try {
      writeAll(output, giveBack);
      if (this.#hasKeys) process.stdin.setRawMode(false);
    } catch {
      // The terminal is gone: there is nothing to give back.
    }
  };

  readonly #heard = (octets: Uint8Array): void => {
    clearTimeout(this.#settling);
    for (const key of this.#keys.push(octets)) this.#user.pressed(key);
    if (!this.#keys.isWaiting) return;
    this.#settling = setTimeout(() => {
      for (const key of this.#keys.settle()) this.#user.pressed(key);
    }, sequenceMs);
  };
}

/** Serial lines do not know. */
function sizeOfScreen(): ScreenSize {
  const { columns, rows } = terminalSize(output);
  return { columns: columns || usualSize.columns, rows: rows || usualSize.rows };
}
