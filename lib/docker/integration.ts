import type { EngineIntegration, Integration, IntegrationHost } from "../daemon/integration.ts";
import { DockerEngine } from "./engine.ts";

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
async function startDocker(_engine: DockerEngine, _host: IntegrationHost): Promise<Integration> {
  return {
    report: () => ({}),
    gauges: () => [],
    async stop() {},
  };
}
