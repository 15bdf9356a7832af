/**
 * Go's `encoding/gob`, as far as it crosses the wire (mesh-protocol §6, ipam §4).
 *
 * A payload is described once and then written and read with that description:
 *
 * ```ts
 * const range = gob.struct("Range", { Start: gob.uint, End: gob.uint });
 * const payload = encodeGob(range, { Start: 1, End: 2 });
 * decodeGob(range, payload); // { Start: 1, End: 2 }
 * ```
 */
import { GobDecoder } from "./gob/decoder.ts";
import { GobEncoder } from "./gob/encoder.ts";
import type { GobType } from "./gob/type.ts";

export { GobDecoder, GobStream } from "./gob/decoder.ts";
export { GobEncoder } from "./gob/encoder.ts";
export { GobError } from "./gob/error.ts";
export type { GobType, GobValue } from "./gob/type.ts";
export * as gob from "./gob/type.ts";

/** A stream that holds `value` alone, with its definitions. */
export function encodeGob<T>(
  type: GobType<T>,
  value: T,
  options: { firstTypeId?: number } = {},
): Uint8Array {
  return new GobEncoder(options).write(type, value).bytes();
}

/** The first value of a stream; what follows it is ignored. @throws GobError */
export function decodeGob<T>(type: GobType<T>, bytes: Uint8Array): T {
  return new GobDecoder(bytes).read(type);
}
