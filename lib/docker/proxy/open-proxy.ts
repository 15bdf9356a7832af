import { splitHostPort } from "../../base/endpoint.ts";
import { parseGoPattern } from "../../base/go-pattern.ts";
import { formatIp } from "../../base/ip.ts";
import type { IntegrationHost } from "../../daemon/integration.ts";
import { containerOfEngine } from "../../host/container.ts";
import type { DockerEngine } from "../engine.ts";
import type { EngineContainer } from "../engine-models.ts";
import type { StartHold } from "../start-hold.ts";
import { DockerProxy } from "./docker-proxy.ts";
import type { DnsSettings } from "./host-config.ts";
import { Interceptor } from "./interceptor.ts";
import type { ShownInterface } from "./rewrite-inspect.ts";

/** The proxy as the router's options want it; `undefined` when it is off. */
export function openProxy(
  engine: DockerEngine,
  hold: StartHold,
  host: IntegrationHost,
): DockerProxy | undefined {
  const { world, log, options, paths, tracing } = host;
  const { proxy, engineContainers } = options;
  if (proxy === undefined) return undefined;
  const { fromLabel, match, replacement } = proxy.hostname;
  const interceptor = new Interceptor({
    ...{ world, engine, hold },
    folders: paths.waitHelper,
    multicastRoute: engineContainers.multicastRoute,
    byDefault: engineContainers.getDefaultAddress,
    hostname: { fromLabel, match: parseGoPattern(match), replacement },
    dns: () => (proxy.dns ? dnsSettings(host) : undefined),
    wasDetached: (container) => wasDetached(host, container),
    obstacle: () => obstacle(host),
    shownInterface: proxy.rewriteInspect ? async (id) => interfaceOf(host, id) : undefined,
  });
  return new DockerProxy({
    ...{ world, log, proxy, interceptor, tracer: tracing.tracer },
    client: engine.client,
    socket: paths.proxySocket,
  });
}

function dnsSettings({ plane, services }: IntegrationHost): DnsSettings | undefined {
  const address = services.dns && splitHostPort(services.dns.advertisedAddress)?.host;
  if (plane.names === undefined || address === undefined) return undefined;
  return { address, domain: plane.names.domain.name };
}

/** Of one that does not run there is nothing to tell. */
function wasDetached({ services }: IntegrationHost, container: EngineContainer): boolean {
  return container.pid !== 0 && services.containers.wasDetached(containerOfEngine(container));
}

/** Why nobody gets an address just now. */
function obstacle({ plane }: IntegrationHost): string | undefined {
  const status = plane.ipam?.allocator.status();
  if (status === undefined) return undefined;
  if (status.election !== undefined) {
    return "no addresses are given out before enough of the hosts named at the launch are reached";
  }
  if (status.reclaim?.mayUse === false) {
    return "no addresses are given out while most hosts cannot be reached";
  }
  return undefined;
}

/** As the interface has it, of which the first IPv4 address is shown. */
function interfaceOf({ services }: IntegrationHost, id: string): ShownInterface | undefined {
  const found = services.containers.onBridge().find(({ ident }) => ident === id);
  const cidr = found?.addresses.find(({ address }) => address.family === 4);
  if (found === undefined || cidr === undefined) return undefined;
  return { mac: found.mac, address: formatIp(cidr.address), prefix: cidr.prefix };
}
