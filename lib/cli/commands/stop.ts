import type { CommandHandler } from "../context.ts";

export const stop: CommandHandler = async ({ router, stderr }) => {
  if (!(await router.stop())) stderr.write("Weave is not running.\n");
  return 0;
};
