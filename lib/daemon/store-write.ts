import { errorText, WeaveError } from "../base/errors.ts";

/** Does what writes into the router's state. @throws WeaveError `STORE_WRITE` */
export function written<Result>(write: () => Result): Result {
  try {
    return write();
  } catch (cause) {
    if (cause instanceof WeaveError) throw cause;
    const text = `the router's state cannot be written: ${errorText(cause)}`;
    throw new WeaveError("STORE_WRITE", text, {
      remedy: "see that the disk of WEAVE_STATE_DIR has room and is writable",
      cause,
    });
  }
}
