import type { ClusterDesk } from "../../kubernetes/agent/cluster-desk.ts";
import { networkIsUp } from "../../kubernetes/node-condition.ts";
import { apiRouterPort, peerNameOf } from "../api-router-port.ts";
import type { CommandContext, CommandHandler } from "../context.ts";

type Action = (context: CommandContext, desk: ClusterDesk) => Promise<number>;

/** As scripts for Weave Net 2.x expect it of a peer that is in the list. */
const listedExitCode = 9;

const actions: Readonly<Record<string, Action>> = {
  async peers({ stdout }, desk) {
    for (const address of await desk.peers()) stdout.write(`${address}\n`);
    return 0;
  },
  async "check-peer"(context, desk) {
    return (await desk.isListed(await peerOf(context))) ? listedExitCode : 0;
  },
  async reclaim(context, desk) {
    const signal = context.interrupts();
    const goesOn = context.flags.enabled("follow");
    const router = apiRouterPort(context.api);
    await desk.reclaim(await peerOf(context), router, { signal, goesOn });
    return 0;
  },
  async "set-node-status"(_, desk) {
    await desk.setCondition(networkIsUp);
    return 0;
  },
  async uid({ stdout }, desk) {
    stdout.write(`${await desk.listUid()}\n`);
    return 0;
  },
};

export const kubeUtils: CommandHandler = async (context) => {
  const [action = ""] = context.arguments;
  const { desk } = await context.router.node(context.flags.text("node-name"));
  return actions[action]!(context, desk);
};

/** The one that was named, or the router of this node. */
async function peerOf({ api, flags }: CommandContext): Promise<string> {
  return flags.text("peer-name") || peerNameOf(api);
}
