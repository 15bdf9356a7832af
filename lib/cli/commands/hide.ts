import { onlyAddresses } from "../address-words.ts";
import { cidrLine } from "../cidr-line.ts";
import type { CommandHandler } from "../context.ts";

export const hide: CommandHandler = async ({ api, arguments: words, stdout }) => {
  const body = await api.request({
    method: "POST",
    path: ["hide"],
    json: { addresses: onlyAddresses("hide", words) },
  });
  stdout.write(cidrLine(body));
  return 0;
};
