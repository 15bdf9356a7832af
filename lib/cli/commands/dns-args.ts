import type { ApiClient } from "../api-client.ts";
import { ApiError } from "../api-error.ts";
import type { CommandHandler } from "../context.ts";
import { writeJson } from "../json-output.ts";
import type { Environment } from "../parse.ts";

export const dnsArgs: CommandHandler = async ({ api, environment, flags, stdout }) => {
  const found = await resolver(api, environment);
  if (flags.enabled("json")) {
    writeJson(stdout, "dns-args", found ?? { dns: null, search: null });
  } else if (found !== undefined) {
    stdout.write(`--dns=${found.dns} --dns-search=${found.search}`);
  }
  return 0;
};

/** Without DNS there is nothing to tell docker: scripts paste the empty text as it is. */
async function resolver(
  api: ApiClient,
  { DNS_DOMAIN, DNS_ADDRESS }: Environment,
): Promise<{ dns: string; search: string } | undefined> {
  try {
    const search = DNS_DOMAIN || (await api.request({ method: "GET", path: ["domain"] }));
    const dns = DNS_ADDRESS || (await api.request({ method: "GET", path: ["dns-address"] }));
    return { dns: dns.trim(), search: search.trim() };
  } catch (error) {
    if (error instanceof ApiError && error.kind === "feature-off") return undefined;
    throw error;
  }
}
