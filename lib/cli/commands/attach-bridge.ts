import type { CommandHandler } from "../context.ts";

const dockerBridge = "docker0";

export const attachBridge: CommandHandler = async ({ api, arguments: words }) => {
  await api.request({ method: "POST", path: ["attach-bridge", words[0] ?? dockerBridge] });
  return 0;
};
