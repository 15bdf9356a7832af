/**
 * Values that a text gives to names, of which the name says that they are secret:
 *
 *   --password hunter2   password: "hunter2"   ?token=hunter2   --tlskey=/root/key.pem   HOME='/root'
 *     └ name ┘ └ value ┘
 */

/** Names of what is secret. */
export const secretName =
  /pass(?:word|wd|phrase)|secret|token|api[-_]?key|access[-_]?key|private[-_]?key|session[-_]?key|credentials?|authorization|cookie/i;

const tlsOption = /^--?tls/i;
const variable = /^[A-Z][A-Z0-9_]{2,}$/;

const name = /[\w-]+/g;

/** What stands between name and value; `y`: right there. */
const [assigned, assignedAsOption, assignedAsVariable] = [
  /["']?\s*[=:]\s*/y,
  /["']?\s*[=:]\s*|\s+/y,
  /=/y,
];
/** In quotes, or a word; what was taken out already is none. */
const value = /(?!["']?\[[\w ]+ removed\])(?:"[^"\n]*"|'[^'\n]*'|["']?[^\s"'&;,)}\]]+)/y;

/**
 * `text` without them, in a time that grows with it and no faster.
 *
 * @param take what stands in place of a value, by what that is
 */
export function withoutAssigned(text: string, take: (what: string) => string): string {
  let kept = "";
  let at = 0;
  for (const { 0: word, index } of text.matchAll(name)) {
    const found = index < at ? undefined : secretOf(word);
    if (found === undefined) continue;
    const begin = endOf(found.gap, text, index + word.length);
    const end = begin && endOf(value, text, begin);
    if (end === undefined) continue;
    kept += text.slice(at, begin) + take(found.what);
    at = end;
  }
  return kept + text.slice(at);
}

function secretOf(word: string): { readonly what: string; readonly gap: RegExp } | undefined {
  if (tlsOption.test(word)) return { what: "TLS arguments", gap: assignedAsOption };
  if (secretName.test(word)) {
    return { what: "passwords", gap: word.startsWith("--") ? assignedAsOption : assigned };
  }
  return variable.test(word) ? { what: "environment values", gap: assignedAsVariable } : undefined;
}

/** Where what `pattern` finds at a place ends. */
function endOf(pattern: RegExp, text: string, place: number): number | undefined {
  pattern.lastIndex = place;
  return pattern.test(text) ? pattern.lastIndex : undefined;
}
