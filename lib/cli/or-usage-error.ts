import { WeaveError } from "../base/errors.ts";
import type { CommandContext } from "./context.ts";
import { UsageError } from "./usage-error.ts";

/** A value that its flag does not take is a wrong command line; one conflict with another is not. */
export function orUsageError<T>(context: CommandContext, action: () => T): T {
  try {
    return action();
  } catch (error) {
    if (!(error instanceof WeaveError) || error.code !== "LAUNCH_FLAG") throw error;
    throw new UsageError(error.message, {
      ...(error.remedy !== undefined && { remedy: error.remedy }),
      exitCode: context.command.usageExitCode ?? 1,
    });
  }
}
