import { namesAnswer } from "../../api/container-models.ts";
import { tryParseIp } from "../../base/ip.ts";
import { readAnswer } from "../answer.ts";
import type { CommandContext, CommandHandler } from "../context.ts";
import { tellIgnored } from "../ignored-names.ts";
import { UsageError } from "../usage-error.ts";

export const dnsAdd: CommandHandler = (context) => change(context, "dns-add");
export const dnsRemove: CommandHandler = (context) => change(context, "dns-remove");

/** Both commands ask the same question: which names, for which container or addresses. */
async function change(context: CommandContext, command: "dns-add" | "dns-remove"): Promise<number> {
  const { arguments: words, api, flags, stderr } = context;
  const addresses = words.filter((word) => tryParseIp(word) !== undefined);
  const [container, ...more] = words.filter((word) => tryParseIp(word) === undefined);
  const fqdn = flags.text("fqdn");
  if (more.length > 0) {
    throw new UsageError(
      `'weave ${command}' takes one container, not ${[container, ...more].join(" and ")}`,
    );
  }
  if (container === undefined && addresses.length === 0) {
    throw new UsageError(`'weave ${command}' needs a container or addresses`);
  }
  if (container === undefined && !fqdn) {
    throw new UsageError(`'weave ${command}' needs a name for ${addresses.join(" ")}`, {
      remedy: "give it with -h <fqdn>",
    });
  }
  const body = await api.request({
    method: "POST",
    path: [command],
    feature: "DNS",
    json: { ...(container ? { container } : {}), addresses, ...(fqdn ? { fqdn } : {}) },
  });
  tellIgnored(stderr, readAnswer(namesAnswer, body).ignored, container);
  return 0;
}
