import { WeaveError } from "../base/errors.ts";
import { ApiError } from "./api-error.ts";
import type { CommandSpec } from "./command-spec.ts";
import { UsageError } from "./usage-error.ts";

/** Exit codes that scripts of the original rely on. */
export const exitCode = {
  success: 0,
  failure: 1,
  containerNotRunning: 2,
  alreadyRunning: 3,
  featureOff: 4,
  foundWarning: 5,
  foundError: 6,
  notRunning: 7,
} as const;

const byErrorCode: ReadonlyMap<string, number> = new Map([
  ["ALREADY_RUNNING", exitCode.alreadyRunning],
  ["CONTAINER_NOT_RUNNING", exitCode.containerNotRunning],
]);

/** The exit code of a command that threw. */
export function exitCodeOf(thrown: unknown, command: CommandSpec): number {
  if (thrown instanceof UsageError) return thrown.exitCode;
  if (thrown instanceof ApiError) {
    if (thrown.kind === "unreachable") return command.notRunningExitCode ?? exitCode.notRunning;
    if (thrown.kind === "feature-off") return command.featureOffExitCode ?? exitCode.featureOff;
  }
  if (thrown instanceof WeaveError) return byErrorCode.get(thrown.code) ?? exitCode.failure;
  return exitCode.failure;
}
