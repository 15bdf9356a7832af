import type { RouterIntegration } from "../daemon/integration.ts";
import type { AgentOptions } from "../daemon/launch-options.ts";
import { Agent } from "./agent/agent.ts";
import type { Environment } from "./agent/agent-settings.ts";
import type { NodeTools } from "./agent/node-agent.ts";
import { clusterClient } from "./cluster-client.ts";

export interface AgentSurroundings {
  /** Tells where the API server of the cluster is. */
  readonly environment: Environment;
  readonly tools: NodeTools;
}

/**
 * The cluster of Kubernetes that this host is a node of; nothing is asked of it before the start.
 *
 * @throws WeaveError `K8S_CONFIG`
 */
export function kubernetesIntegration(
  options: AgentOptions,
  { environment, tools }: AgentSurroundings,
): RouterIntegration {
  const api = clusterClient(options.kubeconfig, environment);
  return {
    async start(host) {
      const agent = new Agent({ options, api, tools, host });
      agent.start();
      return agent;
    },
  };
}
