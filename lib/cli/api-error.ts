import { WeaveError } from "../base/errors.ts";

/**
 * A request to the control API that did not succeed.
 *
 * `unreachable`: nobody answered. `feature-off`: the router has no such route (404 without a
 * reason of its own) or says that the service behind it is switched off. `refused`: it answered
 * with an error.
 */
export type ApiFailure = "unreachable" | "feature-off" | "refused";

export class ApiError extends WeaveError {
  readonly kind: ApiFailure;
  /** HTTP status; `undefined` when nobody answered. */
  readonly status: number | undefined;

  constructor(
    kind: ApiFailure,
    code: string,
    message: string,
    options: { status?: number; remedy?: string; cause?: unknown } = {},
  ) {
    super(code, message, options);
    this.kind = kind;
    this.status = options.status;
  }
}
