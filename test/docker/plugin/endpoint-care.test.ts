import { afterAll, expect, test } from "bun:test";
import { parseIpv4Cidr } from "../../../lib/base/ip.ts";
import { silentLog } from "../../../lib/base/world.ts";
import { forgetStaleEndpoints, mendGuards } from "../../../lib/docker/plugin/endpoint-care.ts";
import { NetworkTable } from "../../../lib/docker/plugin/network-table.ts";
import { endpointEnds } from "../../../lib/host/device-names.ts";
import { createEndpointPort } from "../../../lib/host/endpoint-port.ts";
import { createBridge, findLink } from "../../../lib/host/netlink/link.ts";
import { openRoute } from "../../../lib/host/netlink/open.ts";
import { isGuarded } from "../../../lib/host/subnet-guard.ts";
import { Laboratory } from "../../host/laboratory.ts";
import { MemoryStore } from "./fake-docker.ts";

const lab = new Laboratory("stale");
afterAll(() => lab.close());
const host = lab.namespace("host");
{
  using netlink = openRoute(host);
  createBridge(netlink, { name: "weave", up: true });
}
const [standing, gone] = ["ab".repeat(32), "cd".repeat(32)];

function table(): NetworkTable {
  const networks = new NetworkTable(new MemoryStore());
  const network = { id: "n1", driver: "weavemesh", subnet: "10.50.0.0/16" };
  networks.add({ ...network, multicast: false, isolated: true });
  networks.addEndpoint({ id: standing, network: "n1", address: "10.50.0.2/16" });
  networks.addEndpoint({ id: gone, network: "n1", address: "10.50.0.3/16" });
  return networks;
}

test("endpoints that went with their machine, or unnoticed, give their addresses back", () => {
  host.run(() => createEndpointPort("weave", { id: standing }));
  const released: number[] = [];
  const addresses = {
    defaultSubnet: parseIpv4Cidr("10.32.0.0/12"),
    allocate: async () => parseIpv4Cidr("10.32.0.1/12"),
    claim: async () => {},
    release: (address: number) => void released.push(address),
  };
  const networks = table();
  host.run(() => forgetStaleEndpoints(networks, addresses));
  expect(networks.endpoints().map(({ id }) => id)).toEqual([standing]);
  expect(released).toEqual([parseIpv4Cidr("10.50.0.3/16").address]);
});

test("an endpoint that somebody has let out of its subnet is kept within it again", () => {
  host.run(() => createEndpointPort("weave", { id: standing }));
  using netlink = openRoute(host);
  const port = findLink(netlink, { name: endpointEnds(standing).near })!.index;
  const guarded = () => host.run(() => isGuarded(netlink, port));
  expect(guarded()).toBe(false);
  host.run(() => mendGuards(table(), silentLog));
  expect(guarded()).toBe(true);
});
