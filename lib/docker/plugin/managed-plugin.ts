import type { Integration, IntegrationHost } from "../../daemon/integration.ts";
import type { LaunchOptions } from "../../daemon/launch-options.ts";
import type { DockerEngine } from "../engine.ts";
import { PluginService } from "./plugin-service.ts";
import { SwarmPeers } from "./swarm-peers.ts";

/**
 * The router as a plugin that Docker starts and keeps. Of the engine only the swarm is asked, and
 * nobody waits for that: while an engine starts its plugins it answers nothing.
 */
export async function startManagedPlugin(
  engine: DockerEngine,
  plugin: NonNullable<LaunchOptions["plugin"]>,
  host: IntegrationHost,
): Promise<Integration> {
  const { plane, world, log } = host;
  const service = new PluginService({ host, plugin, engine: undefined });
  await service.begin();
  const peers = new SwarmPeers({
    ...{ world, engine },
    connect(hosts) {
      for (const error of plane.mesh.connect(hosts, { replace: false })) log.warn(error.message);
    },
  });
  return {
    plugin: service,
    report() {
      const Plugin = service.report();
      return { ...(Plugin !== undefined && { Plugin }) };
    },
    measurements: () => service.measurements(),
    async stop() {
      peers.stop();
      await service.stop();
    },
    async finished() {},
    end() {},
  };
}
