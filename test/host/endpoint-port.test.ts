import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { formatCidr, type Ipv4Cidr, parseCidr, parseIpv4Cidr } from "../../lib/base/ip.ts";
import { ClsactHooks } from "../../lib/host/bpf/hooks.ts";
import { endpointEnds } from "../../lib/host/device-names.ts";
import {
  announceEndpoint,
  createEndpointPort,
  endpointPorts,
  labelEndpointPort,
  removeEndpointPort,
} from "../../lib/host/endpoint-port.ts";
import { addAddress } from "../../lib/host/netlink/address.ts";
import { changeLink, createBridge, findLink } from "../../lib/host/netlink/link.ts";
import { openRoute } from "../../lib/host/netlink/open.ts";
import { addRoute } from "../../lib/host/netlink/route.ts";
import type { NetworkNamespace } from "../../lib/host/netns.ts";
import { guardSubnet, isGuarded } from "../../lib/host/subnet-guard.ts";
import { Laboratory } from "./laboratory.ts";

/** A host with a bridge, and containers into which an engine takes endpoints. */
const lab = new Laboratory("ep");
let host: NetworkNamespace;

beforeAll(() => {
  host = lab.namespace("host");
  using netlink = openRoute(host);
  createBridge(netlink, { name: "weave", mtu: 1400, up: true });
});
afterAll(() => lab.close());

const idOf = (letter: string): string => letter.repeat(64);

function create(letter: string, more: { mac?: Uint8Array; within?: Ipv4Cidr } = {}) {
  return host.run(() => createEndpointPort("weave", { id: idOf(letter), ...more }));
}

/** What an engine does with an endpoint after `Join`. */
function joined(letter: string, address: string, within?: string): NetworkNamespace {
  const container = lab.namespace(letter);
  const { farEnd } = create(letter, within === undefined ? {} : { within: parseIpv4Cidr(within) });
  {
    using netlink = openRoute(host);
    const end = findLink(netlink, { name: farEnd })!;
    const { descriptor } = container;
    changeLink(netlink, end.index, { name: "ethwe0", namespaceDescriptor: descriptor });
  }
  using netlink = openRoute(container);
  const { index } = findLink(netlink, { name: "ethwe0" })!;
  changeLink(netlink, index, { up: true });
  addAddress(netlink, index, parseCidr(address));
  // A container that may change its routes sends wherever it likes.
  const all = parseCidr("10.0.0.0/8");
  if (formatCidr(parseCidr(address)) !== formatCidr(all)) {
    addRoute(netlink, { destination: all, interfaceIndex: index });
  }
  return container;
}

async function pings(from: NetworkNamespace, address: string): Promise<boolean> {
  const command = ["nsenter", `--net=${from.path}`, "ping", "-c", "1", "-W", "1", address];
  return (await Bun.spawn(command, { stdout: "ignore", stderr: "ignore" }).exited) === 0;
}

describe("a port", () => {
  test("is kept within its subnet by older kernels too, and by the latest that was told", async () => {
    const [one] = [joined("6", "10.56.0.2/16"), joined("7", "10.57.0.2/16")];
    expect(await pings(one, "10.57.0.2")).toBe(true);
    host.run(() => {
      using netlink = openRoute();
      const hooks = new ClsactHooks(netlink);
      const { index } = findLink(netlink, { name: endpointEnds(idOf("6")).near })!;
      expect(isGuarded(netlink, index, hooks)).toBe(false);
      for (const subnet of ["10.0.0.0/8", "10.56.0.0/16"]) {
        guardSubnet(netlink, index, parseIpv4Cidr(subnet), hooks);
        expect(isGuarded(netlink, index, hooks)).toBe(true);
      }
    });
    expect(await pings(one, "10.57.0.2")).toBe(false);
  });
});

describe("an endpoint of an engine's network", () => {
  test("is a port of the bridge, with the MTU of that and the MAC that was asked for", () => {
    const mac = Uint8Array.of(0x02, 0x42, 0, 0, 0, 9);
    const made = create("a", { mac });
    expect(made).toEqual({ farEnd: "vethwgaaaaaaaaa", mac: "02:42:00:00:00:09" });
    using netlink = openRoute(host);
    const port = findLink(netlink, { name: endpointEnds(idOf("a")).near })!;
    const bridge = findLink(netlink, { name: "weave" })!;
    expect(port).toMatchObject({ master: bridge.index, mtu: 1400, hairpin: true, up: true });
    expect(host.run(() => announceEndpoint("weave", idOf("a"), parseCidr("10.1.0.1/16")))).toBe(
      true,
    );
  });

  test("takes the place of one that was left, and goes with its far end", () => {
    create("b");
    create("b");
    host.run(() => labelEndpointPort(idOf("b"), "somebody"));
    expect(host.run(endpointPorts).has(endpointEnds(idOf("b")).near)).toBe(true);
    expect(host.run(() => removeEndpointPort(idOf("b")))).toBe(true);
    expect(host.run(() => removeEndpointPort(idOf("b")))).toBe(false);
    expect(host.run(() => announceEndpoint("weave", idOf("b"), parseCidr("10.1.0.1/16")))).toBe(
      false,
    );
  });

  test("reaches its own subnet and no other, whatever routes it makes", async () => {
    const [one, two] = [
      joined("c", "10.50.0.2/16", "10.50.0.0/16"),
      joined("d", "10.50.0.3/16", "10.50.0.0/16"),
    ];
    const other = joined("e", "10.51.0.2/16", "10.51.0.0/16");
    const flat = joined("f", "10.32.0.2/12");
    joined("0", "10.52.0.2/16");
    expect(await pings(flat, "10.52.0.2")).toBe(true);
    expect(await pings(one, "10.50.0.3")).toBe(true);
    expect(await pings(two, "10.50.0.2")).toBe(true);
    const crossings = [
      [one, "10.51.0.2"],
      [other, "10.50.0.2"],
      [one, "10.32.0.2"],
      [flat, "10.50.0.2"],
    ] as const;
    const reached = await Promise.all(crossings.map(([from, to]) => pings(from, to)));
    expect(reached).toEqual([false, false, false, false]);
  });
});
