import { WeaveError } from "../base/errors.ts";

/** The command line itself is wrong. Without a remedy of its own it points to the command's help. */
export class UsageError extends WeaveError {
  readonly exitCode: number;

  constructor(message: string, options: { remedy?: string; exitCode?: number } = {}) {
    super("USAGE", message, options.remedy === undefined ? {} : { remedy: options.remedy });
    this.exitCode = options.exitCode ?? 1;
  }
}
