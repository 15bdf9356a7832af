import type { CommandHandler } from "../context.ts";

export const reset: CommandHandler = async ({ router, flags }) => {
  await router.reset({ force: flags.enabled("force") });
  return 0;
};
