import type { CommandHandler } from "../context.ts";
import { retirePlugin } from "../retire-plugin.ts";

export const reset: CommandHandler = async (context) => {
  await retirePlugin(context);
  await context.router.reset({ force: context.flags.enabled("force") });
  return 0;
};
