import type { ApiRequest } from "./api-client.ts";
import type { CommandContext } from "./context.ts";

/** Somebody who has waited for so long wonders what for. */
const wonderMs = 3000;

const explanation =
  "waiting for the cluster to agree on who has which addresses; 'weave status' shows what it " +
  "waits for, Ctrl-C gives up\n";

/**
 * A request whose answer takes as long as the cluster needs; breaking off gives it up. On a terminal
 * a line says what it waits for; scripts wait in silence.
 */
export async function patientRequest(
  { api, stderr }: Pick<CommandContext, "api" | "stderr">,
  request: ApiRequest,
): Promise<string> {
  const timer =
    stderr.isTerminal === true ? setTimeout(() => stderr.write(explanation), wonderMs) : undefined;
  try {
    return await api.request({ ...request, patient: true });
  } finally {
    clearTimeout(timer);
  }
}
