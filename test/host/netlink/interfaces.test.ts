import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { NETLINK_ROUTE, NetlinkSocket } from "../../../ffi/libnl.ts";
import { formatCidr, parseCidr, parseIp } from "../../../lib/base/ip.ts";
import { addAddress, deleteAddress, listAddresses } from "../../../lib/host/netlink/address.ts";
import type { Netlink } from "../../../lib/host/netlink/conversation.ts";
import {
  changeLink,
  createBridge,
  createVeth,
  decodeLink,
  deleteLink,
  findLink,
  linkChanges,
  listLinks,
  macBytes,
} from "../../../lib/host/netlink/link.ts";
import { decodeMessages } from "../../../lib/host/netlink/message.ts";
import { namespaceId } from "../../../lib/host/netlink/namespace-id.ts";
import { openRoute } from "../../../lib/host/netlink/open.ts";
import { addRoute, deleteRoute, listRoutes } from "../../../lib/host/netlink/route.ts";
import type { NetworkNamespace } from "../../../lib/host/netns.ts";
import { Laboratory } from "../laboratory.ts";

describe("interfaces of the kernel", () => {
  const laboratory = new Laboratory("links");
  let here: NetworkNamespace;
  let there: NetworkNamespace;
  let netlink: Netlink;

  beforeAll(() => {
    here = laboratory.namespace("here");
    there = laboratory.namespace("there");
    netlink = openRoute(here);
  });
  afterAll(() => {
    netlink.close();
    laboratory.close();
  });

  test("are found by name and index, or not at all", () => {
    const lo = findLink(netlink, { name: "lo" })!;
    expect(lo).toMatchObject({ name: "lo", up: true, kind: "" });
    expect(findLink(netlink, { index: lo.index })).toEqual(lo);
    expect(findLink(netlink, { name: "nosuch" })).toBeUndefined();
    expect(findLink(netlink, { name: "n".repeat(300) })).toBeUndefined();
    expect(deleteLink(netlink, 4711)).toBe(false);
  });

  test("keep the MAC, MTU, alias and state they are given", () => {
    const mac = Uint8Array.fromHex("8a3e3e3e3e3e");
    createBridge(netlink, { name: "br0", mac });
    const { index } = findLink(netlink, { name: "br0" })!;
    changeLink(netlink, index, { mtu: 65535, up: true, alias: "the bridge" });
    const bridge = findLink(netlink, { index })!;
    expect(bridge).toMatchObject({
      kind: "bridge",
      mac: "8a:3e:3e:3e:3e:3e",
      mtu: 65535,
      up: true,
      alias: "the bridge",
    });
    expect(macBytes(bridge)).toEqual(mac);
    changeLink(netlink, index, { name: "br1", up: false });
    expect(findLink(netlink, { name: "br1" })).toMatchObject({ index, up: false });
    expect(() => createBridge(netlink, { name: "br1" })).toThrow(
      expect.objectContaining({ code: "SYS_EEXIST" }),
    );
    expect(deleteLink(netlink, index)).toBe(true);
  });

  test("reach into another namespace, which tells where they lead", () => {
    createBridge(netlink, { name: "br0" });
    const bridge = findLink(netlink, { name: "br0" })!;
    createVeth(
      netlink,
      { name: "near", master: bridge.index, mtu: 9000 },
      { name: "far", namespaceDescriptor: there.descriptor, mtu: 9000 },
    );
    using remote = openRoute(there);
    const near = findLink(netlink, { name: "near" })!;
    const far = findLink(remote, { name: "far" })!;
    expect(near).toMatchObject({ kind: "veth", master: bridge.index, peer: far.index, mtu: 9000 });
    expect(far.peer).toBe(near.index);
    expect(near.peerNamespace).toBe(namespaceId(netlink, there.descriptor)!);
    expect(namespaceId(netlink, here.descriptor)).toBeUndefined();
    const { peerNamespace: _, ...farAsItIs } = far;
    expect(findLink(netlink, { index: far.index, namespace: near.peerNamespace! })).toMatchObject(
      farAsItIs,
    );
    changeLink(netlink, near.index, { hairpin: true });
    expect(findLink(netlink, { name: "near" })!.hairpin).toBe(true);
    expect(listLinks(netlink).map(({ name }) => name)).toEqual(["lo", "br0", "near"]);
    deleteLink(remote, far.index);
    expect(findLink(netlink, { name: "near" })).toBeUndefined();
    deleteLink(netlink, bridge.index);
  });

  test("hold addresses of both families", () => {
    createBridge(netlink, { name: "br0", up: true });
    const { index } = findLink(netlink, { name: "br0" })!;
    for (const text of ["10.32.0.1/12", "10.32.0.2/12", "fd00::1/64"]) {
      expect(addAddress(netlink, index, parseCidr(text))).toBe(true);
      expect(addAddress(netlink, index, parseCidr(text))).toBe(false);
    }
    const known = listAddresses(netlink, { interfaceIndex: index })
      .filter(({ scope }) => scope === 0)
      .map(({ cidr }) => formatCidr(cidr));
    expect(known).toEqual(["10.32.0.1/12", "10.32.0.2/12", "fd00::1/64"]);
    expect(deleteAddress(netlink, index, parseCidr("10.32.0.2/12"))).toBe(true);
    expect(deleteAddress(netlink, index, parseCidr("10.32.0.2/12"))).toBe(false);
    deleteLink(netlink, index);
    expect(deleteAddress(netlink, index, parseCidr("10.32.0.1/12"))).toBe(false);
  });

  test("carry routes, which are listed and removed", () => {
    createBridge(netlink, { name: "br0", up: true });
    const { index } = findLink(netlink, { name: "br0" })!;
    addAddress(netlink, index, parseCidr("10.32.0.1/12"));
    const groups = { destination: parseCidr("224.0.0.0/4"), interfaceIndex: index };
    const via = {
      destination: parseCidr("192.168.7.0/24"),
      interfaceIndex: index,
      gateway: parseIp("10.32.0.9"),
    };
    expect(addRoute(netlink, groups)).toBe(true);
    expect(addRoute(netlink, groups)).toBe(false);
    expect(addRoute(netlink, via)).toBe(true);
    const shown = listRoutes(netlink).map(({ destination }) => formatCidr(destination!));
    expect(shown.sort()).toEqual(["10.32.0.0/12", "192.168.7.0/24", "224.0.0.0/4"]);
    expect(deleteRoute(netlink, via)).toBe(true);
    expect(deleteRoute(netlink, via)).toBe(false);
    deleteLink(netlink, index);
    expect(listRoutes(netlink)).toEqual([]);
  });

  test("tell subscribers of their changes", () => {
    const watcher = here.run(() => new NetlinkSocket(NETLINK_ROUTE));
    watcher.join(linkChanges.group);
    watcher.setNonBlocking();
    expect(watcher.receive()).toBeUndefined();
    createBridge(netlink, { name: "br0" });
    const told: string[] = [];
    for (let datagram = watcher.receive(); datagram !== undefined; datagram = watcher.receive()) {
      told.push(...decodeMessages(datagram).map((message) => decodeLink(message).name));
    }
    expect(told).toContain("br0");
    deleteLink(netlink, findLink(netlink, { name: "br0" })!.index);
    watcher.close();
    watcher.close();
  });

  test("explain in the kernel's words why a change was refused", () => {
    const lo = findLink(netlink, { name: "lo" })!;
    expect(() => changeLink(netlink, lo.index, { master: lo.index })).toThrow(/netlink interface/);
    expect(() => addAddress(netlink, 4711, parseCidr("10.0.0.1/8"))).toThrow(
      expect.objectContaining({ code: "SYS_ENODEV" }),
    );
  });
});
