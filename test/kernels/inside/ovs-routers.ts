import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { makeVni } from "../../../lib/overlay/fastdp/vni.ts";
import { Capture, plainVxlan, vxlanHeaders } from "../../hosts/capture.ts";
import { meshOverFastdp, overFor } from "../../hosts/fastdp-lab.ts";
import type { Host, Lab } from "../../hosts/lab.ts";
import { BusyPair, faultMaxMs, outlivesRouters } from "../../hosts/losing-routers.ts";
import { eventually, must } from "../../hosts/shell.ts";
import { hear, transfer } from "../../hosts/traffic.ts";
import { useOpenvswitch } from "./hosts.ts";

function tc(host: Host, ...words: readonly string[]): string[] {
  return ["tc", "-n", host.namespace, ...words];
}

async function shortIdOf(host: Host): Promise<number> {
  const { Peers } = JSON.parse(await host.mustWeave(["report"])).Router;
  return Peers.find(({ Name }: { Name: string }) => Name === host.peerName).ShortID;
}

describe("two routers on kernels with openvswitch", () => {
  let lab: Lab;
  let pair: BusyPair;

  beforeAll(async () => {
    lab = await meshOverFastdp("ko", 2, useOpenvswitch);
    pair = await BusyPair.begin(lab);
  }, faultMaxMs);

  afterAll(async () => {
    pair?.end();
    await lab?.[Symbol.asyncDispose]();
  });

  test("are connected over fastdp", async () => {
    for (const host of pair.hosts) {
      expect(await overFor(host, "fastdp", 1)).toContain("mtu=1376");
      expect(await host.mustWeave(["report", "-f", "{{.Router.Datapath.Backend}}"])).toBe("ovs");
    }
  });

  test("send plain VXLAN with the short ids of both", async () => {
    const { one, two, left, right } = pair;
    const [id1, id2] = [await shortIdOf(one), await shortIdOf(two)];
    await using capture = await Capture.start(two, "eth0", "udp dst port 6784");
    const vnis = () => new Set(capture.packets.map((packet) => vxlanHeaders(packet).vni));
    await eventually(
      "packets both ways",
      () => must(left.container.command(["ping", "-q", "-c", "3", "-i", "0.1", right.ip])),
      () => vnis().size >= 2,
    );
    for (const packet of capture.packets) expect(vxlanHeaders(packet)).toMatchObject(plainVxlan);
    expect(vnis()).toEqual(new Set([makeVni(id1, id2), makeVni(id2, id1)]));
  });

  test("carry TCP, broadcast and multicast", async () => {
    const { left, right } = pair;
    const [from, to] = [left.container, right.container];
    const { sent, received } = await transfer(from, to, right.ip, 10_000_000);
    expect(received).toBe(sent);
    expect(await hear(from, to, "10.47.255.255")).toBe(`hello from ${left.ip}`);
    expect(await hear(from, to, "239.1.2.3", "239.1.2.3")).toBe(`hello from ${left.ip}`);
  });

  outlivesRouters(() => pair);

  test(
    "use sleeve when VXLAN does not get through, and come back to fastdp",
    async () => {
      const { one } = pair;
      await must(tc(one, "qdisc", "add", "dev", "eth0", "clsact"));
      const match = ["protocol", "ip", "flower", "ip_proto", "udp", "dst_port", "6784"];
      await must(tc(one, "filter", "add", "dev", "eth0", "ingress", ...match, "action", "drop"));
      await pair.bothUse("sleeve");
      await must(tc(one, "qdisc", "del", "dev", "eth0", "clsact"));
      await pair.bothUse("fastdp");
    },
    faultMaxMs,
  );

  test("leave nothing behind after a reset, and what others have", async () => {
    const { one, two } = pair;
    pair.end();
    const foreign = ["filter", "add", "dev", "eth0", "ingress", "prio", "7", "matchall"];
    await must(tc(one, "qdisc", "add", "dev", "eth0", "clsact"));
    await must(tc(one, ...foreign, "action", "ok"));
    for (const host of [two, one]) await host.mustWeave(["reset"]);
    for (const host of [two, one]) {
      const links = (await host.exec(["ip", "-o", "link"])).stdout;
      expect(links.match(/: (vethwe|weave|vxlan|datapath|ovs)[^:@]*/g) ?? []).toEqual([]);
    }
    const filters = await must(tc(one, "filter", "show", "dev", "eth0", "ingress"));
    expect(filters).toContain("pref 7");
  });
});
