import type { CommandHandler } from "../context.ts";
import { withProgress } from "../progress.ts";

export const upgradeSelf: CommandHandler = async (context) => {
  const {
    router,
    arguments: [source],
    stdout,
  } = context;
  const what = "waiting for the new router to take over";
  const pid = await withProgress(context, what, () => router.upgrade(source));
  stdout.write(`process ${pid} is the router now\n`);
  return 0;
};
