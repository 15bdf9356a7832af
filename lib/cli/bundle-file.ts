import { closeSync, openSync, readSync } from "node:fs";
import { gunzipSync, gzipSync } from "node:zlib";
import { concatBytes, fromUtf8, utf8 } from "../base/bytes.ts";
import { errorText, WeaveError } from "../base/errors.ts";
import type { Bundle } from "../incident/bundle.ts";
import {
  bundleFileBytesMax,
  bundleTextBytesMax,
  cutBundle,
  foreign,
  oversized,
  readBundle,
} from "../incident/read-bundle.ts";
import { writeWholeFile } from "./whole-file.ts";

/** As gzip: what `zcat` shows is JSON. @throws WeaveError `BUNDLE_WRITE` */
export function writeBundleFile(file: string, document: string): number {
  const bytes = gzipSync(utf8(document));
  writeWholeFile(file, bytes, "BUNDLE_WRITE");
  return bytes.length;
}

/**
 * Reads a bundle, compressed or not.
 *
 * @throws WeaveError `BUNDLE_READ`, `BUNDLE_SIZE`, and those of {@link readBundle}
 */
export function readBundleFile(file: string): Bundle {
  return bundleFrom(readBounded(file));
}

/** @throws WeaveError as {@link readBundleFile} */
export function bundleFrom(bytes: Uint8Array): Bundle {
  if (bytes.length > bundleFileBytesMax) throw oversized();
  return readBundle(fromUtf8(isGzip(bytes) ? inflated(bytes) : bytes));
}

/** Pipes and devices do not say beforehand how much will come. */
function readBounded(file: string): Uint8Array {
  let descriptor: number | undefined;
  try {
    descriptor = openSync(file, "r");
    const chunks: Uint8Array[] = [];
    for (let size = 0; ; ) {
      const chunk = new Uint8Array(1 << 16);
      const count = readSync(descriptor, chunk);
      if (count === 0) return concatBytes(...chunks);
      chunks.push(chunk.subarray(0, count));
      size += count;
      if (size > bundleFileBytesMax) throw oversized();
    }
  } catch (cause) {
    if (cause instanceof WeaveError) throw cause;
    throw new WeaveError("BUNDLE_READ", `cannot read ${file}: ${errorText(cause)}`, { cause });
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

/** RFC 1952 §2.3.1. */
function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}

function inflated(bytes: Uint8Array): Uint8Array {
  try {
    return gunzipSync(bytes, { maxOutputLength: bundleTextBytesMax });
  } catch (cause) {
    const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
    if (code === "ERR_BUFFER_TOO_LARGE") throw oversized();
    throw code === "Z_BUF_ERROR" ? cutBundle(cause) : foreign(cause);
  }
}
