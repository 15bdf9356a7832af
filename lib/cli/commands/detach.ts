import { splitContainer } from "../address-words.ts";
import { cidrLine } from "../cidr-line.ts";
import type { CommandHandler } from "../context.ts";

export const detach: CommandHandler = async ({ api, arguments: words, stdout }) => {
  const { addresses, container } = splitContainer("detach", words);
  const body = await api.request({
    method: "POST",
    path: ["detach", container],
    json: { addresses },
  });
  stdout.write(cidrLine(body));
  return 0;
};
