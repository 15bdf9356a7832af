import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { type Container, type Host, Lab } from "../../hosts/lab.ts";
import { killed, must } from "../../hosts/shell.ts";
import { hear, pingDuring, Talk, transfer } from "../../hosts/traffic.ts";
import { carriedBy, launch, useOpenvswitch } from "./hosts.ts";

function tc(host: Host, ...words: readonly string[]): string[] {
  return ["tc", "-n", host.namespace, ...words];
}

describe("two routers on kernels with openvswitch", () => {
  let lab: Lab;
  let one: Host;
  let two: Host;
  let c1: Container;
  let c2: Container;
  let ip1: string;
  let ip2: string;

  beforeAll(async () => {
    lab = await Lab.onSwitch("ko", 2);
    [one, two] = lab.hosts as [Host, Host];
    for (const host of [one, two]) await useOpenvswitch(host);
    await launch(one);
    await launch(two, [one.ip]);
    c1 = await one.container("c1");
    c2 = await two.container("c2");
    ip1 = await one.mustWeave(["attach", c1.reference]);
    ip2 = await two.mustWeave(["attach", c2.reference]);
  });

  afterAll(() => lab?.[Symbol.asyncDispose]());

  test("are connected over fastdp", async () => {
    expect(await carriedBy(two, "fastdp")).toContain("mtu=1376");
    await carriedBy(one, "fastdp");
    expect(await one.mustWeave(["report", "-f", "{{.Router.Datapath.Backend}}"])).toBe("ovs");
  });

  test("let their containers reach each other, by VXLAN with the short ids of both", async () => {
    await c1.pings(ip2);
    await c2.pings(ip1);
    const capture = two.exec(
      [
        "tcpdump",
        "-i",
        "eth0",
        "-n",
        "-v",
        "-c",
        "3",
        "udp",
        "port",
        "6784",
        "and",
        "greater",
        "140",
      ],
      { waitMs: 20_000 },
    );
    await must(c1.command(["ping", "-c", "30", "-i", "0.1", ip2]));
    const text = (await capture).stdout;
    expect(text).toMatch(/ttl 64, id \d+, offset 0, flags \[DF\]/);
    expect(text).toMatch(/192\.168\.77\.[12]\.\d+ > 192\.168\.77\.[12]\.6784: /);
  });

  test("carry TCP, broadcast and multicast", async () => {
    const { sent, received } = await transfer(c1, c2, ip2, 10_000_000);
    expect(received).toBe(sent);
    expect(await hear(c1, c2, "10.47.255.255")).toBe(`hello from ${ip1}`);
    expect(await hear(c1, c2, "239.1.2.3", "239.1.2.3")).toBe(`hello from ${ip1}`);
  });

  test("lose no packet when one of them is killed and comes back", async () => {
    await c1.pings(ip2);
    const talk = await Talk.begin(c1, c2, ip2);
    const counts = await pingDuring(c1, ip2, async () => {
      await killed(await two.routerPid());
      await talk.goesOn();
      await launch(two, [one.ip]);
      await carriedBy(two, "fastdp");
      await talk.goesOn();
    });
    talk.end();
    expect(counts.sent).toBeGreaterThan(100);
    expect(counts.received).toBe(counts.sent);
  });

  test("use sleeve when VXLAN does not get through, and come back to fastdp", async () => {
    await must(tc(one, "qdisc", "add", "dev", "eth0", "clsact"));
    const match = ["protocol", "ip", "flower", "ip_proto", "udp", "dst_port", "6784"];
    await must(tc(one, "filter", "add", "dev", "eth0", "ingress", ...match, "action", "drop"));
    await carriedBy(two, "sleeve");
    await c1.pings(ip2);
    await must(tc(one, "qdisc", "del", "dev", "eth0", "clsact"));
    await carriedBy(two, "fastdp", 1, 70_000);
    await c1.pings(ip2);
  });
});
