import type { CommandHandler } from "../context.ts";
import { UsageError } from "../usage-error.ts";

export const connect: CommandHandler = async ({ api, arguments: peers, flags }) => {
  const replace = flags.enabled("replace");
  if (peers.length === 0 && !replace) {
    throw new UsageError("'weave connect' needs a peer", {
      remedy: "'weave connect --replace' without a peer empties the list",
    });
  }
  await api.request({
    method: "POST",
    path: ["connect"],
    form: [
      ...peers.map((peer): [string, string] => ["peer", peer]),
      ...(replace ? [["replace", "true"] as const] : []),
    ],
  });
  return 0;
};
