import { errorText } from "../../base/errors.ts";
import { parseIpv4Cidr } from "../../base/ip.ts";
import type { Log } from "../../base/world.ts";
import type { StoredEndpoint } from "../../daemon/settings-store.ts";
import { endpointEnds } from "../../host/device-names.ts";
import { endpointPorts, mendEndpointGuard } from "../../host/endpoint-port.ts";
import { shortId } from "./network-driver.ts";
import type { NetworkTable } from "./network-table.ts";
import type { PluginAddresses } from "./plugin-addresses.ts";
import { guardedSubnet } from "./plugin-network.ts";

/**
 * Forgets endpoints that no longer stand, with their addresses: Docker did not give them back,
 * because its machine went down or because nobody was there to be told.
 */
export function forgetStaleEndpoints(
  networks: NetworkTable,
  addresses: PluginAddresses | undefined,
): void {
  const standing = endpointPorts();
  for (const { id } of networks.endpoints()) {
    if (standing.has(endpointEnds(id).near)) continue;
    const endpoint = networks.removeEndpoint(id);
    if (endpoint !== undefined) releaseEndpoint(endpoint, addresses);
  }
}

/**
 * Puts back what keeps endpoints within their subnets, where somebody has removed it. Why that
 * cannot be done; `undefined` when all are.
 */
export function mendGuards(networks: NetworkTable, log: Log): string | undefined {
  let trouble: string | undefined;
  for (const { id, network } of networks.endpoints()) {
    const of = networks.get(network);
    const within = of && guardedSubnet(of);
    if (within === undefined) continue;
    try {
      if (mendEndpointGuard(id, within)) {
        log.warn(`[plugin] keep endpoint ${shortId(id)} within its subnet again`);
      }
    } catch (error) {
      trouble = `networks are not kept apart: ${errorText(error)}`;
    }
  }
  return trouble;
}

/** Its address is free. */
export function releaseEndpoint(
  { address }: StoredEndpoint,
  addresses: PluginAddresses | undefined,
): void {
  if (address !== "") addresses?.release(parseIpv4Cidr(address).address);
}
