import type { ApiRequest } from "./api-client.ts";
import type { CommandContext } from "./context.ts";
import { withProgress } from "./progress.ts";

const explanation =
  "waiting for the cluster to agree on who has which addresses; 'weave status' shows what it " +
  "waits for, Ctrl-C gives up";

/** A request whose answer takes as long as the cluster needs; breaking off gives it up. */
export function patientRequest(
  context: Pick<CommandContext, "api" | "stderr">,
  request: ApiRequest,
): Promise<string> {
  return withProgress(context, explanation, () =>
    context.api.request({ ...request, patient: true }),
  );
}
