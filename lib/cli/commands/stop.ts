import type { CommandHandler } from "../context.ts";
import { retirePlugin } from "../retire-plugin.ts";

export const stop: CommandHandler = async (context) => {
  await retirePlugin(context);
  if (!(await context.router.stop())) context.stderr.write("Weave is not running.\n");
  return 0;
};
