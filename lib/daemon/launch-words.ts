import { splitHostPort } from "../base/endpoint.ts";
import { errorText, WeaveError } from "../base/errors.ts";

/** What was asked for on the command line, by the long names of the flags. */
export interface LaunchWords {
  readonly peers: readonly string[];
  enabled(flag: string): boolean;
  text(flag: string): string | undefined;
  /** All values of a flag that may be repeated; missing where none can be given. */
  list?(flag: string): readonly string[];
}

/** Values that do not go together. */
export function conflict(message: string, options: { remedy?: string } = {}): WeaveError {
  return new WeaveError("LAUNCH_CONFLICT", message, options);
}

/** Names the flag when its value does not parse. */
export function parsed<T>(flag: string, text: string, parse: (text: string) => T): T {
  try {
    return parse(text);
  } catch (cause) {
    throw new WeaveError(
      "LAUNCH_FLAG",
      `invalid value "${text}" for flag --${flag}: ${errorText(cause)}`,
      cause instanceof WeaveError && cause.remedy !== undefined
        ? { remedy: cause.remedy, cause }
        : { cause },
    );
  }
}

/** `otherwise` for a flag that is missing or empty. */
export function integer(
  words: LaunchWords,
  flag: string,
  otherwise: number,
  minimum: number,
  maximum: number,
): number {
  const text = words.text(flag);
  if (text === undefined || text === "") return otherwise;
  const value = /^[+-]?\d+$/.test(text) ? Number(text) : Number.NaN;
  if (value >= minimum && value <= maximum) return value;
  throw new WeaveError(
    "LAUNCH_FLAG",
    `invalid value "${text}" for flag --${flag}: not a whole number from ${minimum} to ${maximum}`,
  );
}

/** `ip:port`, `:port`, `/path` or empty. */
export function listenAddress(words: LaunchWords, flag: string, otherwise: string): string {
  const text = words.text(flag) ?? otherwise;
  if (text === "" || text.startsWith("/")) return text;
  const address = text.startsWith(":") ? `0.0.0.0${text}` : text;
  const parts = splitHostPort(address);
  if (parts?.port === undefined) {
    throw new WeaveError("LAUNCH_FLAG", `invalid value "${text}" for flag --${flag}`, {
      remedy: "write ip:port, or the path of a unix socket",
    });
  }
  return address;
}

/** Linux takes 15 octets, no blank and no slash (IFNAMSIZ). */
export function linkName(words: LaunchWords, flag: string, otherwise: string): string {
  const name = words.text(flag) || otherwise;
  if (!/^[^\s/]{1,15}$/.test(name) || name === "." || name === "..") {
    throw new WeaveError("LAUNCH_FLAG", `invalid value "${name}" for flag --${flag}`, {
      remedy: "a device name has at most 15 characters and no blank or slash",
    });
  }
  return name;
}

/** One of some words; the first where none is given. */
export function choice<Word extends string>(
  words: LaunchWords,
  flag: string,
  choices: readonly [Word, ...Word[]],
): Word {
  const text = words.text(flag) || choices[0];
  const found = choices.find((each) => each === text);
  if (found !== undefined) return found;
  throw new WeaveError("LAUNCH_FLAG", `invalid value "${text}" for flag --${flag}`, {
    remedy: `write ${choices.join(", ")}`,
  });
}
