import type { KubernetesApi } from "./kubernetes-api.ts";
import { nodes } from "./resources.ts";

/** Cloud providers keep pods off a node until somebody says that it has a network (kubernetes §4). */
export const networkConditionType = "NetworkUnavailable";

/** How the network of a node stands. */
export interface NetworkCondition {
  readonly isUp: boolean;
  /** One word, in CamelCase. */
  readonly reason: string;
  readonly message: string;
}

/** What the original says of a node, and what its operators look for. */
export const networkIsUp: NetworkCondition = {
  isUp: true,
  reason: "WeaveIsUp",
  message: "Weave pod has set this",
};

/** What is said of a node whose network is going. */
export const networkIsDown: NetworkCondition = {
  isUp: false,
  reason: "WeaveIsDown",
  message: "Weave pod has been stopped in order",
};

/**
 * Says on the Node how its network stands: conditions are merged by their type, so those of others
 * stay as they are.
 *
 * @param sinceMs when it came to be so, in milliseconds since the Unix epoch
 * @param nowMs when that was last seen
 * @throws WeaveError `K8S_…`; `K8S_NOT_FOUND` for a node that is not registered yet
 */
export async function setNetworkCondition(
  api: KubernetesApi,
  nodeName: string,
  { isUp, reason, message }: NetworkCondition,
  { sinceMs, nowMs }: { readonly sinceMs: number; readonly nowMs: number },
): Promise<void> {
  const condition = {
    ...{ type: networkConditionType, status: isUp ? "False" : "True", reason, message },
    lastHeartbeatTime: timeText(nowMs),
    lastTransitionTime: timeText(sinceMs),
  };
  const place = { name: nodeName, subresource: "status" };
  await api.patch(nodes, place, { status: { conditions: [condition] } });
}

/** RFC 3339 in whole seconds, as all times of the API. */
function timeText(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, "Z");
}
