import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

/** Stands for the program: offers values as a router would, and tells how else it is called. */
const program = `#!/bin/sh
case "$1 $2" in
"complete-values container") printf '%s\\n' netns:blue netns:green ;;
"complete-values peer") echo 10.0.0.2:6783 ;;
"complete-values peer-id") printf '%s\\n' host-one host-two 'evil$(touch evil); touch evil' ;;
"complete-values fqdn") echo web.weave.local ;;
"complete-values place") printf '%s\\n' netns:blue host-one ;;
*) printf 'called:%s\\n' "$*" ;;
esac
`;

const prompt = "ready> ";
const completions = resolve("completions");

/** How each shell starts with our completions and nothing else of its user's. */
const shells = {
  bash: {
    words: (folder: string) => ["bash", "--rcfile", join(folder, "rc"), "-i"],
    settings: `PS1='${prompt}'; . ${completions}/weave.bash`,
  },
  zsh: {
    words: () => ["zsh", "-i"],
    settings: `PS1='${prompt}'; fpath=(${completions} $fpath); autoload -Uz compinit; compinit -D -u`,
  },
  fish: {
    words: (folder: string) => [
      "fish",
      "--no-config",
      "--init-command",
      `source ${folder}/rc`,
      "-i",
    ],
    settings: `source ${completions}/weave.fish; function fish_prompt; echo -n '${prompt}'; end`,
  },
} as const;

export type ShellName = keyof typeof shells;
export const shellNames = Object.keys(shells) as ShellName[];

/** A shell on a terminal of its own, in which keys are pressed. */
export class TypedShell implements AsyncDisposable {
  readonly #folder = mkdtempSync(join(tmpdir(), "weave-typed-"));
  readonly #child: Bun.Subprocess;
  #seen = "";
  #look: () => void = () => {};

  constructor(name: ShellName) {
    const { words, settings } = shells[name];
    const bin = join(this.#folder, "bin");
    mkdirSync(bin);
    writeFileSync(join(bin, "weave"), program);
    chmodSync(join(bin, "weave"), 0o755);
    for (const file of ["rc", ".zshrc"]) writeFileSync(join(this.#folder, file), `${settings}\n`);
    const decoder = new TextDecoder();
    // Made by the spawn, the terminal is the one that controls the shell.
    this.#child = Bun.spawn(words(this.#folder), {
      terminal: {
        cols: 120,
        rows: 40,
        data: (_terminal, bytes) => {
          this.#seen += decoder.decode(bytes, { stream: true });
          this.#look();
        },
      },
      cwd: this.#folder,
      env: {
        PATH: `${bin}:${process.env.PATH}`,
        HOME: this.#folder,
        ZDOTDIR: this.#folder,
        TERM: "xterm",
        LC_ALL: "C",
      },
    });
  }

  /** Types a line, with tabs, and gives the words with which it calls the program. */
  async calls(line: string): Promise<string> {
    await this.#shows(/ready> \s*$/);
    this.#seen = "";
    this.#child.terminal?.write(`${line}\r`);
    const called = await this.#shows(/called:([^\r\n]*)\r?\n/);
    return called[1]!.trimEnd();
  }

  /** Whether a file was made where the shell runs. */
  hasMade(file: string): boolean {
    return existsSync(join(this.#folder, file));
  }

  #shows(pattern: RegExp): Promise<RegExpExecArray> {
    return new Promise((found) => {
      this.#look = () => {
        const match = pattern.exec(Bun.stripANSI(this.#seen));
        if (match !== null) found(match);
      };
      this.#look();
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#child.exited;
    this.#child.terminal?.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
