import type { CommandHandler } from "../context.ts";

export const upgradeSelf: CommandHandler = async ({ router, arguments: [file], stdout }) => {
  const pid = await router.upgrade(file);
  stdout.write(`process ${pid} is the router now\n`);
  return 0;
};
