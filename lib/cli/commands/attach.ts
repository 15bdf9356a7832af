import * as v from "valibot";
import { attachAnswer } from "../../api/container-models.ts";
import { WeaveError } from "../../base/errors.ts";
import { splitContainer } from "../address-words.ts";
import { readAnswer } from "../answer.ts";
import { cidrLine } from "../cidr-line.ts";
import type { CommandHandler } from "../context.ts";
import { tellIgnored } from "../ignored-names.ts";
import { patientRequest } from "../patient-request.ts";

const namesAnswer = v.pick(attachAnswer, ["ignored"]);

export const attach: CommandHandler = async (context) => {
  const { arguments: words, flags, stdout, stderr } = context;
  const labels = flags.list("label");
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
      ...(labels.length > 0 && { labels: Object.fromEntries(labels.map(labelOf)) }),
    },
  });
  stdout.write(cidrLine(body));
  tellIgnored(stderr, readAnswer(namesAnswer, body).ignored ?? []);
  return 0;
};

/** @throws WeaveError `LABEL_FORMAT` */
function labelOf(word: string): [string, string] {
  const [, key, value] = /^([^=\s]+)=(.*)$/s.exec(word) ?? [];
  if (key !== undefined && value !== undefined) return [key, value];
  throw new WeaveError("LABEL_FORMAT", `"${word}" is no label`, { remedy: "write <key>=<value>" });
}
