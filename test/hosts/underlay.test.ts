import { describe, expect, test } from "bun:test";
import { type Host, Lab } from "./lab.ts";
import { eventually, must } from "./shell.ts";

/** A heartbeat shows a new address; beats come after 11 s at most, and a ping under way is lost. */
const followedWithinMs = 15_000;

function filter(host: Host, args: readonly string[]): Promise<string> {
  return must(["nsenter", `--net=/run/netns/${host.namespace}`, "iptables", ...args]);
}

describe("an underlay", () => {
  test("that drops datagrams beyond 700 octets without a word is found out, in both directions", async () => {
    await using lab = await Lab.onSwitch("xu", 2);
    const [one, two] = lab.hosts as [Host, Host];
    for (const host of [one, two]) {
      const long = ["-m", "length", "--length", "701:65535"];
      await filter(host, ["-A", "INPUT", "-p", "udp", "--dport", "6783", ...long, "-j", "DROP"]);
      // A wire carries datagrams, not runs of them.
      await host.exec(["ethtool", "-K", "eth0", "tx-udp-segmentation", "off"]);
    }
    await one.launch();
    await two.launch([one.ip]);
    await two.established(1);
    const [a, b] = [await one.container("ca"), await two.container("cb")];
    const ipA = await one.mustWeave(["attach", a.reference]);
    const ipB = await two.mustWeave(["attach", b.reference]);
    await a.pings(ipB);
    for (const [from, to] of [
      [a, ipB],
      [b, ipA],
    ] as const) {
      await eventually(
        `a ping of 10000 octets to ${to}`,
        () => from.exec(["ping", "-c", "1", "-W", "2", "-s", "10000", to]),
        ({ code }) => code === 0,
        35_000,
      );
    }
  });

  test("that translates addresses, and later does so otherwise, carries frames", async () => {
    await using lab = await Lab.inLine("xt", 3);
    const [inside, gateway, outside] = lab.hosts as [Host, Host, Host];
    await must([
      "nsenter",
      `--net=/run/netns/${gateway.namespace}`,
      "sysctl",
      "-qw",
      "net.ipv4.ip_forward=1",
    ]);
    await must([
      "ip",
      "-n",
      inside.namespace,
      "route",
      "add",
      "192.168.2.0/24",
      "via",
      "192.168.1.2",
    ]);
    const udp = [
      "POSTROUTING",
      "-t",
      "nat",
      "-p",
      "udp",
      "-o",
      "next",
      "-j",
      "SNAT",
      "--to-source",
    ];
    await filter(gateway, ["-A", ...udp, "192.168.2.1:20000-20009"]);
    await filter(gateway, ["-t", "nat", "-A", "POSTROUTING", "-o", "next", "-j", "MASQUERADE"]);
    await outside.launch();
    await inside.launch(["192.168.2.2"]);
    await inside.established(1);
    const [a, c] = [await inside.container("ca"), await outside.container("cc")];
    await inside.mustWeave(["attach", a.reference]);
    const ip = await outside.mustWeave(["attach", c.reference]);
    await a.pings(ip);
    // The gateway forgets the translation and makes another.
    await filter(gateway, ["-R", "POSTROUTING", "1", ...udp.slice(1), "192.168.2.1:30000-30009"]);
    await must([
      "nsenter",
      `--net=/run/netns/${gateway.namespace}`,
      "conntrack",
      "-D",
      "-p",
      "udp",
    ]);
    await a.pings(ip, followedWithinMs);
    await c.pings(await inside.mustWeave(["attach", a.reference]), followedWithinMs);
    expect(await outside.established(1)).toContain("192.168.2.1:");
  });
});
