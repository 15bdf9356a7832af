import { ApiError } from "../api-error.ts";
import type { CommandHandler } from "../context.ts";

export const dnsArgs: CommandHandler = async ({ api, environment, stdout }) => {
  try {
    const domain =
      environment.DNS_DOMAIN || (await api.request({ method: "GET", path: ["domain"] }));
    const address =
      environment.DNS_ADDRESS || (await api.request({ method: "GET", path: ["dns-address"] }));
    stdout.write(`--dns=${address.trim()} --dns-search=${domain.trim()}`);
  } catch (error) {
    // Without DNS there is nothing to tell docker: scripts paste the empty text as it is.
    if (!(error instanceof ApiError && error.kind === "feature-off")) throw error;
  }
  return 0;
};
