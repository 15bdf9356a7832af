/**
 * Shell commands of a Markdown page, and how a page says where they are run. None of it is seen by a
 * reader of the rendered page:
 *
 *   ```sh host1 host2            typed on host1, then on host2, by a test
 *   weave expose
 *   ```
 *
 *   ```sh host1 docker           the same, on hosts that have Docker
 *   docker run …
 *   ```
 *
 *   ```output                    what the block before it prints, see shown-output.ts
 *   10.32.0.1
 *   ```
 *
 *   ```console host1             both in one: what is typed stands behind a prompt
 *   $ weave expose
 *   10.32.0.1
 *   ```
 *
 *   <!-- run: host1              typed as well, but not shown: what the page takes for granted
 *   ip netns add c1
 *   -->
 *
 *   <!-- not run: needs a registry -->
 *   ```sh                        shown alone, and why
 *   docker push …
 *   ```
 *
 *   <!-- not run on this page: needs a cluster -->      for all that are not marked otherwise
 */
export interface ShellBlock {
  /** The heading it stands under, without its marks. */
  readonly section: string;
  /** Line of the page on which its commands begin, from 1. */
  readonly line: number;
  /** Where it is typed; none for a block that is not run. */
  readonly hosts: readonly string[];
  /** What those need besides `weave`. */
  readonly needs: readonly string[];
  /** Why it is not run, where the page says so. */
  readonly reason: string | undefined;
  /** Whether a reader sees it. */
  readonly isShown: boolean;
  readonly script: string;
  /** What it prints, where the page shows that. */
  readonly output: string | undefined;
}

type Draft = { -readonly [Key in keyof ShellBlock]: ShellBlock[Key] };

/** Info strings of fences that hold shell commands, whatever the pages agree on. */
const shellLanguages = new Set(["sh", "shell", "bash"]);

/**
 * The shell blocks of a page in their order.
 *
 * @throws Error for a fence or comment without an end, and for an output that nothing prints
 */
export function shellBlocks(markdown: string): ShellBlock[] {
  const lines = markdown.split("\n");
  const blocks: Draft[] = [];
  let section = "";
  const ofPage = /^<!-- not run on this page: (.+) -->$/m.exec(markdown)?.[1];
  let reason: string | undefined;
  for (let at = 0; at < lines.length; at++) {
    const text = lines[at]!;
    const begin = beginningOf(text);
    if (begin === undefined) {
      section = /^#{1,6} +(.*)$/.exec(text)?.[1] ?? section;
      if (text.trim() !== "") reason = /^\s*<!-- not run: (.+) -->$/.exec(text)?.[1];
      continue;
    }
    const end = lines.indexOf(begin.end, at + 1);
    if (end < 0) throw new Error(`line ${at + 1}: ${text} has no end`);
    const script = lines
      .slice(at + 1, end)
      .map((line) => line.slice(begin.indent))
      .join("\n");
    const hosts = begin.words.filter((word) => word.startsWith("host"));
    const needs = begin.words.filter((word) => !hosts.includes(word));
    const part = { section, line: at + 2, hosts, needs, script: `${script}\n` };
    const why = reason ?? (hosts.length === 0 ? ofPage : undefined);
    if (begin.kind === "shell" || begin.kind === "hidden") {
      const isShown = begin.kind === "shell";
      blocks.push({ ...part, isShown, reason: why, output: undefined });
    } else if (begin.kind === "transcript") {
      blocks.push({ ...part, isShown: true, reason: why, ...transcript(script) });
    } else if (begin.kind === "output") {
      const printer = blocks.at(-1);
      if (printer === undefined || printer.hosts.length === 0 || printer.output !== undefined) {
        throw new Error(`line ${at + 1}: nothing that is run prints this output`);
      }
      printer.output = script;
    }
    reason = undefined;
    at = end;
  }
  return blocks;
}

interface Beginning {
  readonly kind: "shell" | "hidden" | "transcript" | "output" | "other";
  /** What stands behind the language. */
  readonly words: readonly string[];
  /** How many blanks stand before it, as in a list. */
  readonly indent: number;
  /** The line that ends it. */
  readonly end: string;
}

function beginningOf(text: string): Beginning | undefined {
  const hidden = /^(\s*)<!-- run: (.+)$/.exec(text);
  if (hidden !== null) {
    const [, space, words] = hidden as unknown as [string, string, string];
    return { kind: "hidden", words: words.split(" "), indent: space.length, end: `${space}-->` };
  }
  const fence = /^(\s*)(`{3,}|~{3,})(.*)$/.exec(text);
  if (fence === null) return undefined;
  const [, space, mark, info] = fence as unknown as [string, string, string, string];
  const [language = "", ...words] = info.trim().split(/\s+/);
  const part = { words, indent: space.length, end: space + mark };
  if (language === "output") return { kind: "output", ...part };
  if (language === "console") return { kind: "transcript", ...part };
  return { kind: shellLanguages.has(language) ? "shell" : "other", ...part };
}

/** Answers without a line end get one, so that those of several commands stand apart. */
function transcript(text: string): { script: string; output: string } {
  const lines = text.split("\n");
  const typed = lines.filter((line) => line.startsWith("$ "));
  const printed = lines.filter((line) => !line.startsWith("$ "));
  return {
    script: typed.map((line) => `${line.slice(2)}; echo\n`).join(""),
    output: printed.join("\n"),
  };
}

/**
 * Lines of code whose block does not say what it is, and that look like commands of a shell, as
 * `line: text`. Those with arrows are drawings, and `weave` is also what pictures of screens begin with.
 */
export function unmarkedCommands(markdown: string): string[] {
  const command =
    /^\s*(?:\$ |sudo |\.\/[\w.-]+|(?:docker|kubectl|helm|curl|ip|nft|bun|apt-get|systemctl|eval)\s|weave [a-z-]+(?:\s|$))(?!.*▶)/;
  const found: string[] = [];
  /** What stands behind the mark of the block that the line is in. */
  let info: string | undefined;
  for (const [at, text] of markdown.split("\n").entries()) {
    const mark = /^\s*(?:`{3,}|~{3,})(.*)$/.exec(text)?.[1];
    if (mark !== undefined) info = info === undefined ? mark : undefined;
    else if (
      info === undefined
        ? /^ {4}/.test(text) && command.test(text)
        : info === "" && command.test(text)
    ) {
      found.push(`${at + 1}: ${text.trim()}`);
    }
  }
  return found;
}
