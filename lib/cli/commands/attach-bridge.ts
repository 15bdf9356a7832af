import type { CommandHandler } from "../context.ts";
import { dockerBridge } from "../docker-bridge.ts";

export const attachBridge: CommandHandler = async ({ api, arguments: words, environment }) => {
  const bridge = words[0] ?? dockerBridge(environment);
  await api.request({ method: "POST", path: ["attach-bridge", bridge] });
  return 0;
};
