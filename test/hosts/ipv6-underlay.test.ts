import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { type Container, type Host, Lab } from "./lab.ts";
import { eventually, killed, must } from "./shell.ts";
import { transfer } from "./traffic.ts";

const octets = 4_000_000;

/** Gives a host an address of IPv6, which it may use at once. */
async function ipv6(host: Host, device: string, cidr: string): Promise<void> {
  await must(["ip", "-n", host.namespace, "addr", "add", cidr, "dev", device, "nodad"]);
}

/** Waits until the frames of a host's only connection take sleeve with this MTU. */
function overSleeve(host: Host, mtu: number): Promise<string> {
  return eventually(
    `sleeve with an MTU of ${mtu} at ${host.namespace}`,
    async () => (await host.weave(["status", "connections"])).stdout,
    (text) => new RegExp(` established +(encrypted +)?sleeve .*mtu=${mtu}\\D`).test(text),
    60_000,
  );
}

async function attached(host: Host, suffix: string): Promise<{ box: Container; ip: string }> {
  const box = await host.container(suffix);
  return { box, ip: await host.mustWeave(["attach", box.reference]) };
}

describe("hosts of which one has IPv6 alone, one IPv4 alone, and one both", () => {
  let lab: Lab;
  let hosts: [Host, Host, Host];
  let boxes: { box: Container; ip: string }[];

  beforeAll(async () => {
    lab = await Lab.onSwitch("v6m", 3);
    hosts = lab.hosts as [Host, Host, Host];
    const [one, two, three] = hosts;
    await must(["ip", "-n", one.namespace, "addr", "flush", "dev", "eth0"]);
    for (const host of [one, two]) await ipv6(host, "eth0", `fd77::${host.number}/64`);
    await three.exec(["sysctl", "-qw", "net.ipv6.conf.all.disable_ipv6=1"]);
    for (const host of hosts) {
      host.fastdp = true;
      host.restarts = true;
    }
    // Of several that first allocate at once, more than one could be the first.
    const seed = ["--ipalloc-init", `seed=${one.peerName}`];
    await one.launch(seed);
    await two.launch([...seed, "fd77::1"]);
    await three.launch([...seed, two.ip]);
    await two.established(2);
    boxes = await Promise.all(hosts.map((host) => attached(host, `c${host.number}`)));
  });
  afterAll(() => lab?.[Symbol.asyncDispose]());

  test("reach each other's containers, through the one that has both", async () => {
    const [one, two, three] = boxes as [(typeof boxes)[0], (typeof boxes)[0], (typeof boxes)[0]];
    await one.box.pings(two.ip);
    await one.box.pings(three.ip);
    await three.box.pings(one.ip);
    const { sent, received } = await transfer(one.box, three.box, three.ip, octets);
    expect(received).toBe(sent);
  });

  test("say which overlay carries frames, and why not a better one", async () => {
    const [one, two] = hosts;
    expect(await two.established(2)).toMatch(/\[fd77::1\]:6783 +established +sleeve /);
    const report = JSON.parse(await one.mustWeave(["status", "connections", "--json"]));
    expect(JSON.stringify(report)).toContain(
      "fastdp failed: the datapath's tunnels need an IPv4 underlay, not fd77::2",
    );
  });

  test("have nothing to mend", async () => {
    for (const host of hosts) {
      const { stdout, code } = await host.weave(["doctor"]);
      expect([stdout, code]).toEqual([expect.stringContaining("Nothing found to mend"), 0]);
    }
  });

  test("go on when the one between them is taken over from, and when it is killed", async () => {
    const [, two] = hosts;
    const [one, , three] = boxes;
    await two.mustWeave(["upgrade-self"], { waitMs: 120_000 });
    await two.established(2);
    await one!.box.pings(three!.ip, 30_000);
    await killed(await two.routerPid());
    await two.established(2, 60_000);
    await three!.box.pings(one!.ip, 60_000);
  });
});

for (const password of [undefined, "between hosts"]) {
  const overhead = password === undefined ? 82 : 106;

  describe(`two hosts with a router of IPv6 between them, ${password === undefined ? "in clear" : "encrypted"}`, () => {
    let lab: Lab;
    let hosts: [Host, Host];
    let hub: string;
    let boxes: { box: Container; ip: string }[];

    const inHub = (...words: string[]) => must(["nsenter", `--net=/run/netns/${hub}`, ...words]);

    beforeAll(async () => {
      lab = await Lab.onCables(password === undefined ? "v6c" : "v6e");
      hosts = lab.hosts as [Host, Host];
      hub = `${lab.prefix}-sw`;
      await inHub("sysctl", "-qw", "net.ipv6.conf.all.forwarding=1");
      for (const host of hosts) {
        const network = `fd0${host.number}::`;
        await must(["ip", "-n", host.namespace, "addr", "flush", "dev", "eth0"]);
        await ipv6(host, "eth0", `${network}2/64`);
        await inHub("ip", "addr", "add", `${network}1/64`, "dev", `h${host.number}`, "nodad");
        await host.exec(["ip", "-6", "route", "add", "default", "via", `${network}1`]);
      }
      const env: Record<string, string> =
        password === undefined ? {} : { WEAVE_PASSWORD: password };
      const [one, two] = hosts;
      await one.launch(["--host", "fd01::2"], { env });
      await two.launch(["fd01::2"], { env });
      boxes = [await attached(one, "ca"), await attached(two, "cb")];
    });
    afterAll(() => lab?.[Symbol.asyncDispose]());

    test("carry frames both ways, as much as the path takes", async () => {
      for (const host of hosts) await overSleeve(host, 1500 - overhead);
      const [a, b] = boxes as [(typeof boxes)[0], (typeof boxes)[0]];
      for (const [from, to] of [
        [a, b],
        [b, a],
      ] as const) {
        await from.box.pings(to.ip);
        const { sent, received } = await transfer(from.box, to.box, to.ip, octets);
        expect(received).toBe(sent);
      }
      // Runs of datagrams are one to the kernel, in both directions.
      const { Offloads } = JSON.parse(await hosts[0].mustWeave(["report"])).Router;
      for (const name of ["send", "receive"]) {
        expect(Offloads).toContainEqual({ Name: name, Used: true, Reason: "" });
      }
    });

    test("follow the path when its router says that it has become smaller", async () => {
      await inHub("ip", "link", "set", "h2", "mtu", "1400");
      await must(["ip", "-n", hosts[1].namespace, "link", "set", "eth0", "mtu", "1400"]);
      const [a, b] = boxes as [(typeof boxes)[0], (typeof boxes)[0]];
      // Each finds out by what it sends itself.
      for (const [from, to] of [
        [a, b],
        [b, a],
      ] as const) {
        const { sent, received } = await transfer(from.box, to.box, to.ip, octets);
        expect(received).toBe(sent);
      }
      for (const host of hosts) await overSleeve(host, 1400 - overhead);
    });

    test("find out that it has become smaller without a word", async () => {
      for (const host of hosts) {
        // A wire carries datagrams, not runs of them.
        await host.exec(["ethtool", "-K", "eth0", "tx-udp-segmentation", "off"]);
      }
      const long = ["-m", "length", "--length", "1301:65535", "-j", "DROP"];
      await inHub("ip6tables", "-A", "FORWARD", "-p", "udp", ...long);
      const [a, b] = boxes as [(typeof boxes)[0], (typeof boxes)[0]];
      const { sent, received } = await transfer(a.box, b.box, b.ip, octets);
      expect(received).toBe(sent);
      await overSleeve(hosts[0], 1300 - overhead);
    });
  });
}
