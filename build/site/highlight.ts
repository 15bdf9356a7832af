import { escapeHtml } from "./html.ts";

/**
 * Colours of code, made when the site is built: for each language a list of kinds with what they look
 * like, of which the first that fits at a place is taken. What fits none stays plain.
 */
type Grammar = ReadonlyArray<readonly [kind: string, pattern: RegExp]>;

const quoted = /"(?:[^"\\]|\\.)*"|'[^']*'/y;

const shell: Grammar = [
  ["comment", /(?<=^|\s)#.*/my],
  ["string", quoted],
  ["variable", /\$(?:\w+|\{[^}]*\})/y],
  ["option", /(?<=\s)--?[a-zA-Z][\w-]*/y],
  ["command", /(?<=^ *|[|&(] *|\$\()(?:[\w./-]+)(?=\s|$|\))/my],
];

const json: Grammar = [
  ["key", /"(?:[^"\\]|\\.)*"(?=\s*:)/y],
  ["string", /"(?:[^"\\]|\\.)*"/y],
  ["number", /-?\b\d[\d.eE+-]*\b|\b(?:true|false|null)\b/y],
];

const yaml: Grammar = [
  ["comment", /(?<=^|\s)#.*/my],
  ["key", /(?<=^[\s-]*|[{,]\s*)[\w./-]+(?=:(?:\s|$))/my],
  ["string", quoted],
  ["number", /(?<=[:\s])(?:\d+|true|false)(?=[\s,}\]]|$)/my],
];

const grammars: Readonly<Record<string, Grammar>> = { sh: shell, json, yaml };

/** Code as HTML. Languages that are not known have no colours. */
export function highlight(code: string, language: string): string {
  const grammar = grammars[language] ?? [];
  let html = "";
  let plain = "";
  const flush = (): void => {
    html += escapeHtml(plain);
    plain = "";
  };
  for (let at = 0; at < code.length; ) {
    const found = tokenAt(grammar, code, at);
    if (found === undefined) {
      plain += code[at++];
    } else {
      flush();
      html += `<span class="${found.kind}">${escapeHtml(found.text)}</span>`;
      at += found.text.length;
    }
  }
  flush();
  return html;
}

function tokenAt(
  grammar: Grammar,
  code: string,
  at: number,
): { kind: string; text: string } | undefined {
  for (const [kind, pattern] of grammar) {
    pattern.lastIndex = at;
    const text = pattern.exec(code)?.[0];
    if (text !== undefined && text !== "") return { kind, text };
  }
  return undefined;
}
