import { splitContainer } from "../address-words.ts";
import { cidrLine } from "../cidr-line.ts";
import type { CommandHandler } from "../context.ts";

export const attach: CommandHandler = async ({ api, arguments: words, flags, stdout }) => {
  const { addresses, container } = splitContainer("attach", words);
  const body = await api.request({
    method: "POST",
    path: ["attach", container],
    json: {
      addresses,
      withoutDns: flags.enabled("without-dns"),
      rewriteHosts: flags.enabled("rewrite-hosts"),
      addHosts: flags.list("add-host"),
      multicastRoute: !flags.enabled("no-multicast-route"),
    },
    // Waits for a quorum of the cluster; breaking off cancels the request.
    patient: true,
  });
  stdout.write(cidrLine(body));
  return 0;
};
