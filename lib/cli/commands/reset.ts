import type { CommandHandler } from "../context.ts";
import { withProgress } from "../progress.ts";
import { retirePlugin } from "../retire-plugin.ts";

export const reset: CommandHandler = async (context) => {
  await retirePlugin(context);
  const force = context.flags.enabled("force");
  const what = "leaving the cluster and removing what is on this host";
  await withProgress(context, what, () => context.router.reset({ force }));
  return 0;
};
