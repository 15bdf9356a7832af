import * as v from "valibot";
import { WeaveError } from "../base/errors.ts";
import { parsedBy } from "../base/schema.ts";
import { type Bundle, bundleModel, bundleSchemaName, bundleVersion } from "./bundle.ts";

/** Octets of a file, and of the document in it: twice what any bundle of ours takes. */
export const bundleFileBytesMax = 16 << 20;
export const bundleTextBytesMax = 16 << 20;

const head = v.object({ schema: v.string() });

/**
 * Reads the document of a bundle, after decompression.
 *
 * @throws WeaveError `BUNDLE_CUT`, `BUNDLE_FOREIGN`, `BUNDLE_VERSION`, `BUNDLE_INVALID`
 */
export function readBundle(text: string): Bundle {
  const json = parse(text);
  const parsed = v.safeParse(head, json);
  const [, number] = parsed.success
    ? (/^weave\/incident\/(\d{1,9})$/.exec(parsed.output.schema) ?? [])
    : [];
  if (number === undefined) throw foreign();
  if (Number(number) > bundleVersion) throw newer(number);
  return parsedBy(bundleModel, json, "the document", (sentence) => invalidBundle(sentence));
}

/** What a reader says of a member that no release writes so. */
export function invalidBundle(sentence: string): WeaveError {
  return new WeaveError("BUNDLE_INVALID", `the bundle is damaged: ${sentence}`, {
    remedy: "have 'weave report --bundle' write it again, and do not edit it",
  });
}

export function cutBundle(cause?: unknown): WeaveError {
  return new WeaveError("BUNDLE_CUT", "the bundle ends in the middle", {
    remedy: "copy the file again, in binary mode",
    ...(cause !== undefined && { cause }),
  });
}

export function foreign(cause?: unknown): WeaveError {
  return new WeaveError("BUNDLE_FOREIGN", "this is no bundle of weave", {
    remedy: "give a file that 'weave report --bundle' has written",
    ...(cause !== undefined && { cause }),
  });
}

export function oversized(): WeaveError {
  return new WeaveError(
    "BUNDLE_SIZE",
    `the bundle is larger than ${bundleTextBytesMax >> 20} MiB, which none of ours is`,
    { remedy: "give a file that 'weave report --bundle' has written" },
  );
}

function newer(number: string): WeaveError {
  return new WeaveError(
    "BUNDLE_VERSION",
    `the bundle is of format ${number}, and this release reads up to ${bundleVersion}`,
    { remedy: "use the release of weave that is named in its member `madeBy`, or a later one" },
  );
}

/** What begins as a bundle does and cannot be read to its end was cut off. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw text.trimStart().startsWith(`{"schema":"${bundleSchemaName}`)
      ? cutBundle(cause)
      : foreign(cause);
  }
}
