import type { Integration, IntegrationHost, RouterIntegration } from "../daemon/integration.ts";
import type { AgentOptions } from "../daemon/launch-options.ts";
import type { Environment } from "./agent/agent-settings.ts";
import type { NodeTools } from "./agent/node-agent.ts";
import { TaskList } from "./agent/task-list.ts";

export interface AgentSurroundings {
  /** Tells where the API server of the cluster is. */
  readonly environment: Environment;
  readonly tools: NodeTools;
}

/** The cluster of Kubernetes that this host is a node of. */
export function kubernetesIntegration(
  options: AgentOptions,
  surroundings: AgentSurroundings,
): RouterIntegration {
  return { start: async (host) => startAgent(options, surroundings, host) };
}

function startAgent(
  options: AgentOptions,
  { tools }: AgentSurroundings,
  host: IntegrationHost,
): Integration {
  const tasks = new TaskList(host.world, [
    {
      name: "expose",
      awaits: "the bridge has no address",
      run: (signal) => exposeBridge(options, host, signal),
    },
    {
      name: "cni",
      awaits: "container runtimes do not know the network",
      after: ["expose"],
      run: async () => tools.setUpCni(options, true),
    },
  ]);
  tasks.start();
  return {
    report: () => ({}),
    awaited: () => tasks.awaited(),
    gauges: () => [],
    stop: () => tasks.stop(),
    async finished() {},
  };
}

/** Gives the bridge the address that pods have for their gateway. */
async function exposeBridge(
  { exposeAddress }: AgentOptions,
  { services }: IntegrationHost,
  signal: AbortSignal,
): Promise<void> {
  const { exposures } = services;
  if (exposeAddress === undefined && exposures.cidrs().length > 0) return;
  const addresses = exposeAddress === undefined ? [] : [exposeAddress];
  await exposures.expose({ addresses, masquerade: true }, signal);
}
