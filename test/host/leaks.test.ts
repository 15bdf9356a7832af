import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readdirSync, readlinkSync } from "node:fs";
import { parseCidr } from "../../lib/base/ip.ts";
import { parsePeerName } from "../../lib/base/peer-name.ts";
import { attachContainer, detachContainer } from "../../lib/host/attach.ts";
import { listAttachments } from "../../lib/host/attachments.ts";
import { capturedMtu, prepareBridge, removeBridge } from "../../lib/host/bridge.ts";
import { DataPlane } from "../../lib/host/dataplane/data-plane.ts";
import { defaultDeviceNames as names } from "../../lib/host/device-names.ts";
import { Exposure } from "../../lib/host/exposure.ts";
import { removeFirewall } from "../../lib/host/firewall/firewall.ts";
import { listAddresses } from "../../lib/host/netlink/address.ts";
import { findLink, listLinks } from "../../lib/host/netlink/link.ts";
import { listTables } from "../../lib/host/netlink/nftables.ts";
import { openNetfilter, openRoute } from "../../lib/host/netlink/open.ts";
import { listRoutes } from "../../lib/host/netlink/route.ts";
import type { NetworkNamespace } from "../../lib/host/netns.ts";
import { eventually } from "../hosts/shell.ts";
import { cidrs, Laboratory, recordingLog } from "./laboratory.ts";

describe("everything the host room does", () => {
  const laboratory = new Laboratory("leaks");
  let host: NetworkNamespace;
  let container: NetworkNamespace;

  beforeAll(async () => {
    host = laboratory.namespace("h");
    container = laboratory.namespace("c");
    // Libraries and threads that stay for the life of the process are loaded before counting.
    await everything();
  });
  afterAll(() => laboratory.close());

  function seen(): object {
    const inside = (namespace: NetworkNamespace): object => {
      using route = openRoute(namespace);
      using netfilter = openNetfilter(namespace);
      const links = listLinks(route);
      return {
        links,
        addresses: links.flatMap(({ index }) => listAddresses(route, { interfaceIndex: index })),
        routes: [...listRoutes(route, 4), ...listRoutes(route, 6)],
        tables: [...listTables(netfilter, "ip"), ...listTables(netfilter, "inet")],
      };
    };
    return { host: inside(host), container: inside(container), descriptors: descriptors() };
  }

  /**
   * What is open, without the runtime's own event machinery, and without the standard input of
   * processes that other tests started: the runtime closes it when it collects garbage.
   */
  function descriptors(): string[] {
    return readdirSync("/proc/self/fd")
      .flatMap((descriptor) => {
        try {
          return readlinkSync(`/proc/self/fd/${descriptor}`).replace(/\d+/g, "");
        } catch {
          return [];
        }
      })
      .filter((target) => /socket|eventfd|net:|\/run\/netns|memfd/.test(target))
      .filter((target) => !target.startsWith("/memfd:spawn_stdio"))
      .sort();
  }

  async function everything(): Promise<void> {
    const log = recordingLog();
    using netlink = openRoute(host);
    const target = { ident: "c", namespace: container, bridgeName: "weave", log };
    const plane = host.run(() => {
      const peer = parsePeerName("::1");
      const { capture } = prepareBridge(netlink, { names, peer, mtu: capturedMtu });
      attachContainer(target, { addresses: cidrs("10.32.0.1/12"), multicastRoute: true });
      expect(() =>
        attachContainer(target, { addresses: cidrs("ff02::1/64"), multicastRoute: true }),
      ).toThrow();
      expect(listAttachments(netlink, "weave")).toHaveLength(1);
      new Exposure("weave").expose({ cidr: parseCidr("10.32.0.9/12"), masquerade: true });
      return new DataPlane({
        local: peer,
        captureInterface: capture.index,
        host: 0,
        port: 6783,
        log,
      });
    });
    await plane.ready;
    plane.recapture(findLink(netlink, { name: names.capture })!.index);
    await plane.inspect();
    await plane.stop();
    host.run(() => {
      detachContainer(target, cidrs("10.32.0.1/12"));
      removeFirewall();
      removeBridge(netlink, names);
    });
  }

  test("leaves links, addresses, routes, rules and descriptors as they were", async () => {
    const before = seen();
    for (let round = 0; round < 3; round++) await everything();
    // Some sockets are closed by another thread.
    const after = await eventually(
      "as many descriptors as before",
      async () => seen(),
      (now) => Bun.deepEquals(now, before),
    ).catch(() => seen());
    expect(after).toEqual(before);
  });
});
