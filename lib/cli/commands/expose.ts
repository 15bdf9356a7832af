import { onlyAddresses } from "../address-words.ts";
import { cidrLine } from "../cidr-line.ts";
import type { CommandHandler } from "../context.ts";

export const expose: CommandHandler = async ({ api, arguments: words, flags, stdout }) => {
  const fqdn = flags.text("fqdn");
  const body = await api.request({
    method: "POST",
    path: ["expose"],
    json: {
      addresses: onlyAddresses("expose", words),
      masquerade: !flags.enabled("without-masquerade"),
      ...(fqdn ? { fqdn } : {}),
    },
    patient: true,
  });
  stdout.write(cidrLine(body));
  return 0;
};
