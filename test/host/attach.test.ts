import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { SOL_IP, setSocketOption } from "../../ffi/socket.ts";
import { formatCidr, parseIpv4 } from "../../lib/base/ip.ts";
import { parsePeerName } from "../../lib/base/peer-name.ts";
import {
  type AttachOptions,
  type AttachTarget,
  attachContainer,
  detachContainer,
} from "../../lib/host/attach.ts";
import { hostInterfaceName } from "../../lib/host/attachment-name.ts";
import { listAttachments } from "../../lib/host/attachments.ts";
import { capturedMtu, prepareBridge, removeBridge } from "../../lib/host/bridge.ts";
import { defaultDeviceNames as names } from "../../lib/host/device-names.ts";
import { activeOffloads } from "../../lib/host/interface-offloads.ts";
import type { Netlink } from "../../lib/host/netlink/conversation.ts";
import {
  changeLink,
  createVeth,
  deleteLink,
  findLink,
  listLinks,
} from "../../lib/host/netlink/link.ts";
import { listTables } from "../../lib/host/netlink/nftables.ts";
import { openNetfilter, openRoute } from "../../lib/host/netlink/open.ts";
import { listRoutes } from "../../lib/host/netlink/route.ts";
import type { NetworkNamespace } from "../../lib/host/netns.ts";
import { sysctl } from "../../lib/host/sysctl.ts";
import { awaitDatagram, cidrs, deliver, Laboratory, recordingLog, udpIn } from "./laboratory.ts";

describe("a container on the bridge", () => {
  const laboratory = new Laboratory("attach");
  const log = recordingLog();
  let host: NetworkNamespace;
  let c1: NetworkNamespace;
  let c2: NetworkNamespace;
  let netlink: Netlink;

  beforeAll(() => {
    host = laboratory.namespace("h");
    c1 = laboratory.namespace("c1");
    c2 = laboratory.namespace("c2");
    netlink = openRoute(host);
    prepare();
  });
  afterEach(() => {
    for (const namespace of [c1, c2]) {
      using guest = openRoute(namespace);
      for (const { name, index } of listLinks(guest)) if (name !== "lo") deleteLink(guest, index);
      expect(listRoutes(guest)).toEqual([]);
    }
    log.lines.splice(0);
  });
  afterAll(() => {
    netlink.close();
    laboratory.close();
  });

  const prepare = () =>
    host.run(() => prepareBridge(netlink, { names, peer: parsePeerName("::1"), mtu: capturedMtu }));
  const target = (namespace: NetworkNamespace): AttachTarget => ({
    ident: namespace === c1 ? `netns:${laboratory.name("c1")}` : "pid:77",
    namespace,
    bridgeName: "weave",
    log,
  });
  const attach = (
    namespace: NetworkNamespace,
    addresses: string[],
    options: Partial<AttachOptions> = {},
  ) =>
    host.run(() =>
      attachContainer(target(namespace), {
        addresses: cidrs(...addresses),
        multicastRoute: true,
        ...options,
      }),
    );
  const detach = (namespace: NetworkNamespace, ...addresses: string[]) =>
    host.run(() => detachContainer(target(namespace), cidrs(...addresses)));
  const guestLink = (namespace: NetworkNamespace) => {
    using guest = openRoute(namespace);
    return findLink(guest, { name: "ethwe" });
  };
  const tablesIn = (namespace: NetworkNamespace) => {
    using netfilter = openNetfilter(namespace);
    return listTables(netfilter, "ip");
  };
  const hostPorts = () =>
    listLinks(netlink)
      .map(({ name }) => name)
      .filter((name) => name.startsWith("vethwepl"));

  test("reaches the others at once, by frames of any size", () => {
    const first = attach(c1, ["10.32.0.1/12"]);
    attach(c2, ["10.32.0.2/12"]);
    expect(first.addresses.map(formatCidr)).toEqual(["10.32.0.1/12"]);
    expect(deliver(c1, c2, "10.32.0.2")).toBe("10.32.0.1");
    expect(deliver(c2, c1, "10.32.0.1", { size: 60_000 })).toBe("10.32.0.2");
  });

  test("has an interface fit for the overlay", () => {
    const { mac } = attach(c1, ["10.32.0.1/12"]);
    expect(guestLink(c1)).toMatchObject({ mac, mtu: 65535, up: true, operational: true });
    const port = findLink(netlink, { name: hostPorts()[0]! })!;
    expect(port).toMatchObject({ hairpin: true, mtu: 65535, up: true, alias: target(c1).ident });
    c1.run(() => {
      expect(activeOffloads("ethwe")).toContain("tx-tcp-segmentation");
      expect(sysctl("ipv6/conf/ethwe/accept_ra")).toBe(0);
      expect(sysctl("ipv4/neigh/ethwe/base_reachable_time_ms")).toBe(5000);
      expect(sysctl("ipv4/neigh/ethwe/ucast_solicit")).toBe(1);
    });
    expect(host.run(() => sysctl(`ipv6/conf/${port.name}/accept_ra`))).toBe(0);
    using guest = openRoute(c1);
    expect(
      listRoutes(guest)
        .map(({ destination }) => formatCidr(destination!))
        .sort(),
    ).toEqual(["10.32.0.0/12", "224.0.0.0/4"]);
  });

  test("has no multicast route, hairpin or full MTU when told so", () => {
    attach(c1, ["10.32.0.1/12"], { multicastRoute: false, hairpin: false, mtu: 1300 });
    using guest = openRoute(c1);
    expect(listRoutes(guest)).toHaveLength(1);
    expect(findLink(netlink, { name: hostPorts()[0]! })).toMatchObject({
      hairpin: false,
      mtu: 1300,
    });
    expect(guestLink(c1)!.mtu).toBe(1300);
  });

  test("gets further addresses on the interface it has, and keeps those it had", () => {
    attach(c1, ["10.32.0.1/12"]);
    const again = attach(c1, ["10.32.0.1/12", "10.2.0.1/24"]);
    expect(again.added.map(formatCidr)).toEqual(["10.2.0.1/24"]);
    expect(again.addresses.map(formatCidr)).toEqual(["10.32.0.1/12", "10.2.0.1/24"]);
    expect(hostPorts()).toHaveLength(1);
  });

  test("loses exactly the addresses named, and with the last its interface", () => {
    attach(c1, ["10.32.0.1/12", "10.32.0.2/12", "10.2.0.1/24"]);
    // The first address of a subnet carries the others; they must survive it.
    const part = detach(c1, "10.32.0.1/12", "10.99.0.1/24");
    expect(part.removed.map(formatCidr)).toEqual(["10.32.0.1/12"]);
    expect(part.interfaceRemoved).toBe(false);
    expect(attach(c1, []).addresses.map(formatCidr).sort()).toEqual([
      "10.2.0.1/24",
      "10.32.0.2/12",
    ]);
    expect(detach(c1, "10.32.0.2/12", "10.2.0.1/24").interfaceRemoved).toBe(true);
    expect(guestLink(c1)).toBeUndefined();
    expect(hostPorts()).toEqual([]);
    expect(tablesIn(c1)).toEqual([]);
    expect(detach(c1, "10.2.0.1/24")).toEqual({ removed: [], interfaceRemoved: false });
  });

  test("hears multicast of its own subnets only", () => {
    const group = parseIpv4("239.1.2.3");
    attach(c1, ["10.32.0.1/12"]);
    attach(c2, ["10.2.0.2/24"]);
    const listener = udpIn(c2);
    const membership = new DataView(new ArrayBuffer(12));
    membership.setUint32(0, group);
    membership.setInt32(8, guestLink(c2)!.index, true);
    const IP_ADD_MEMBERSHIP = 35;
    const request = new Uint8Array(membership.buffer);
    setSocketOption(listener.descriptor, SOL_IP, IP_ADD_MEMBERSHIP, request, "group");
    const sender = udpIn(c1);
    const say = (from: string) => {
      const route = {
        from: parseIpv4(from),
        to: group,
        port: listener.port,
        dontFragment: false,
      };
      sender.append(route, 0, Uint8Array.of(1), 1);
      sender.flush((_, failure) => expect(failure).toBeUndefined());
      return awaitDatagram(listener, 100)?.from;
    };
    expect(say("10.32.0.1")).toBeUndefined();
    attach(c2, ["10.32.0.2/12"]);
    expect(say("10.32.0.1")).toBe("10.32.0.1");
    detach(c2, "10.32.0.2/12");
    expect(say("10.32.0.1")).toBeUndefined();
    sender.close();
    listener.close();
  });

  test("is announced, so that nobody goes on sending to the former owner of its address", () => {
    attach(c1, ["10.32.0.1/12"]);
    attach(c2, ["10.32.0.2/12"]);
    const c3 = laboratory.namespace("c3");
    expect(deliver(c1, c2, "10.32.0.2")).toBe("10.32.0.1");
    detach(c2, "10.32.0.2/12");
    host.run(() =>
      attachContainer(
        { ...target(c3), ident: "c3" },
        { addresses: cidrs("10.32.0.2/12"), multicastRoute: false },
      ),
    );
    expect(deliver(c1, c3, "10.32.0.2", { timeoutMs: 300 })).toBe("10.32.0.1");
    host.run(() => detachContainer({ ...target(c3), ident: "c3" }, cidrs("10.32.0.2/12")));
  });

  test("and what is on the bridge are listed, also what others attached", async () => {
    attach(c1, ["10.32.0.1/12", "10.2.0.1/24"]);
    const c4 = laboratory.namespace("c4");
    const pinned = { ...target(c4), ident: "0123456789abcdef" };
    host.run(() => attachContainer(pinned, { addresses: [], multicastRoute: false }));
    const weave = findLink(netlink, { name: "weave" })!;
    createVeth(
      netlink,
      { name: "vethwepl123", master: weave.index },
      { name: "ethwe", namespaceDescriptor: c2.descriptor },
    );
    const inside = c2.run(() => Bun.spawn(["sleep", "60"]));
    const list = host.run(() => listAttachments(netlink, "weave"));
    inside.kill();
    await inside.exited;
    expect(
      list.map(({ addresses, ...rest }) => ({ ...rest, cidrs: addresses.map(formatCidr) })),
    ).toEqual([
      {
        hostInterface: hostPorts()[0]!,
        guestInterface: "ethwe",
        mac: guestLink(c1)!.mac,
        ident: target(c1).ident,
        namespace: c1.inode,
        firstProcess: undefined,
        cidrs: ["10.32.0.1/12", "10.2.0.1/24"],
      },
      expect.objectContaining({ ident: "0123456789abcdef", namespace: c4.inode, cidrs: [] }),
      {
        hostInterface: "vethwepl123",
        guestInterface: "ethwe",
        mac: guestLink(c2)!.mac,
        ident: `netns:${laboratory.name("c2")}`,
        namespace: c2.inode,
        firstProcess: inside.pid,
        cidrs: [],
      },
    ]);
  });

  test("is as it was before when something fails half-way, and so is the host", () => {
    attach(c1, ["10.32.0.1/12"]);
    const before = { links: listLinks(netlink), tables: tablesIn(c1) };
    // The kernel refuses the second address after the first was added.
    expect(() => attach(c1, ["10.2.0.1/24", "0.0.0.0/0", "::ffff:0:0/200"])).toThrow();
    expect(() => attach(c1, ["10.2.0.1/24", "ff02::1/64"])).toThrow(
      expect.objectContaining({ code: "ATTACH_FAILED" }),
    );
    expect(attach(c1, []).addresses.map(formatCidr)).toEqual(["10.32.0.1/12"]);
    expect({ links: listLinks(netlink), tables: tablesIn(c1) }).toEqual(before);
    expect(() => attach(c2, ["10.2.0.1/24", "ff02::1/64"])).toThrow("cannot attach pid:77");
    expect(listLinks(netlink)).toEqual(before.links);
    expect([guestLink(c2), tablesIn(c2)]).toEqual([undefined, []]);
  });

  test("with a foreign interface of that name is left alone", () => {
    using guest = openRoute(c1);
    createVeth(guest, { name: "ethwe" }, { name: "peer" });
    expect(() => attach(c1, ["10.32.0.1/12"])).toThrow(
      expect.objectContaining({ code: "ATTACH_NAME_TAKEN" }),
    );
    expect(attach(c2, ["10.32.0.2/12"]).name).toBe("ethwe");
  });

  test("cannot be attached before the bridge is there", () => {
    removeBridge(netlink, names);
    expect(() => attach(c1, ["10.32.0.1/12"])).toThrow(
      'bridge "weave" not present; did you launch weave?',
    );
    expect(() => host.run(() => listAttachments(netlink, "weave"))).toThrow(
      expect.objectContaining({ code: "BRIDGE_MISSING" }),
    );
    prepare();
  });

  test("comes back to the bridge when it is attached again after the bridge was lost", () => {
    attach(c1, ["10.32.0.1/12"]);
    attach(c2, ["10.32.0.2/12"]);
    const port = findLink(netlink, { name: hostPorts()[0]! })!;
    changeLink(netlink, port.index, { master: 0 });
    expect(attach(c1, ["10.32.0.1/12"]).added).toEqual([]);
    expect(deliver(c1, c2, "10.32.0.2")).toBe("10.32.0.1");
  });
});

describe("the name of a container's port", () => {
  test("is the same every time, 15 characters long, and never one in use", () => {
    const name = hostInterfaceName("netns:c1", () => false);
    expect(name).toMatch(/^vethwepl[0-9a-z]{7}$/);
    expect(hostInterfaceName("netns:c1", () => false)).toBe(name);
    const other = hostInterfaceName("netns:c1", (taken) => taken === name);
    expect(other).toMatch(/^vethwepl[0-9a-z]{7}$/);
    expect(other).not.toBe(name);
    expect(() => hostInterfaceName("netns:c1", () => true)).toThrow(RangeError);
  });
});
