import { askedBy } from "../daemon/events/asked-by.ts";
import type { Integration, IntegrationHost, RouterIntegration } from "../daemon/integration.ts";
import { attachMeasurements, attachReport, openAttacher } from "./attach-service.ts";
import { DockerEngine } from "./engine.ts";
import { type EngineAccess, EngineClient } from "./engine-client.ts";
import { EngineEvents } from "./engine-events.ts";
import type { EngineObserver } from "./engine-observer.ts";
import { engineMeasurements, engineReport } from "./engine-report.ts";
import { startManagedPlugin } from "./plugin/managed-plugin.ts";
import { PluginService } from "./plugin/plugin-service.ts";
import { openProxy } from "./proxy/open-proxy.ts";

/**
 * The Docker engine at an endpoint; nothing is asked of it before it is needed.
 *
 * @throws WeaveError `ENGINE_ENDPOINT`
 */
export function dockerIntegration(endpoint: string, access?: EngineAccess): RouterIntegration {
  const engine = new DockerEngine(new EngineClient(endpoint, access));
  return {
    engine,
    start(host) {
      const { plugin } = host.options;
      return plugin?.managed === true
        ? startManagedPlugin(engine, plugin, host)
        : startDocker(engine, host);
    },
  };
}

/** Puts together what the router does for a Docker engine. */
async function startDocker(engine: DockerEngine, host: IntegrationHost): Promise<Integration> {
  const { options } = host;
  const events = new EngineEvents(host.world, engine);
  events.observe(newsOf(host));
  events.observe({
    connected: (all) => host.services.policy.found(all),
    swept: (all) => host.services.policy.found(all),
  });
  const attacher = openAttacher(engine, host);
  events.observe(attacher);
  const plugin = options.plugin && new PluginService({ host, engine, plugin: options.plugin });
  if (plugin !== undefined) events.observe(plugin);
  const proxy = openProxy(engine, attacher, host);
  if (proxy !== undefined) events.observe(proxy);
  const stop = async (): Promise<void> => {
    proxy?.stop();
    attacher.stop();
    await events.stop();
    await plugin?.stop();
  };
  const begun = await Promise.allSettled([plugin?.begin(), proxy?.begin()]);
  const failed = begun.find((each) => each.status === "rejected");
  if (failed !== undefined) {
    // What has begun would keep a process alive that cannot start.
    await stop();
    throw failed.reason;
  }
  events.start();
  return {
    plugin,
    report() {
      const ofPlugin = plugin?.report();
      const ofProxy = proxy?.report();
      return {
        Docker: { ...engineReport(engine.client, events.status()), ...attachReport(attacher) },
        ...(ofProxy !== undefined && { Proxy: ofProxy }),
        ...(ofPlugin !== undefined && { Plugin: ofPlugin }),
      };
    },
    measurements: () => [
      ...engineMeasurements(events.status()),
      ...attachMeasurements(attacher),
      ...(proxy?.measurements() ?? []),
      ...(plugin?.measurements() ?? []),
    ],
    stop,
    finished: async () => proxy?.finished(),
    end: () => proxy?.end(),
  };
}

/** Whoever holds an address or a name keeps it, or gives it back. */
function newsOf({ services: { news } }: IntegrationHost): EngineObserver {
  const told = (action: () => void): void => askedBy({ kind: "engine" }, action);
  return {
    started: ({ id }) => told(() => news.started(id)),
    died: (id) => told(() => news.died(id)),
    destroyed: (id) => told(() => news.destroyed(id)),
    disconnected: () => told(() => news.lost()),
    connected: (all) => told(() => news.found(all)),
    swept: (all) => told(() => news.found(all)),
  };
}
