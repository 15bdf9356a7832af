import type { CommandContext } from "./context.ts";

/** Where nobody says how wide lines may be. */
const usualColumns = 100;

/** How wide pictures may be: of the terminal, or by COLUMNS (POSIX, 8.3). */
export function outputColumns({
  stdout,
  environment,
}: Pick<CommandContext, "stdout" | "environment">): number {
  const given = Number(environment.COLUMNS);
  // Serial lines say 0.
  if (stdout.columns) return stdout.columns;
  return Number.isInteger(given) && given > 0 ? given : usualColumns;
}
