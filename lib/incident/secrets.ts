import { tryParseIp } from "../base/ip.ts";
import { secretName, withoutAssigned } from "./assigned-secrets.ts";
import { type Json, type JsonObject, mapJson, mapObject } from "./json.ts";

/** A text that must not leave the host, and what it is called where it stood. */
export interface KnownSecret {
  readonly what: string;
  readonly value: string;
}

export interface Cleaned {
  readonly value: JsonObject;
  /** What was taken out and how often. */
  readonly removed: ReadonlyMap<string, number>;
}

const labelsName = /^(?:labels|annotations|matchLabels)$/i;
const environmentName = /^(?:env|environ|environment|headers)$/i;

/**
 * Texts that are secrets wherever they stand: the first group stays, the rest is taken out. Each is
 * looked for in a time that grows with the text and no faster: names come from peers as well.
 */
const patterns: readonly (readonly [string, RegExp])[] = [
  ["keys and certificates", /()-----BEGIN [\w ]+-----[\s\S]*?(?:-----END [\w ]+-----|$)/g],
  ["tokens", /()(?<![\w-])eyJ[\w-]{8,}\.[\w-]+(?:\.[\w-]*)?/g],
  ["tokens", /(\b(?:Bearer|Basic)\s+)[\w.~+/=-]+/gi],
  ["passwords", /(:\/\/)(?!\[)[^\s/@"']+(?=@)/g],
];

/** Digits of a container's id that people use; the whole of one could as well be a key. */
const longId = /\b([0-9a-f]{12})[0-9a-f]{52}\b/g;

/** Below, a secret may be a part of other words. */
const wordLengthMax = 5;

/** `value` without secrets: those that are known, and what looks like one by its name or its form. */
export function withoutSecrets(whole: JsonObject, known: readonly KnownSecret[]): Cleaned {
  const removed = new Map<string, number>();
  const take = (what: string): string => {
    removed.set(what, (removed.get(what) ?? 0) + 1);
    return `[${what} removed]`;
  };
  const finders = known.filter(({ value }) => value !== "").map(finderOf);
  const text = (before: string): string => {
    let after = before;
    for (const { what, pattern } of finders) after = after.replace(pattern, () => take(what));
    for (const [what, pattern] of patterns) {
      after = after.replace(pattern, (_, lead: string) => lead + take(what));
    }
    return withoutAssigned(after, take).replace(longId, "$1");
  };
  const hide = (what: string, member: Json): Json =>
    mapJson(member, { text: (each) => (each === "" ? "" : take(what)) });
  const member = (name: string, inside: Json): Json | undefined => {
    if (labelsName.test(name)) return hide("labels", inside);
    if (environmentName.test(name)) return hide("environment values", inside);
    if (!secretName.test(name) || typeof inside !== "string" || isAddress(inside)) return undefined;
    return hide("passwords", inside);
  };
  return { value: mapObject(whole, { text, member }), removed };
}

/** Tokens of a ring are addresses. */
function isAddress(text: string): boolean {
  return tryParseIp(text) !== undefined;
}

function finderOf({ what, value }: KnownSecret): { what: string; pattern: RegExp } {
  const literal = RegExp.escape(value);
  const source =
    value.length > wordLengthMax ? literal : `(?<![\\p{L}\\p{N}_])${literal}(?![\\p{L}\\p{N}_])`;
  return { what, pattern: new RegExp(source, "gu") };
}
