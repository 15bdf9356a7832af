import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { basename, join } from "node:path";
import type { Diagnosis } from "../../lib/diagnosis/doctor/diagnosis.ts";
import type { Finding } from "../../lib/diagnosis/finding.ts";
import type { Explanation } from "../../lib/diagnosis/why/explanation.ts";
import { type Container, type Host, Lab } from "./lab.ts";
import { eventually, must } from "./shell.ts";
import { weaveOnPath } from "./weave-on-path.ts";

/**
 * Real faults: each is named by `doctor` or `why` on the host where it can be mended, and the
 * commands that are printed mend it as they stand.
 */
const labTestMaxMs = 120_000;

async function doctor(host: Host): Promise<Diagnosis> {
  return JSON.parse((await host.weave(["doctor", "--json"])).stdout);
}

async function why(host: Host, ...places: readonly string[]): Promise<Explanation> {
  return JSON.parse((await host.weave(["why", ...places, "--json"])).stdout);
}

/** Waits until the host's doctor finds this. */
async function found(host: Host, code: Finding["code"], waitMs = 30_000): Promise<Finding> {
  const { findings } = await eventually(
    `${code} at ${host.namespace}`,
    () => doctor(host),
    (answer) => answer.findings.some((each) => each.code === code),
    waitMs,
  );
  return findings.find((each) => each.code === code)!;
}

/** Waits until the host's doctor finds nothing that matters. */
function healthy(host: Host, waitMs = 90_000): Promise<unknown> {
  return eventually(
    `health of ${host.namespace}`,
    () => host.weave(["doctor"]),
    ({ code }) => code === 0,
    waitMs,
  );
}

/** Runs the commands of a finding as a shell on this host does. */
async function mend(host: Host, { commands }: Pick<Finding, "commands">): Promise<void> {
  expect(commands).not.toEqual([]);
  const env = { ...host.env, ...weaveOnPath(host.lab.folder) };
  for (const command of commands) {
    const { code, stdout, stderr } = await host.exec(["sh", "-c", command], { env });
    if (code !== 0) throw new Error(`${command}: exit ${code}\n${stdout}${stderr}`);
  }
}

describe("two hosts with a datapath", () => {
  let lab: Lab;
  let one: Host;
  let two: Host;
  let c1: Container;
  let c2: Container;
  let ip1: string;
  let ip2: string;

  beforeAll(async () => {
    lab = await Lab.onSwitch("wdd", 2);
    [one, two] = lab.hosts as [Host, Host];
    for (const host of lab.hosts) host.fastdp = true;
    await one.launch();
    await two.launch([one.ip]);
    c1 = await one.container("c1");
    c2 = await two.container("c2");
    ip1 = await one.mustWeave(["attach", c1.reference]);
    ip2 = await two.mustWeave(["attach", c2.reference]);
    await c1.pings(ip2);
  }, labTestMaxMs);
  afterAll(() => lab?.[Symbol.asyncDispose]());

  test("in which nothing is wrong: doctor says so on its first line, and why shows the way", async () => {
    for (const host of lab.hosts) await healthy(host);
    const { stdout } = await one.weave(["doctor"]);
    expect(stdout).toBe("Nothing found to mend: looked at host1, 1 link, 2 peers, 1 container.\n");
    const { verdict, steps } = await why(one, c1.reference, ip2);
    expect(verdict).toBe("whole");
    expect(steps.map(({ kind }) => kind)).toEqual(["container", "bridge", "hop", "unseen"]);
    const [container, bridge, hop, unseen] = steps.map(
      ({ details }) => new Map(details.map(({ name, value }) => [name, value])),
    );
    expect(container!.get("neighbour")).toContain(`${ip2} is at `);
    expect(bridge!.get("macs")).toContain("lives at host2");
    expect(hop!.get("overlay")).toBe("fastdp, ebpf in the kernel");
    expect(hop!.get("underlay")).toBe("over eth0, MTU 1500");
    expect(unseen!.get("inside")).toContain(`on host2 run: weave why ${ip1} ${ip2}`);
    // What is printed can be run there.
    expect((await why(two, ip1, ip2)).verdict).toBe("whole");
  });

  test(
    "of which one filters VXLAN: the rule is named there, and the slower overlay on the other",
    async () => {
      const rule = ["INPUT", "-p", "udp", "--dport", "6784", "-j", "DROP"];
      await must(["nsenter", `--net=/run/netns/${two.namespace}`, "iptables", "-A", ...rule]);
      const drop = await found(two, "FIREWALL_DROPS");
      expect(drop.sentence).toContain("'-A INPUT -p udp -m udp --dport 6784 -j DROP'");
      const { sentence } = await found(one, "LINK_DEGRADED");
      expect(sentence).toContain("take sleeve: fastdp: ");
      expect((await why(one, "host2")).verdict).toBe("degraded");
      expect((await one.weave(["doctor"])).code).toBe(5);
      expect((await two.weave(["doctor"])).code).toBe(6);
      await mend(two, drop);
      for (const host of lab.hosts) await healthy(host);
    },
    labTestMaxMs,
  );

  test(
    "of which one filters with nftables: the rule is named, and an accept goes before it",
    async () => {
      const nft = (line: string) => two.exec(["nft", line]);
      await nft("add table inet ours");
      await nft("add chain inet ours in { type filter hook input priority 0; policy accept; }");
      await nft("add rule inet ours in udp dport 6783-6784 drop");
      const drop = await found(two, "FIREWALL_DROPS");
      expect(drop.sentence).toContain("nft table inet ours");
      for (;;) {
        const { findings } = await doctor(two);
        const next = findings.find(({ code }) => code === "FIREWALL_DROPS");
        if (next === undefined) break;
        await mend(two, next);
      }
      for (const host of lab.hosts) await healthy(host);
      await nft("delete table inet ours");
    },
    labTestMaxMs,
  );

  test(
    "of which one has a device that is too small",
    async () => {
      await must(["ip", "-n", one.namespace, "link", "set", "eth0", "mtu", "1300"]);
      const small = await found(one, "UNDERLAY_MTU");
      expect(small.sentence).toContain("eth0, towards host2 (00:00:00:00:00:02), has MTU 1300");
      expect((await why(one, "host2")).findings.map(({ code }) => code)).toContain("UNDERLAY_MTU");
      await mend(one, small);
      for (const host of lab.hosts) await healthy(host);
    },
    labTestMaxMs,
  );

  test("where a container lost its route", async () => {
    await must(["ip", "-n", c1.namespace, "route", "del", "10.32.0.0/12", "dev", "ethwe"]);
    const { verdict, answer, findings } = await why(one, c1.reference, ip2);
    expect(verdict).toBe("broken");
    expect(answer).toContain("no route to 10.32.0.0/12 over ethwe");
    await mend(one, findings[0]!);
    await c1.pings(ip2);
    expect((await why(one, c1.reference, ip2)).verdict).toBe("whole");
  });

  test("where a container was told a wrong MAC address", async () => {
    const told = ["neigh", "replace", ip2, "lladdr", "02:00:00:00:00:99", "nud", "permanent"];
    await must(["ip", "-n", c1.namespace, ...told, "dev", "ethwe"]);
    const { findings } = await why(one, c1.reference, ip2);
    expect(findings.map(({ code }) => code)).toEqual(["NEIGHBOUR_FIXED"]);
    await mend(one, findings[0]!);
    await c1.pings(ip2);
  });

  test("where a container was told the MAC address of another container", async () => {
    const other = await one.container("c3");
    const ip3 = await one.mustWeave(["attach", other.reference]);
    const told = ["neigh", "replace", ip3, "lladdr", "02:00:00:00:00:99", "nud", "permanent"];
    await must(["ip", "-n", c1.namespace, ...told, "dev", "ethwe"]);
    const wrong = await found(one, "NEIGHBOUR_WRONG");
    expect(wrong.sentence).toContain(`and ${other.reference} has it at `);
    await mend(one, wrong);
    await c1.pings(ip3);
  });

  test("where a container's interface is down", async () => {
    await must(["ip", "-n", c1.namespace, "link", "set", "ethwe", "down"]);
    await mend(one, await found(one, "INTERFACE_DOWN"));
    await c1.pings(ip2);
  });

  test("where a container's interface is gone, and cannot be put back as long as another is there", async () => {
    const inside = ["ip", "-n", c1.namespace, "-batch", "-"];
    const stdin = "link del ethwe\nlink add ethwe type bridge\n";
    const pid = await one.routerPid();
    process.kill(pid, "SIGSTOP");
    try {
      await must(inside, { stdin });
    } finally {
      process.kill(pid, "SIGCONT");
    }
    const gone = await found(one, "CONTAINER_DETACHED");
    expect(gone.commands).toEqual([`weave attach ${c1.reference}`]);
    await must(["ip", "-n", c1.namespace, "link", "del", "ethwe"]);
    await mend(one, gone);
    await c1.pings(ip2);
  });
});

// These have hosts of their own, and wait for most of their time: the one does beside the other.
test.concurrent(
  "a way over a third host: why tells every hop, and the size of packets that shrinks behind us",
  async () => {
    await using lab = await Lab.inLine("wdl", 3);
    const [one, two, three] = lab.hosts as [Host, Host, Host];
    // What is longer than 1300 octets is lost on the way to host 2 without a word; the filter is to
    // see datagrams, not runs of them.
    await must([
      "ip",
      "netns",
      "exec",
      one.namespace,
      "ethtool",
      "-K",
      "next",
      "tx-udp-segmentation",
      "off",
    ]);
    const long = ["-p", "udp", "--dport", "6783", "-m", "length", "--length", "1301:65535"];
    await must([
      "ip",
      "netns",
      "exec",
      two.namespace,
      "iptables",
      "-A",
      "INPUT",
      ...long,
      "-j",
      "DROP",
    ]);
    await two.launch(["--no-discovery"]);
    await one.launch(["--no-discovery", "192.168.1.2"]);
    await three.launch(["--no-discovery", "192.168.2.1"]);
    await one.reaches(2);
    await three.reaches(2);
    const left = await one.container("left");
    const right = await three.container("right");
    await one.mustWeave(["attach", left.reference]);
    const ip = await three.mustWeave(["attach", right.reference]);
    await left.pings(ip);
    const { answer, steps } = await why(one, left.reference, ip);
    expect(answer).toContain("over 2 hops");
    const hops = steps.filter(({ kind }) => kind === "hop");
    expect(hops.map(({ title }) => title)).toEqual(["host1 → host2", "host2 → host3"]);
    expect(hops[1]!.details.map(({ value }) => value)).toContain("known by host2 and host3 alone");
    const shrinks = "containers' of 1238 octets pass whole, though next takes 1500";
    await eventually(
      "the size that the search ends with",
      () => doctor(one),
      ({ findings }) =>
        findings.some((each) => each.code === "PATH_MTU_SMALL" && each.sentence.includes(shrinks)),
      35_000,
    );
    expect((await found(two, "FIREWALL_MAY_DROP")).sentence).toContain("--length 1301:65535");
  },
  labTestMaxMs,
);

test.concurrent(
  "two hosts of one name: the one that dials says so, and gets another",
  async () => {
    await using lab = await Lab.onSwitch("wdn", 2);
    const [one, two] = lab.hosts as [Host, Host];
    await one.launch();
    await two.mustWeave(["launch", "--no-fastdp", "--name", one.peerName, one.ip]);
    const collision = await found(two, "NAME_COLLISION");
    expect(collision.sentence).toContain("peer names collision");
    await mend(two, collision);
    await two.established(1);
  },
  labTestMaxMs,
);

test.concurrent(
  "two hosts of which one is heard and does not hear: the other says so, also when asked why",
  async () => {
    await using lab = await Lab.onSwitch("wdo", 2);
    const [one, two] = lab.hosts as [Host, Host];
    await one.launch();
    await two.launch([one.ip]);
    await two.established(1);
    const nft = (line: string) =>
      must(["nsenter", `--net=/run/netns/${lab.prefix}-sw`, "nft", line]);
    await nft("add table bridge cut");
    await nft("add chain bridge cut passing { type filter hook forward priority 0; }");
    await nft(`add rule bridge cut passing iifname h1 ip daddr ${two.ip} drop`);
    const { sentence, commands } = await found(one, "LINK_ONE_WAY", 60_000);
    expect(sentence).toContain(`packets of ${two.ip} arrive here`);
    for (const command of commands) expect(command).toContain(two.ip);
    expect((await why(one, "host2")).findings.map(({ code }) => code)).toContain("LINK_ONE_WAY");
    expect((await found(two, "LINK_FAILED")).sentence).toContain(one.ip);
    await nft("delete table bridge cut");
    for (const host of lab.hosts) await healthy(host);
  },
  labTestMaxMs,
);

/** Two hosts that disagree about addresses before they meet; the second then connects to the first. */
async function strangers(prefix: string, ranges: readonly string[], init: readonly string[]) {
  const lab = await Lab.onSwitch(prefix, 2);
  for (const [at, host] of lab.hosts.entries()) {
    await host.launch(["--ipalloc-range", ranges[at]!, ...init]);
    const container = await host.container(`r${host.number}`);
    await host.mustWeave(["attach", container.reference]);
  }
  await lab.hosts[1]!.mustWeave(["connect", lab.hosts[0]!.ip]);
  return lab;
}

for (const { what, prefix, code, ranges, init, says } of [
  {
    what: "of different ranges",
    prefix: "wdr",
    code: "RANGE_DIFFERS",
    ranges: ["10.40.0.0/16", "10.32.0.0/12"],
    init: ["--ipalloc-init", "seed=00:00:00:00:00:01,00:00:00:00:00:02"],
    says: "received: 10.40.0.0/16, ours: 10.32.0.0/12",
  },
  {
    what: "that formed two clusters",
    prefix: "wdk",
    code: "RING_CONFLICT",
    ranges: ["10.32.0.0/12", "10.32.0.0/12"],
    init: [],
    says: "seeded by different peers",
  },
] as const) {
  test.concurrent(
    `two hosts ${what}: both say so, and one can take the other's opinion`,
    async () => {
      await using lab = await strangers(prefix, ranges, init);
      const [one, two] = lab.hosts as [Host, Host];
      const different = await found(two, code);
      expect(different.sentence).toContain(says);
      await found(one, code);
      await mend(two, different);
      await two.established(1);
      const again = await two.container("again");
      await two.mustWeave(["attach", again.reference]);
      for (const host of lab.hosts) {
        await eventually(
          "one ring",
          () => doctor(host),
          ({ findings }) => !findings.some((each) => each.code === code),
        );
      }
    },
    labTestMaxMs,
  );
}

test.concurrent(
  "a host without a router: who has the port, and that a launch may go ahead afterwards",
  async () => {
    await using lab = await Lab.onSwitch("wdp", 1);
    const [one] = lab.hosts as [Host];
    one.fastdp = true;
    const probe = [process.execPath, join(import.meta.dir, "probe.ts"), "udp-hear", "6784"];
    const listener = Bun.spawn(["nsenter", `--net=/run/netns/${one.namespace}`, ...probe], {
      stdout: "ignore",
    });
    try {
      const taken = await found(one, "PORT_TAKEN");
      expect(taken.sentence).toContain(
        `is used by ${basename(process.execPath)} (pid ${listener.pid})`,
      );
      await mend(one, taken);
      await listener.exited;
    } finally {
      listener.kill();
    }
    await healthy(one);
    expect((await doctor(one)).findings.map(({ code }) => code)).toContain("ROUTER_ABSENT");
    await one.launch();
    await healthy(one);
  },
  labTestMaxMs,
);

test.concurrent(
  "a host whose router hangs: that is said, and the rest of the host looked at all the same",
  async () => {
    await using lab = await Lab.onSwitch("wdh", 1);
    const [one] = lab.hosts as [Host];
    await one.launch();
    const pid = await one.routerPid();
    process.kill(pid, "SIGSTOP");
    try {
      await must(["ip", "-n", one.namespace, "link", "set", "weave", "down"]);
      const { findings } = await doctor(one);
      expect(findings.map(({ code }) => code)).toEqual(
        expect.arrayContaining(["ROUTER_SILENT", "BRIDGE_DOWN"]),
      );
      await mend(one, findings.find(({ code }) => code === "BRIDGE_DOWN")!);
    } finally {
      process.kill(pid, "SIGCONT");
    }
    await healthy(one);
  },
  labTestMaxMs,
);
