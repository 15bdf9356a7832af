import { exposeAnswer } from "../../api/container-models.ts";
import { onlyAddresses } from "../address-words.ts";
import { readAnswer } from "../answer.ts";
import { cidrLine } from "../cidr-line.ts";
import type { CommandHandler } from "../context.ts";
import { tellIgnored } from "../ignored-names.ts";

export const expose: CommandHandler = async ({ api, arguments: words, flags, stdout, stderr }) => {
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
  tellIgnored(stderr, readAnswer(exposeAnswer, body).ignored ?? []);
  return 0;
};
