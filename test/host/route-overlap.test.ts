import { afterAll, describe, expect, test } from "bun:test";
import { formatCidr, parseCidr } from "../../lib/base/ip.ts";
import { addAddress } from "../../lib/host/netlink/address.ts";
import { createBridge, findLink } from "../../lib/host/netlink/link.ts";
import { openRoute } from "../../lib/host/netlink/open.ts";
import { checkRouteOverlap, findOverlap } from "../../lib/host/route-overlap.ts";
import { Laboratory } from "./laboratory.ts";

describe("the range and the host's routes", () => {
  const route = (destination: string | undefined, interfaceIndex = 1) => ({
    destination: destination === undefined ? undefined : parseCidr(destination),
    gateway: undefined,
    interfaceIndex,
  });
  const overlap = (range: string, ...routes: ReturnType<typeof route>[]) => {
    const found = findOverlap(routes, parseCidr(range), 7);
    return found && formatCidr(found);
  };

  test("overlap when either holds the other", () => {
    expect(overlap("10.32.0.0/12", route("10.40.0.0/16"))).toBe("10.40.0.0/16");
    expect(overlap("10.40.0.0/16", route("10.32.0.0/12"))).toBe("10.32.0.0/12");
    expect(overlap("10.32.0.0/12", route("10.32.0.1/32"))).toBe("10.32.0.1/32");
    expect(overlap("10.32.0.0/12", route("10.48.0.0/12"), route("192.168.0.0/16"))).toBeUndefined();
  });

  test("do not overlap by a default route or by the bridge's own", () => {
    expect(overlap("10.32.0.0/12", route(undefined), route("0.0.0.0/0"))).toBeUndefined();
    expect(overlap("10.32.0.0/12", route("10.32.0.0/12", 7))).toBeUndefined();
  });

  test("are read from the kernel, and both networks are named", () => {
    const laboratory = new Laboratory("overlap");
    afterAll(() => laboratory.close());
    using netlink = openRoute(laboratory.namespace("h"));
    for (const [name, address] of [
      ["eth0", "10.34.5.6/16"],
      ["weave", "10.44.0.1/16"],
    ] as const) {
      createBridge(netlink, { name, up: true });
      addAddress(netlink, findLink(netlink, { name })!.index, parseCidr(address));
    }
    expect(() => checkRouteOverlap(netlink, parseCidr("10.32.0.0/12"), "weave")).toThrow(
      "Network 10.32.0.0/12 overlaps with existing route 10.34.0.0/16 on host",
    );
    expect(() => checkRouteOverlap(netlink, parseCidr("10.44.0.0/16"), "weave")).not.toThrow();
    expect(() => checkRouteOverlap(netlink, parseCidr("10.44.0.0/16"), "nosuch")).toThrow();
  });
});
