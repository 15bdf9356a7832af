import type { CommandHandler } from "../context.ts";

export const forget: CommandHandler = async ({ api, arguments: peers }) => {
  await api.request({
    method: "POST",
    path: ["forget"],
    form: peers.map((peer): [string, string] => ["peer", peer]),
  });
  return 0;
};
