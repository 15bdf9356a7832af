import type { CommandHandler } from "../context.ts";

export const upgradeSelf: CommandHandler = async ({ router, arguments: [source], stdout }) => {
  const pid = await router.upgrade(source);
  stdout.write(`process ${pid} is the router now\n`);
  return 0;
};
