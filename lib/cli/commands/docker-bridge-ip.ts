import { firstAddress } from "../../daemon/host-devices.ts";
import type { CommandHandler } from "../context.ts";
import { dockerBridge } from "../docker-bridge.ts";

/** Without a line end, as scripts paste it. */
export const dockerBridgeIp: CommandHandler = async ({ environment, stdout }) => {
  stdout.write(firstAddress(dockerBridge(environment)));
  return 0;
};
