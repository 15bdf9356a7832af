import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { formatCidr, parseCidr } from "../../lib/base/ip.ts";
import { parsePeerName } from "../../lib/base/peer-name.ts";
import { addressesOf, attachContainer } from "../../lib/host/attach.ts";
import { capturedMtu, prepareBridge } from "../../lib/host/bridge.ts";
import { defaultDeviceNames as names } from "../../lib/host/device-names.ts";
import { Exposure } from "../../lib/host/exposure.ts";
import { removeFirewall } from "../../lib/host/firewall/firewall.ts";
import { addAddress } from "../../lib/host/netlink/address.ts";
import type { Netlink } from "../../lib/host/netlink/conversation.ts";
import { findLink } from "../../lib/host/netlink/link.ts";
import { deleteTable, listTables } from "../../lib/host/netlink/nftables.ts";
import { openNetfilter, openRoute } from "../../lib/host/netlink/open.ts";
import { addRoute } from "../../lib/host/netlink/route.ts";
import type { NetworkNamespace } from "../../lib/host/netns.ts";
import { setSysctl } from "../../lib/host/sysctl.ts";
import { cidrs, deliver, Laboratory, recordingLog } from "./laboratory.ts";

/**
 *   c1 10.32.0.1 ─┐
 *   c2 10.2.0.2 ──┴ [ weave ] host 192.168.5.1 ─── outside 192.168.5.2
 */
describe("the host exposed on the overlay", () => {
  const laboratory = new Laboratory("expose");
  let host: NetworkNamespace;
  let outside: NetworkNamespace;
  let c1: NetworkNamespace;
  let c2: NetworkNamespace;
  let netlink: Netlink;

  beforeAll(() => {
    [host, outside, c1, c2] = ["h", "out", "c1", "c2"].map((short) =>
      laboratory.namespace(short),
    ) as [NetworkNamespace, NetworkNamespace, NetworkNamespace, NetworkNamespace];
    laboratory.cable(
      { in: host, name: "eth0", address: "192.168.5.1/24" },
      { in: outside, name: "eth0", address: "192.168.5.2/24" },
    );
    netlink = openRoute(host);
    const log = recordingLog();
    host.run(() => {
      setSysctl("ipv4/ip_forward", 1);
      prepareBridge(netlink, { names, peer: parsePeerName("::1"), mtu: capturedMtu });
      for (const [namespace, address] of [
        [c1, "10.32.0.1/12"],
        [c2, "10.2.0.2/24"],
      ] as const) {
        const target = { ident: address, namespace, bridgeName: "weave", log };
        attachContainer(target, { addresses: cidrs(address), multicastRoute: true });
      }
    });
    using guest = openRoute(c1);
    addRoute(guest, {
      destination: parseCidr("192.168.0.0/16"),
      interfaceIndex: findLink(guest, { name: "ethwe" })!.index,
      gateway: parseCidr("10.32.0.9/12").address,
    });
  });
  afterEach(() => {
    const exposure = new Exposure("weave");
    host.run(() => {
      for (const { cidr } of exposure.adopt(false)) exposure.hide(cidr);
      removeFirewall();
    });
    expect(bridgeAddresses()).toEqual([]);
    expect(tables()).toEqual([]);
  });
  afterAll(() => {
    netlink.close();
    laboratory.close();
  });

  const bridgeAddresses = () =>
    addressesOf(netlink, findLink(netlink, { name: "weave" })!.index).map(formatCidr);
  const tables = () => {
    using netfilter = openNetfilter(host);
    return listTables(netfilter, "ip");
  };
  const expose = (exposure: Exposure, text: string, masquerade = true) =>
    host.run(() => exposure.expose({ cidr: parseCidr(text), masquerade }));
  const hide = (exposure: Exposure, text: string) => host.run(() => exposure.hide(parseCidr(text)));
  const reaches = (from: NetworkNamespace, to: NetworkNamespace, address: string) =>
    deliver(from, to, address, { timeoutMs: 200 });

  test("reaches containers of the exposed subnet, and no others", () => {
    const exposure = new Exposure("weave");
    expect(reaches(host, c1, "10.32.0.1")).toBeUndefined();
    expose(exposure, "10.32.0.9/12");
    expect(reaches(host, c1, "10.32.0.1")).toBe("10.32.0.9");
    expect(reaches(c1, host, "10.32.0.9")).toBe("10.32.0.1");
    expect(reaches(host, c2, "10.2.0.2")).toBeUndefined();
    hide(exposure, "10.32.0.9/12");
    expect(reaches(host, c1, "10.32.0.1")).toBeUndefined();
  });

  test("gives containers its own address towards the world, unless told not to", () => {
    const exposure = new Exposure("weave");
    expose(exposure, "10.32.0.9/12");
    expect(reaches(c1, outside, "192.168.5.2")).toBe("192.168.5.1");
    expose(exposure, "10.32.0.9/12", false);
    expect(reaches(c1, outside, "192.168.5.2")).toBe("10.32.0.1");
    expect(exposure.list()).toHaveLength(1);
  });

  test("shows itself as the source of what the world sends to containers", () => {
    const exposure = new Exposure("weave");
    expose(exposure, "10.32.0.9/12");
    using route = openRoute(outside);
    addRoute(route, {
      destination: parseCidr("10.32.0.0/12"),
      interfaceIndex: findLink(route, { name: "eth0" })!.index,
      gateway: parseCidr("192.168.5.1/24").address,
    });
    expect(reaches(outside, c1, "10.32.0.1")).toBe("10.32.0.9");
  });

  test("changes nothing when it is exposed again", () => {
    const exposure = new Exposure("weave");
    expose(exposure, "10.32.0.9/12");
    expose(exposure, "10.32.0.9/12");
    expect(bridgeAddresses()).toEqual(["10.32.0.9/12"]);
    expect(hide(exposure, "10.32.0.9/12")).toBe(true);
    expect(hide(exposure, "10.32.0.9/12")).toBe(false);
  });

  test("keeps its other addresses of a subnet, whichever is hidden", () => {
    for (const hidden of ["10.32.0.8/12", "10.32.0.9/12"]) {
      const exposure = new Exposure("weave");
      expose(exposure, "10.32.0.8/12");
      expose(exposure, "10.32.0.9/12");
      hide(exposure, hidden);
      const left = hidden === "10.32.0.8/12" ? "10.32.0.9" : "10.32.0.8";
      expect(bridgeAddresses()).toEqual([`${left}/12`]);
      expect(reaches(host, c1, "10.32.0.1")).toBe(left);
      hide(exposure, `${left}/12`);
    }
  });

  test("is put back as it was declared after a restart or a flush of the rules", () => {
    const first = new Exposure("weave");
    expose(first, "10.32.0.9/12", false);
    expose(first, "10.2.0.9/24");
    const again = new Exposure("weave", first.list());
    {
      using netfilter = openNetfilter(host);
      deleteTable(netfilter, { family: "ip", name: "weave" });
    }
    expect(host.run(() => again.adopt(true))).toEqual([]);
    host.run(() => again.apply());
    expect(tables()).toEqual(["weave"]);
    expect(reaches(c1, outside, "192.168.5.2")).toBe("10.32.0.1");
  });

  test("adopts what an earlier version left on the bridge", () => {
    const { index } = findLink(netlink, { name: "weave" })!;
    addAddress(netlink, index, parseCidr("10.32.0.9/12"));
    const exposure = new Exposure("weave");
    expect(host.run(() => exposure.adopt(true)).map(({ cidr }) => formatCidr(cidr))).toEqual([
      "10.32.0.9/12",
    ]);
    host.run(() => exposure.apply());
    expect(reaches(c1, outside, "192.168.5.2")).toBe("192.168.5.1");
  });

  test("cannot be exposed without a bridge, and forgets that it was asked", () => {
    const exposure = new Exposure("nosuch");
    expect(() => expose(exposure, "10.32.0.9/12")).toThrow('bridge "nosuch" not present');
    expect(exposure.list()).toEqual([]);
    const real = new Exposure("weave");
    expect(() => expose(real, "ff02::1/64")).toThrow(
      expect.objectContaining({ code: "EXPOSE_FAILED" }),
    );
    expect(real.list()).toEqual([]);
    expect(tables()).toEqual([]);
  });
});
