import { readFileSync } from "node:fs";
import { fromHex } from "../../lib/base/bytes.ts";

/** Longer recordings would only slow a campaign down: the same decoders read shorter ones. */
const recordingMaxBytes = 2048;

/** Every string of a vector file that stands under a name like `key`, however deep. */
export function recordedTexts(file: string, key: RegExp): string[] {
  const path = new URL(`../vectors/${file}.json`, import.meta.url);
  const root: unknown = JSON.parse(readFileSync(path, "utf8"));
  return [...textsIn(root, key)];
}

/** Octets that vector files hold as hex digits, each once. */
export function recordedBytes(files: readonly string[], key = /hex$/i): Uint8Array[] {
  const texts = new Set(files.flatMap((file) => recordedTexts(file, key)));
  return [...texts]
    .filter((text) => text.length <= 2 * recordingMaxBytes && /^([0-9a-f]{2})+$/i.test(text))
    .map((text) => fromHex(text));
}

function* textsIn(value: unknown, key: RegExp): Generator<string> {
  if (typeof value !== "object" || value === null) return;
  for (const [name, member] of Object.entries(value)) {
    if (typeof member === "string" && key.test(name)) yield member;
    else yield* textsIn(member, key);
  }
}
