import { lookupAnswer } from "../../api/container-models.ts";
import { readAnswer } from "../answer.ts";
import type { CommandHandler } from "../context.ts";
import { writeJson } from "../json-output.ts";

export const dnsLookup: CommandHandler = async ({ api, arguments: words, flags, stdout }) => {
  const name = words[0]!;
  const body = await api.request({ method: "GET", path: ["dns-lookup", name], feature: "DNS" });
  const { addresses } = readAnswer(lookupAnswer, body);
  if (flags.enabled("json")) writeJson(stdout, "dns-lookup", { name, addresses });
  else for (const address of addresses) stdout.write(`${address}\n`);
  return 0;
};
