import { splitContainer } from "../address-words.ts";
import { cidrLine } from "../cidr-line.ts";
import type { CommandHandler } from "../context.ts";
import { patientRequest } from "../patient-request.ts";

export const attach: CommandHandler = async (context) => {
  const { arguments: words, flags, stdout } = context;
  const { addresses, container } = splitContainer("attach", words);
  const body = await patientRequest(context, {
    method: "POST",
    path: ["attach", container],
    json: {
      addresses,
      withoutDns: flags.enabled("without-dns"),
      rewriteHosts: flags.enabled("rewrite-hosts"),
      addHosts: flags.list("add-host"),
      multicastRoute: !flags.enabled("no-multicast-route"),
    },
  });
  stdout.write(cidrLine(body));
  return 0;
};
