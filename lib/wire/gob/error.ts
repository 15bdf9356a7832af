import { WeaveError } from "../../base/errors.ts";

/**
 * A gob stream that cannot be read. Codes: `GOB_TRUNCATED` (data ends inside something),
 * `GOB_END` (data ends where a value could have begun), `GOB_CORRUPT` (breaks the format),
 * `GOB_TYPE` (a well-formed value of another type), `GOB_RANGE` (a number that does not fit),
 * `GOB_LIMIT` (larger than we accept).
 */
export class GobError extends WeaveError {
  override readonly name = "GobError";

  /** Whether the data ended cleanly before a value. */
  get atEnd(): boolean {
    return this.code === "GOB_END";
  }
}

export function truncated(what: string): GobError {
  return new GobError("GOB_TRUNCATED", `gob: data ends inside ${what}`);
}

export function corrupt(what: string): GobError {
  return new GobError("GOB_CORRUPT", `gob: ${what}`);
}

export function wrongType(wanted: string, got: string): GobError {
  return new GobError("GOB_TYPE", `gob: want ${wanted}, got ${got}`);
}

export function outOfRange(what: string): GobError {
  return new GobError("GOB_RANGE", `gob: ${what} is out of range`);
}

export function overLimit(what: string): GobError {
  return new GobError("GOB_LIMIT", `gob: ${what}`);
}
