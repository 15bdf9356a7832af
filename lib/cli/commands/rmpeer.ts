import { errorText } from "../../base/errors.ts";
import { ApiError } from "../api-error.ts";
import type { CommandHandler } from "../context.ts";

export const rmpeer: CommandHandler = async ({ api, arguments: peers, flags, stdout, stderr }) => {
  let failures = 0;
  for (const peer of peers) {
    try {
      const body = await api.request({
        method: "DELETE",
        path: ["peer", peer],
        query: flags.enabled("force") ? [["force", "true"]] : [],
        accept: "application/json",
      });
      stdout.write(body);
    } catch (error) {
      // Nobody there: the next peer would fare no better.
      if (error instanceof ApiError && error.kind === "unreachable") throw error;
      failures++;
      stderr.write(`${peer}: ${errorText(error)}\n`);
      if (error instanceof ApiError && error.remedy !== undefined)
        stderr.write(`${error.remedy}\n`);
    }
  }
  return failures === 0 ? 0 : 1;
};
