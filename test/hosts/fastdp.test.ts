import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { Capture, plainVxlan, vxlanHeaders } from "./capture.ts";
import { connections, containerOn, meshOverFastdp, overFor, vxlanFrom } from "./fastdp-lab.ts";
import { type Container, type Host, Lab } from "./lab.ts";
import { eventually, killed, must } from "./shell.ts";
import { hear, pingDuring, transfer } from "./traffic.ts";

const tenMegabytes = 10_000_000;
/** Of a test that brings up hosts of its own, also on a machine that has other things to do. */
const labTestMaxMs = 120_000;

describe("two hosts with a datapath in the kernel", () => {
  let lab: Lab;
  let one: Host;
  let two: Host;
  let c1: Container;
  let c2: Container;
  let ip1: string;
  let ip2: string;

  beforeAll(async () => {
    lab = await meshOverFastdp("wf", 2);
    [one, two] = lab.hosts as [Host, Host];
    ({ container: c1, ip: ip1 } = await containerOn(one, "c1"));
    ({ container: c2, ip: ip2 } = await containerOn(two, "c2"));
  });
  afterAll(() => lab?.[Symbol.asyncDispose]());

  test("use it, and say so", async () => {
    for (const host of lab.hosts) expect(await overFor(host, "fastdp", 1)).toContain("mtu=1376");
    const report = JSON.parse(await one.mustWeave(["report"]));
    expect(report.Router.Datapath.Backend).toBe("ebpf");
    expect(report.Router.Connections[0].Reason).toBe("fastdp: the peer acknowledges it");
  });

  test("carry frames of every kind between their containers", async () => {
    await c1.pings(ip2);
    await c2.pings(ip1);
    expect(await must(c1.command(["ip", "link", "show", "ethwe"]))).toContain("mtu 1376");
    for (const [from, to, ip] of [
      [c1, c2, ip2],
      [c2, c1, ip1],
    ] as const) {
      const { sent, received } = await transfer(from, to, ip, tenMegabytes);
      expect(received).toBe(sent);
    }
    expect(await hear(c1, c2, "10.47.255.255")).toBe(`hello from ${ip1}`);
    expect(await hear(c2, c1, "239.1.2.3", "239.1.2.3")).toBe(`hello from ${ip2}`);
    await eventually(
      "a packet in many fragments",
      () => c1.exec(["ping", "-c", "1", "-W", "2", "-s", "10000", ip2]),
      ({ code }) => code === 0,
    );
  });

  test("count what has gone to the other and come from it, for report and metrics", async () => {
    const report = JSON.parse(await one.mustWeave(["report"]));
    const { SentBytes, SentPackets, ReceivedBytes } = report.Router.Connections[0].Traffic;
    expect(Math.min(SentBytes, ReceivedBytes)).toBeGreaterThan(tenMegabytes);
    expect(SentPackets).toBeGreaterThan(tenMegabytes / 1376);
    const metrics = await eventually(
      "how late the router was at its first look",
      async () => (await one.exec(["curl", "-s", "http://127.0.0.1:6782/metrics"])).stdout,
      (text) => /weave_event_loop_lag_seconds_bucket\{le="\+Inf"\} [1-9]/.test(text),
    );
    expect(metrics).toMatch(
      /weave_connection_bytes_total\{direction="sent",nickname="host2",overlay="fastdp",peer="[^"]+"\} \d{8,}\n/,
    );
    expect(metrics).toContain('weave_datapath_info{backend="ebpf"} 1');
    expect(metrics).toMatch(/weave_attach_seconds_count\{by="command"\} 1\n/);
  });

  test("send plain VXLAN: port 6784, DF, TTL 64, no checksum, short ids as VNI", async () => {
    const filter = "udp dst port 6784 and greater 120 and less 400";
    await using capture = await Capture.start(two, "eth0", filter);
    await must(c1.command(["ping", "-c", "5", "-i", "0.2", "-s", "64", ip2]));
    const packets = await eventually(
      "VXLAN packets that were captured",
      async () => [...capture.packets],
      ({ length }) => length >= 4,
    );
    const ids = new Map<string, number>();
    for (const peer of JSON.parse(await one.mustWeave(["report"])).Router.Peers) {
      ids.set(peer.NickName, peer.ShortID);
    }
    const [id1, id2] = [ids.get("host1")!, ids.get("host2")!];
    for (const packet of packets) {
      const { source, destination, vni, ...headers } = vxlanHeaders(packet);
      expect(headers).toEqual(plainVxlan);
      expect([id1 | (id2 << 12), id2 | (id1 << 12)]).toContain(vni);
    }
  });

  test("know where addresses are", async () => {
    const { MACs } = JSON.parse(await one.mustWeave(["report"])).Router;
    const owners = new Set(MACs.map(({ NickName }: { NickName: string }) => NickName));
    expect(owners).toEqual(new Set(["host1", "host2"]));
  });

  test("make again what somebody deleted", async () => {
    const devices = ["vethwe-bridge", "vethwe-pcap"];
    for (const device of devices) await must(["ip", "-n", two.namespace, "link", "del", device]);
    // Frames of neighbours go on by their lanes meanwhile.
    for (const device of devices) {
      await eventually(
        `another ${device}`,
        () => two.exec(["ip", "link", "show", "dev", device]),
        ({ code }) => code === 0,
      );
    }
    await c1.pings(ip2, 20_000);
    for (const host of lab.hosts) await overFor(host, "fastdp", 1, 60_000);
    await c2.pings(ip1);
  });

  test("make anew a device that was made to learn: it would drop heartbeats", async () => {
    const device = ["dev", "vethwe-bridge"];
    await must(["ip", "-n", two.namespace, "link", "set", ...device, "type", "vxlan", "learning"]);
    await eventually(
      "a device that does not learn",
      () => two.exec(["ip", "-d", "link", "show", ...device]),
      ({ stdout }) => stdout.includes("nolearning"),
    );
    await c1.pings(ip2, 20_000);
    for (const host of lab.hosts) await overFor(host, "fastdp", 1, 60_000);
  });

  test("go back to sleeve alone, and to the datapath again, with the containers they have", async () => {
    await two.mustWeave(["stop"]);
    two.fastdp = false;
    await two.launch([one.ip]);
    for (const host of lab.hosts) await overFor(host, "sleeve", 1);
    await c1.pings(ip2);
    const { sent, received } = await transfer(c1, c2, ip2, tenMegabytes);
    expect(received).toBe(sent);
    expect(await connections(one)).toContain("sleeve");
    await two.mustWeave(["stop"]);
    two.fastdp = true;
    await two.launch([one.ip]);
    for (const host of lab.hosts) await overFor(host, "fastdp", 1);
    await c2.pings(ip1);
  });

  test("leave nothing behind after a reset", async () => {
    for (const host of lab.hosts) await host.mustWeave(["reset"]);
    for (const host of lab.hosts) {
      const links = (await host.exec(["ip", "-o", "link"])).stdout;
      expect(links.match(/: (vethwe|weave|vxlan)[^:@]*/g) ?? []).toEqual([]);
    }
  });
});

describe("two hosts with a datapath", () => {
  for (const dialler of ["the default port", "another port"]) {
    test(
      `use the VXLAN port of who accepts: dialled from ${dialler}`,
      async () => {
        await using lab = await Lab.onSwitch("wfo", 2);
        const [one, two] = lab.hosts as [Host, Host];
        for (const host of lab.hosts) host.fastdp = true;
        if (dialler === "the default port") {
          await one.launch(["--port", "7000"]);
          await two.launch([`${one.ip}:7000`]);
        } else {
          await two.launch();
          await one.launch(["--port", "7000", `${two.ip}:6783`]);
        }
        for (const host of lab.hosts) await overFor(host, "fastdp", 1);
        const left = await containerOn(one, "left");
        const right = await containerOn(two, "right");
        await left.container.pings(right.ip);
        await right.container.pings(left.ip);
      },
      labTestMaxMs,
    );
  }

  test(
    "use sleeve where long packets do not get through VXLAN",
    async () => {
      await using lab = await Lab.onSwitch("wfs", 2);
      const [one, two] = lab.hosts as [Host, Host];
      for (const host of lab.hosts) host.fastdp = true;
      for (const host of lab.hosts) {
        await vxlanFrom(host, "-A", ["-m", "length", "--length", "1401:65535"]);
      }
      await one.launch();
      await two.launch([one.ip]);
      for (const host of lab.hosts) await overFor(host, "sleeve", 1);
      const { Connections } = JSON.parse(await two.mustWeave(["report"])).Router;
      expect(Connections[0].Reason).toContain("fastdp: no heartbeat gets through");
      const left = await containerOn(one, "left");
      const right = await containerOn(two, "right");
      await left.container.pings(right.ip);
      const { container, ip } = right;
      const { sent, received } = await transfer(left.container, container, ip, tenMegabytes);
      expect(received).toBe(sent);
    },
    labTestMaxMs,
  );

  test(
    "find a container that moved with its address as soon as it speaks",
    async () => {
      await using lab = await meshOverFastdp("wfm", 3);
      const [one, two, three] = lab.hosts as [Host, Host, Host];
      const watcher = await containerOn(three, "watcher");
      const [address, mac] = ["10.32.77.7", "02:00:5e:77:77:77"];
      const comeUp = async (host: Host, name: string): Promise<Container> => {
        const container = await host.container(name);
        await host.mustWeave(["attach", `${address}/12`, container.reference]);
        await must(container.command(["ip", "link", "set", "ethwe", "address", mac]));
        return container;
      };
      const before = await comeUp(one, "before");
      await watcher.container.pings(address);
      await before.pings(watcher.ip);
      await one.mustWeave(["detach", `${address}/12`, before.reference]);
      const after = await comeUp(two, "after");
      await after.pings(watcher.ip);
      const pings = await watcher.container.exec(["ping", "-c", "20", "-i", "0.1", address]);
      // Nobody had to forget anything first.
      expect(pings.stdout).toMatch(/ (1[5-9]|20) received/);
    },
    labTestMaxMs,
  );

  test(
    "lose no packet while a third comes and goes all the time",
    async () => {
      await using lab = await meshOverFastdp("wfc", 3);
      const [one, two, three] = lab.hosts as [Host, Host, Host];
      const left = await containerOn(one, "left");
      const right = await containerOn(two, "right");
      await left.container.pings(right.ip);
      const { sent, received } = await pingDuring(left.container, right.ip, async () => {
        for (let round = 0; round < 5; round++) {
          await killed(await three.routerPid());
          await three.launch([one.ip]);
        }
      });
      expect(received).toBe(sent);
    },
    labTestMaxMs,
  );
});

describe("three hosts in a line", () => {
  for (const [what, withDatapath, overlays] of [
    ["that all have a datapath", [true, true, true], ["fastdp", "fastdp"]],
    ["whose middle has none", [true, false, true], ["sleeve", "sleeve"]],
    ["of which one end has none", [true, true, false], ["fastdp", "sleeve"]],
  ] as const) {
    test(
      `${what} are one network`,
      async () => {
        await using lab = await Lab.inLine("wfl", 3);
        const [one, two, three] = lab.hosts as [Host, Host, Host];
        for (const [index, host] of lab.hosts.entries()) host.fastdp = withDatapath[index]!;
        await one.launch();
        await two.launch(["192.168.1.1"]);
        await three.launch(["192.168.2.1"]);
        for (const host of lab.hosts) await host.reaches(2);
        await overFor(one, overlays[0], 1);
        await overFor(three, overlays[1], 1);
        const left = await containerOn(one, "left");
        const middle = await containerOn(two, "middle");
        const right = await containerOn(three, "right");
        for (const from of [left, middle, right]) {
          for (const to of [left, middle, right])
            if (from !== to) await from.container.pings(to.ip);
        }
        for (const [from, to] of [
          [left, right],
          [right, left],
        ] as const) {
          const { sent, received } = await transfer(
            from.container,
            to.container,
            to.ip,
            tenMegabytes,
          );
          expect(received).toBe(sent);
          const heard = await hear(from.container, to.container, "10.47.255.255");
          expect(heard).toBe(`hello from ${from.ip}`);
          // The first one may only find out what the way carries.
          await eventually(
            "a large ping",
            () => from.container.exec(["ping", "-c", "1", "-W", "2", "-s", "5000", to.ip]),
            ({ code }) => code === 0,
          );
        }
        // Nothing came twice on any of these ways.
        const answers = await must(
          left.container.command(["ping", "-c", "5", "-i", "0.2", right.ip]),
        );
        expect(answers).not.toContain("DUP!");
      },
      labTestMaxMs,
    );
  }
});

describe("hosts with a datapath and a password", () => {
  test(
    "use encrypted sleeve, say why, and send nothing in clear",
    async () => {
      await using lab = await Lab.onSwitch("wfp", 2);
      const [one, two] = lab.hosts as [Host, Host];
      for (const host of lab.hosts) host.fastdp = true;
      const env = { WEAVE_PASSWORD: "a password for the lab" };
      await one.launch([], { env });
      await two.launch([one.ip], { env });
      for (const host of lab.hosts) {
        expect(await overFor(host, "sleeve", 1)).toContain("encrypted");
        const { Router } = JSON.parse(await host.mustWeave(["report"]));
        expect(Router.Datapath.Backend).toBe("");
        expect(Router.Connections[0].Reason).toContain("frames are encrypted");
      }
      const links = (await one.exec(["ip", "-o", "-d", "link"])).stdout;
      expect(links).not.toContain("vxlan");
    },
    labTestMaxMs,
  );

  test(
    "trust a subnet, and use fastdp there",
    async () => {
      await using lab = await Lab.onSwitch("wft", 2);
      const [one, two] = lab.hosts as [Host, Host];
      for (const host of lab.hosts) host.fastdp = true;
      const env = { WEAVE_PASSWORD: "a password for the lab" };
      const trust = ["--trusted-subnets", "192.168.77.0/24"];
      await one.launch(trust, { env });
      await two.launch([...trust, one.ip], { env });
      for (const host of lab.hosts) await overFor(host, "fastdp", 1);
      // One of them does not trust any more: nothing goes on in clear.
      await two.mustWeave(["stop"]);
      await two.launch([one.ip], { env });
      for (const host of lab.hosts) {
        expect(await overFor(host, "sleeve", 1)).toContain(" encrypted");
      }
      expect(JSON.parse(await one.mustWeave(["report"])).Router.Connections[0].Reason).toContain(
        "fastdp is not offered by the peer",
      );
    },
    labTestMaxMs,
  );
});
