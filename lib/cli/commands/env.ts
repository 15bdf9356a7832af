import { errorCode, WeaveError } from "../../base/errors.ts";
import type { ApiClient } from "../api-client.ts";
import { ApiError } from "../api-error.ts";
import type { CommandContext, CommandHandler } from "../context.ts";
import { proxyForClient } from "../docker-client.ts";

/**
 * What leads a shell's docker to the proxy, and back. Without a proxy it is nothing, so that a shell
 * that evaluates it stays as it is, and a note says so.
 */
export const env: CommandHandler = async (context) => {
  const { environment, flags, stdout } = context;
  if (flags.enabled("restore")) {
    stdout.write(`DOCKER_HOST=${formerHost(environment.ORIG_DOCKER_HOST)}\n`);
    return 0;
  }
  const proxy = await proxyHere(context);
  if (proxy === undefined) return 0;
  const former = environment.DOCKER_HOST ?? "";
  const kept = former === proxy ? "" : `ORIG_DOCKER_HOST=${former}`;
  stdout.write(`export DOCKER_HOST=${proxy} ${kept}\n`);
  return 0;
};

/** The same as an option of docker. */
export const config: CommandHandler = async (context) => {
  const proxy = await proxyHere(context);
  if (proxy === undefined) return 1;
  context.stdout.write(`-H=${proxy}\n`);
  return 0;
};

function formerHost(kept: string | undefined): string {
  if (kept !== undefined) return kept;
  throw new WeaveError(
    "ENV_NOTHING",
    "Nothing to restore. This is most likely because there was no preceding invocation of 'eval $(weave env)' in this shell.",
  );
}

/** The first of its addresses, as docker is to be told; `undefined` when there is none. */
async function proxyHere({
  api,
  environment,
  stderr,
}: CommandContext): Promise<string | undefined> {
  const [first] = await proxyAddresses(api);
  if (first === undefined) {
    stderr.write("note: no Docker API proxy is running; 'weave status' says more\n");
    return undefined;
  }
  return proxyForClient(first, environment);
}

/** Empty where there is no proxy, or no router. @throws ApiError where that cannot be found out */
export async function proxyAddresses(api: ApiClient): Promise<readonly string[]> {
  try {
    const text = await api.request({ method: "GET", path: ["proxyaddrs"], feature: "a proxy" });
    return text.split("\n").filter((line) => line !== "");
  } catch (error) {
    const isOff = error instanceof ApiError && error.kind === "feature-off";
    if (isOff || errorCode(error) === "API_NOT_RUNNING") return [];
    throw error;
  }
}
