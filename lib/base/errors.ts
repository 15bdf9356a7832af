/**
 * The one error class that crosses rooms.
 *
 * `code` is stable and meant for programs (`--json`, tests, `report`); `message` is one sentence
 * for a person; `remedy` says what to do next; `cause` keeps what was underneath. Programmer errors
 * are not `WeaveError`s: they go through {@link assert} and stay fatal to the action at hand.
 */
export class WeaveError extends Error {
  readonly code: string;
  readonly remedy: string | undefined;

  constructor(code: string, message: string, options: { remedy?: string; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "WeaveError";
    this.code = code;
    this.remedy = options.remedy;
  }
}

/** A failed invariant of our own code: never thrown for bad input. */
export class AssertionError extends Error {
  override readonly name = "AssertionError";
}

/** States an invariant that stays checked in production. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new AssertionError(message);
}

/** The text of anything that was thrown, for logs and status lines. */
export function errorText(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

/** The stable code of anything that was thrown; `INTERNAL` for what has none. */
export function errorCode(thrown: unknown): string {
  return thrown instanceof WeaveError ? thrown.code : "INTERNAL";
}
