import type { EngineIntegration, Integration, IntegrationHost } from "../daemon/integration.ts";
import { DockerEngine } from "./engine.ts";
import { PluginService } from "./plugin/plugin-service.ts";

/**
 * The Docker engine at an endpoint; nothing is asked of it before it is needed.
 *
 * @throws WeaveError `ENGINE_ENDPOINT`
 */
export function dockerIntegration(endpoint: string): EngineIntegration {
  const engine = new DockerEngine(endpoint);
  return { engine, start: (host) => startDocker(engine, host) };
}

/** Puts together what the router does for a Docker engine. */
async function startDocker(engine: DockerEngine, host: IntegrationHost): Promise<Integration> {
  const { options } = host;
  const plugin = options.plugin && new PluginService({ host, engine, plugin: options.plugin });
  await plugin?.begin();
  return {
    plugin,
    report() {
      const ofPlugin = plugin?.report();
      return { ...(ofPlugin !== undefined && { Plugin: ofPlugin }) };
    },
    gauges: () => plugin?.gauges() ?? [],
    async stop() {
      await plugin?.stop();
    },
  };
}
