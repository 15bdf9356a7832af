import { constants } from "node:os";

/** Names that share a number with another name, in the spelling of the manual pages. */
const preferredNames = ["EAGAIN", "EOPNOTSUPP", "EDEADLK"];

const nameByNumber = new Map<number, string>();
for (const [name, number] of Object.entries(constants.errno)) {
  if (!nameByNumber.has(number) || preferredNames.includes(name)) nameByNumber.set(number, name);
}
// Linux numbers that the portable table leaves out and that networking calls do return.
for (const [name, number] of [
  ["ENONET", 64],
  ["ENOTUNIQ", 76],
  ["EPFNOSUPPORT", 96],
  ["ESOCKTNOSUPPORT", 94],
  ["EUSERS", 87],
] as const) {
  if (!nameByNumber.has(number)) nameByNumber.set(number, name);
}

/** The symbolic name of a Linux error number, e.g. 2 → `ENOENT`; `E<number>` when unknown. */
export function errnoName(errno: number): string {
  return nameByNumber.get(errno) ?? `E${errno}`;
}

/**
 * A call into the system that failed: which call, with which errno, and what it was about. `code`
 * is `SYS_` and the errno's name, so that callers match on a word and never on text.
 */
export class SystemError extends Error {
  override readonly name = "SystemError";
  readonly code: string;
  readonly call: string;
  readonly errno: number;
  readonly errnoName: string;
  readonly about: string;

  /** `detail` is what the kernel or library itself said of the failure. */
  constructor(options: { call: string; errno: number; about?: string; detail?: string }) {
    const name = errnoName(options.errno);
    const about = options.about ?? "";
    const detail = options.detail === undefined || options.detail === "" ? name : options.detail;
    super(
      `${options.call}${about === "" ? "" : ` ${about}`}: ${detail}${detail === name ? "" : ` (${name})`}`,
    );
    this.code = `SYS_${name}`;
    this.call = options.call;
    this.errno = options.errno;
    this.errnoName = name;
    this.about = about;
  }
}

/** Whether `thrown` is a {@link SystemError} with one of these errno names. */
export function isSystemError(thrown: unknown, ...names: readonly string[]): thrown is SystemError {
  return thrown instanceof SystemError && (names.length === 0 || names.includes(thrown.errnoName));
}
