import { bridgeType as typeOf } from "../../daemon/host-devices.ts";
import { pathsFrom } from "../../daemon/paths.ts";
import type { CommandHandler } from "../context.ts";
import { exitCode } from "../exit-code.ts";

export const bridgeType: CommandHandler = async ({ environment, stdout }) => {
  const type = typeOf(pathsFrom(environment));
  // Scripts look at the exit code alone.
  if (type === undefined) return exitCode.failure;
  stdout.write(`${type}\n`);
  return exitCode.success;
};
