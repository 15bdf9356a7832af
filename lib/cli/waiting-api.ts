import type { ApiClient } from "./api-client.ts";
import type { CommandContext } from "./context.ts";
import { withProgress } from "./progress.ts";

/**
 * The control API, which people are told of when it takes its time. Who has patience, or may break
 * off, says himself what he waits for.
 */
export function waitingApi({ api, stderr }: Pick<CommandContext, "api" | "stderr">): ApiClient {
  return {
    request(request) {
      const isOwnAffair = request.patient === true || request.signal !== undefined;
      if (isOwnAffair) return api.request(request);
      const what = "waiting for the router to answer";
      return withProgress({ stderr }, what, () => api.request(request));
    },
  };
}
