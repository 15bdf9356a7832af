import type { CommandContext, CommandHandler } from "../context.ts";
import { proxyForClient } from "../docker-client.ts";
import { withProgress } from "../progress.ts";
import { retirePlugin } from "../retire-plugin.ts";
import { proxyAddresses } from "./env.ts";

export const stop: CommandHandler = async (context) => {
  await warnOfProxy(context);
  await retirePlugin(context);
  const what = "waiting for the router to stop";
  const hasRun = await withProgress(context, what, () => context.router.stop());
  if (!hasRun) context.stderr.write("Weave is not running.\n");
  return 0;
};

/** A shell that was led to the proxy goes on to look for it. */
async function warnOfProxy({ api, environment, stderr }: CommandContext): Promise<void> {
  const { DOCKER_HOST } = environment;
  if (!DOCKER_HOST) return;
  const addresses = await proxyAddresses(api).catch(() => []);
  if (!addresses.some((address) => proxyForClient(address, environment) === DOCKER_HOST)) return;
  stderr.write(
    "WARNING: DOCKER_HOST leads docker to the proxy, which ends now.\n" +
      "To lead it to its engine again: eval $(weave env --restore)\n",
  );
}
