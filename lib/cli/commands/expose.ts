import { exposeAnswer } from "../../api/container-models.ts";
import { onlyAddresses } from "../address-words.ts";
import { readAnswer } from "../answer.ts";
import { cidrLine } from "../cidr-line.ts";
import type { CommandHandler } from "../context.ts";
import { tellIgnored } from "../ignored-names.ts";
import { patientRequest } from "../patient-request.ts";

export const expose: CommandHandler = async (context) => {
  const { arguments: words, flags, stdout, stderr } = context;
  const fqdn = flags.text("fqdn");
  const body = await patientRequest(context, {
    method: "POST",
    path: ["expose"],
    json: {
      addresses: onlyAddresses("expose", words),
      masquerade: !flags.enabled("without-masquerade"),
      ...(fqdn ? { fqdn } : {}),
    },
  });
  stdout.write(cidrLine(body));
  tellIgnored(stderr, readAnswer(exposeAnswer, body).ignored ?? []);
  return 0;
};
