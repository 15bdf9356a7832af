import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { hostState, stateDifference } from "./host-state.ts";
import { type Host, Lab } from "./lab.ts";
import { eventually, must } from "./shell.ts";

/** What other programs have on a host: none of it is a router's to touch. */
const theirs = `
  link add theirs0 type bridge
  link add theirs1 address fe:41:00:00:00:01 master theirs0 type veth peer name theirs2
  link set theirs1 alias theirs up
  link set theirs2 up
  link set theirs0 up
  addr add 172.30.0.1/24 dev theirs0
  link add vethwelike type veth peer name vethwe-like2
  route add 10.99.0.0/16 via 172.30.0.9
  rule add from 10.99.0.0/16 lookup 99
  neigh add 172.30.0.9 lladdr 02:00:00:00:00:09 nud permanent dev theirs0

`;
const theirRules = `
  table inet theirs {
    set friends { type ipv4_addr; elements = { 10.99.0.1 } }
    chain input { type filter hook input priority 5; ip saddr @friends accept; }
  }
  table ip weave-not {
    chain forward { type filter hook forward priority 10; }
  }
`;
const theirPrograms = [
  "iptables -A INPUT -s 10.99.0.2 -j DROP",
  "iptables -N WEAVE-THEIRS",
  "iptables -P FORWARD DROP",
  "iptables -t nat -A POSTROUTING -s 10.99.0.0/16 -j MASQUERADE",
  "iptables-legacy -A INPUT -s 10.99.0.3 -j DROP",
  "ipset create theirs hash:net",
  "ipset add theirs 10.99.0.0/16",
  "tc qdisc add dev theirs1 clsact",
  "tc filter add dev theirs1 ingress protocol ip u32 match u32 0 0 classid 1:1",
  "tc qdisc replace dev theirs2 root tbf rate 1gbit burst 64k latency 50ms",
  "tc qdisc add dev eth0 clsact",
  "tc filter add dev eth0 egress protocol ip u32 match u32 0 0 classid 1:1",
  "sysctl -q net.ipv4.conf.theirs0.rp_filter=2",
  "ip xfrm policy add dir out src 172.30.0.1 dst 172.30.0.9 tmpl src 172.30.0.1 dst 172.30.0.9 proto esp mode transport",
];

describe("a host on which other programs have rules, devices and filters", () => {
  let lab: Lab;
  let one: Host;
  let two: Host;
  let before: string[];

  beforeAll(async () => {
    lab = await Lab.onSwitch("wln", 2);
    [one, two] = lab.hosts as [Host, Host];
    const inside = ["nsenter", `--net=/run/netns/${one.namespace}`];
    await must([...inside, "ip", "-batch", "-"], { stdin: theirs });
    await must([...inside, "nft", "-f", "-"], { stdin: theirRules });
    for (const program of theirPrograms) await must([...inside, ...program.split(" ")]);
    await two.launch();
    await eventually(
      "addresses that the kernel is sure of",
      () => must([...inside, "ip", "-6", "address", "show", "tentative"]),
      (tentative) => tentative === "",
    );
    before = await hostState(one);
  });
  afterAll(() => lab?.[Symbol.asyncDispose]());

  for (const [how, fastdp, more] of [
    ["with a datapath", true, []],
    ["with frames captured, under a password, at other ports", false, ["--port", "7783"]],
  ] as const) {
    test(`is after a reset as it was before a router ${how}`, async () => {
      one.fastdp = fastdp;
      const secret = fastdp ? {} : { env: { WEAVE_PASSWORD: "for a moment" } };
      await one.launch([...more, ...(fastdp ? [two.ip] : [])], secret);
      if (fastdp) await one.established(1);
      const container = await one.container(fastdp ? "a" : "b");
      await one.mustWeave(["attach", container.reference]);
      const exposed = await one.mustWeave(["expose", "-h", "host.weave.local"]);
      await container.pings(exposed);
      const during = await hostState(one);
      expect(stateDifference(before, during).filter((line) => line.startsWith("-"))).toEqual([]);
      // The kernel gives a bridge the smallest MTU of its ports, and takes it back.
      await one.mustWeave(["attach-bridge", "theirs0"]);
      await one.mustWeave(["reset"]);
      expect(stateDifference(before, await hostState(one))).toEqual([]);
      expect((await container.exec(["nft", "list", "ruleset"])).stdout).toBe("");
      expect((await container.exec(["ip", "-br", "link"])).stdout).not.toContain("ethwe");
    });
  }
});
