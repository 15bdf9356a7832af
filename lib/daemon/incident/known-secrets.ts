import type { KnownSecret } from "../../incident/secrets.ts";

/** Below, a part of a value is a word like any other. */
const partLengthMin = 7;

const secretName = /pass|secret|token|key|credential|auth(?!or)|cookie|headers/i;
/** What these name is a file, a place or a time, and no secret. */
const harmlessName = /(?:_FILE|File|_PATH|_DIR|SSH_AUTH_SOCK)$/;
/** Variables switch things on and off by these, which stand all over a document. */
const switchValue = /^(?:\d{1,3}|true|false|yes|no|on|off|none|null)$/i;

/**
 * What this process was told and nobody else must hear: by options and by its environment, of which
 * nothing is ever part of a bundle by itself, but a sentence of an error may quote it.
 */
export function knownSecrets(
  options: object,
  environment: Readonly<Record<string, string | undefined>>,
): KnownSecret[] {
  const variables = Object.entries(environment).filter(
    ([, value]) => !switchValue.test(value ?? ""),
  );
  const found = [...textsIn(options, ""), ...variables];
  return found.flatMap(([name, value]) => {
    if (!secretName.test(name) || harmlessName.test(name) || !value) return [];
    const what = /pass/i.test(name) ? "passwords" : "tokens";
    return [value, ...partsOf(value)].map((each) => ({ what, value: each }));
  });
}

/** `authorization=Bearer abcdef,x-key=…` is several secrets. */
function partsOf(value: string): string[] {
  const parts = value.split(/[\s,;]+/).map((part) => part.slice(part.indexOf("=") + 1));
  return parts.filter((part) => part.length >= partLengthMin && part !== value);
}

/** Every text in `value`, with the name of its member. */
function textsIn(value: unknown, name: string): [string, string][] {
  if (typeof value === "string") return [[name, value]];
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([member, inside]) =>
    textsIn(inside, Array.isArray(value) ? name : member),
  );
}
