import { afterEach, describe, expect, test } from "bun:test";
import { announced, inside } from "../../../../bench/overlay-pair.ts";
import { parseIpv4 } from "../../../../lib/base/ip.ts";
import { ebpfBackend } from "../../../../lib/host/datapath/ebpf/ebpf-backend.ts";
import { defaultDeviceNames } from "../../../../lib/host/device-names.ts";
import { openPacketSocket, PacketSocket } from "../../../../lib/host/packet-socket.ts";
import { fullHeartbeatLength, writeHeartbeat } from "../../../../lib/overlay/fastdp/heartbeat.ts";
import { isHandoverMark } from "../../../../lib/overlay/fastdp/ports.ts";
import { makeVni } from "../../../../lib/overlay/fastdp/vni.ts";
import { eventually, must } from "../../../hosts/shell.ts";
import { pingDuring, transfer } from "../../../hosts/traffic.ts";
import { type DatapathHost, DatapathLab, mtu, port } from "../../../kernels/inside/datapath-lab.ts";

let lab: DatapathLab | undefined;

afterEach(async () => {
  await lab?.[Symbol.asyncDispose]();
  lab = undefined;
});

async function make(count: number): Promise<DatapathHost[]> {
  lab = await DatapathLab.make("eb", count, ebpfBackend);
  return [...lab.hosts];
}

describe("a kernel with eBPF", () => {
  test("is found to do what is needed", () => {
    expect(ebpfBackend.refusal()).toBeUndefined();
  });

  test("carries frames between neighbours, and a heartbeat of full length", async () => {
    const [one, two] = (await make(2)) as [DatapathHost, DatapathHost];
    lab!.mesh();
    await one.container.pings(two.containerIp);
    const { sent, received } = await transfer(
      one.container,
      two.container,
      two.containerIp,
      20_000_000,
    );
    expect(received).toBe(sent);
    const heartbeat = writeHeartbeat(0x1122334455667788n, fullHeartbeatLength(mtu));
    one.datapath.sendHeartbeat(two.id, heartbeat);
    await two.hears();
    expect(two.heard[0]).toMatchObject({
      source: one.id,
      destination: two.id,
      port,
      frame: heartbeat.slice(0, 24),
      length: heartbeat.length,
    });
    const { sentFrames, receivedFrames, floodedFrames } = one.datapath.counters();
    // Super-frames count as one.
    expect(sentFrames).toBeGreaterThan(100);
    expect(receivedFrames).toBeGreaterThan(10);
    expect(floodedFrames).toBeGreaterThan(0);
    const owners = one.datapath.macs().map(({ shortId }) => shortId);
    expect(owners).toEqual(expect.arrayContaining([one.id, two.id]));
  });

  test("relays in the kernel for peers that do not reach each other", async () => {
    const [one, two, three] = (await make(3)) as [DatapathHost, DatapathHost, DatapathHost];
    lab!.line();
    await one.container.pings(three.containerIp);
    const { sent, received } = await transfer(
      one.container,
      three.container,
      three.containerIp,
      5_000_000,
    );
    expect(received).toBe(sent);
    expect(two.datapath.counters().relayedFrames).toBeGreaterThan(50);
    await two.container.pings(three.containerIp);
  });
});

describe("what leaves the host", () => {
  test("is VXLAN as the original sends it, by lane, by tunnel and relayed", async () => {
    const [one, two, three] = (await make(3)) as [DatapathHost, DatapathHost, DatapathHost];
    lab!.line();
    await one.container.pings(three.containerIp);
    const dump = ["tcpdump", "-i", "eth0", "-n", "-v", "-c", "12", "-w", "-", "udp"];
    const capture = Bun.spawn(inside(two.host, dump), { stdout: "pipe", stderr: "pipe" });
    await announced(capture.stderr, "listening");
    await one.container.exec(["ping", "-c", "6", "-i", "0.05", three.containerIp]);
    const packets = readCapture(new Uint8Array(await new Response(capture.stdout).arrayBuffer()));
    const vnis = new Set<number>();
    for (const packet of packets) {
      const view = new DataView(packet.buffer, packet.byteOffset + 14);
      expect(view.getUint8(1)).toBe(0);
      expect(view.getUint16(6)).toBe(0x4000);
      expect(view.getUint8(8)).toBe(64);
      expect(view.getUint16(22)).toBe(port);
      expect(view.getUint16(26)).toBe(0);
      expect(view.getUint32(28)).toBe(0x0800_0000);
      expect(view.getUint8(35)).toBe(0);
      vnis.add(view.getUint32(32) >>> 8);
    }
    expect([...vnis]).toContain(makeVni(one.id, three.id));
    expect([...vnis]).toContain(makeVni(three.id, one.id));
  });

  test("is told to the container when the path has become too small for it", async () => {
    const [one, two, three] = (await make(3)) as [DatapathHost, DatapathHost, DatapathHost];
    lab!.line();
    await one.container.pings(three.containerIp);
    await must(["ip", "-n", one.host.namespace, "link", "set", "eth0", "mtu", "1400"]);
    // By the lane to the neighbour, and by the tunnel to who is behind it.
    for (const { containerIp } of [two, three]) {
      await eventually(
        `what the kernel says of the path to ${containerIp}`,
        () =>
          one.container.exec(["ping", "-c", "1", "-W", "1", "-M", "do", "-s", "1348", containerIp]),
        ({ stdout, stderr }) => /mtu ?= ?1350/.test(stdout + stderr),
      );
    }
    const { sent, received } = await transfer(
      one.container,
      two.container,
      two.containerIp,
      2_000_000,
    );
    expect(received).toBe(sent);
  });
});

describe("a flood", () => {
  const count = 100;

  for (const topology of ["mesh", "line"] as const) {
    test(`reaches everybody once in a ${topology} of four`, async () => {
      const hosts = await make(4);
      lab![topology]();
      for (const from of hosts) {
        const others = hosts.filter((host) => host !== from);
        const before = await Promise.all(others.map(received));
        // Nobody has these addresses: unknown unicast is flooded as broadcast is.
        const neighbour = ["neigh", "replace", "10.32.0.99", "lladdr", "02:00:00:00:00:99"];
        await must(["ip", "-n", from.container.namespace, ...neighbour, "dev", "eth0"]);
        const ping = ["ping", "-c", `${count}`, "-i", "0.002", "-W", "0.1", "10.32.0.99"];
        await from.container.exec(ping);
        for (const [at, host] of others.entries()) {
          const more = (await received(host)) - before[at]!;
          expect(more).toBeGreaterThanOrEqual(count);
          // Hosts look for each other's neighbours meanwhile.
          expect(more).toBeLessThan(count * 1.5);
        }
      }
    });
  }

  /** Frames that the container's device took in, whoever they are for. */
  async function received({ container }: DatapathHost): Promise<number> {
    const { stdout } = await container.exec(["ip", "-s", "-j", "link", "show", "eth0"]);
    return JSON.parse(stdout)[0].stats64.rx.packets;
  }
});

describe("the programs of a router that is killed", () => {
  test("go on, and are taken over by the next one with all they know", async () => {
    const [one, two, three] = (await make(3)) as [DatapathHost, DatapathHost, DatapathHost];
    lab!.line();
    await one.container.pings(three.containerIp);
    const counts = await pingDuring(one.container, three.containerIp, async () => {
      await must(["sleep", "0.3"]);
      for (const host of [one, two]) {
        host.kill();
        await must(["sleep", "0.3"]);
        host.open();
      }
      const { adopted } = two.datapath;
      expect(adopted?.self).toBe(two.id);
      expect(adopted?.neighbours.map(({ shortId, port }) => [shortId, port])).toEqual([
        [one.id, port],
        [three.id, port],
      ]);
      expect(adopted?.hops.get(three.id)).toEqual({ kind: "tunnel", neighbour: three.id });
      expect(adopted?.trees.get(one.id)).toEqual([three.id]);
      expect(two.datapath.macs().length).toBeGreaterThan(0);
      await must(["sleep", "0.3"]);
      lab!.line();
      await must(["sleep", "0.3"]);
    });
    expect(counts.sent).toBeGreaterThan(50);
    expect(counts.received).toBe(counts.sent);
  });
});

describe("somebody who removes devices", () => {
  test("is made good for", async () => {
    const [one, two] = (await make(2)) as [DatapathHost, DatapathHost];
    lab!.mesh();
    await one.container.pings(two.containerIp);
    expect(one.inside(() => one.datapath.mend(one.bridge))).toEqual([]);
    const lane = `vethwe-n${two.id}`;
    expect(one.datapath.devices()).toContain(lane);
    for (const device of ["vethwe-bridge", "vethwe-pcap", lane]) {
      await must(["ip", "-n", one.host.namespace, "link", "del", device]);
    }
    expect(one.inside(() => one.datapath.mend(one.bridge))).toEqual([
      "made vethwe-handover and vethwe-pcap",
      "made vethwe-bridge",
      `made ${lane}`,
    ]);
    expect(one.inside(() => one.datapath.mend(one.bridge))).toEqual([]);
    await one.container.pings(two.containerIp);
  });

  test("is made good for when it was the bridge", async () => {
    const [one, two] = (await make(2)) as [DatapathHost, DatapathHost];
    lab!.mesh();
    const ip = ["ip", "-n", one.host.namespace, "link"];
    await must([...ip, "del", "weave"]);
    await must([...ip, "add", "weave", "type", "bridge"]);
    await must([...ip, "set", "weave", "mtu", String(mtu), "up"]);
    await must([...ip, "set", "vethwepl0", "master", "weave"]);
    expect(one.inside(() => one.datapath.mend(one.bridge))).toContain("set up vethwe-bridge");
    await one.container.pings(two.containerIp);
  });
});

describe("neighbours", () => {
  test("at another port are reached and heard by a device of that port", async () => {
    const [one, two] = (await make(2)) as [DatapathHost, DatapathHost];
    lab!.mesh();
    for (const [here, there] of [
      [one, two],
      [two, one],
    ] as const) {
      here.inside(() =>
        here.datapath.setNeighbour({
          shortId: there.id,
          localIp: parseIpv4(here.host.ip),
          remoteIp: parseIpv4(there.host.ip),
          port: 7001,
        }),
      );
    }
    await one.container.pings(two.containerIp);
    one.datapath.sendHeartbeat(two.id, writeHeartbeat(1n, 100));
    await two.hears();
    expect(two.heard[0]).toMatchObject({ port: 7001, remoteIp: parseIpv4(one.host.ip) });
  });

  test("that are none any more are not heard, and what they send is dropped", async () => {
    const [one, two] = (await make(2)) as [DatapathHost, DatapathHost];
    lab!.mesh();
    await one.container.pings(two.containerIp);
    two.inside(() => two.datapath.removeNeighbour(one.id));
    const ping = ["ping", "-c", "3", "-i", "0.05", "-W", "0.2", two.containerIp];
    expect((await one.container.exec(ping)).code).not.toBe(0);
    expect(two.datapath.counters().drops.unknownSource).toBeGreaterThanOrEqual(3);
  });

  test("change their VNI with our own id", async () => {
    const [one, two] = (await make(2)) as [DatapathHost, DatapathHost];
    lab!.mesh();
    await one.container.pings(two.containerIp);
    const other = 0x777;
    one.inside(() =>
      one.datapath.change({ self: other, hops: new Map(), trees: new Map([[other, [two.id]]]) }),
    );
    two.inside(() => {
      two.datapath.setNeighbour({
        shortId: other,
        localIp: parseIpv4(two.host.ip),
        remoteIp: parseIpv4(one.host.ip),
        port,
      });
      two.datapath.removeNeighbour(one.id);
      two.datapath.change({
        hops: new Map([
          [one.id, undefined],
          [other, { kind: "tunnel", neighbour: other }],
        ]),
        trees: new Map([[two.id, [other]]]),
      });
    });
    await one.container.pings(two.containerIp);
    const owners = new Set(two.datapath.macs().map(({ shortId }) => shortId));
    expect(owners).toContain(other);
  });
});

describe("peers by sleeve", () => {
  test("and peers by tunnel are one network, relayed and flooded across", async () => {
    const [one, two, three] = (await make(3)) as [DatapathHost, DatapathHost, DatapathHost];
    const hosts = [one, two, three];
    // one ═ tunnel ═ two ─ sleeve ─ three
    const route = (
      host: DatapathHost,
      neighbours: DatapathHost[],
      hops: [DatapathHost, DatapathHost | "sleeve"][],
      trees: [DatapathHost, DatapathHost[]][],
    ): void => host.route({ neighbours, hops: new Map(hops), trees: new Map(trees) });
    route(
      one,
      [two],
      [
        [two, two],
        [three, two],
      ],
      [[one, [two]]],
    );
    route(
      two,
      [one],
      [
        [one, one],
        [three, "sleeve"],
      ],
      [
        [two, [one, three]],
        [one, [three]],
        [three, [one]],
      ],
    );
    route(
      three,
      [],
      [
        [two, "sleeve"],
        [one, "sleeve"],
      ],
      [[three, [two]]],
    );
    using _sleeve = sleeveBetween(two, three);
    for (const from of hosts) {
      for (const to of hosts) if (to !== from) await from.container.pings(to.containerIp);
    }
    const { handedOverFrames, handedInFrames, relayedFrames } = two.datapath.counters();
    for (const count of [handedOverFrames, handedInFrames, relayedFrames]) {
      expect(count).toBeGreaterThan(0);
    }
    expect(one.datapath.macs().map(({ shortId }) => shortId)).toContain(three.id);
  });

  /** Carries frames with their marks, as sleeve's workers of both hosts would. */
  function sleeveBetween(a: DatapathHost, b: DatapathHost): Disposable {
    const open = (host: DatapathHost): PacketSocket =>
      new PacketSocket(
        host.inside(() => openPacketSocket(host.datapath.handoverPort, 1 << 20, { marks: true })),
      );
    const sockets = [open(a), open(b)] as const;
    const carry = (from: PacketSocket, to: PacketSocket): void => {
      from.receive((bytes, at, length, _offload, mark) => {
        if (!isHandoverMark(mark)) return;
        to.mark = mark;
        to.inject(bytes, at, length);
        to.flush();
      });
    };
    const timer = setInterval(() => {
      carry(sockets[0], sockets[1]);
      carry(sockets[1], sockets[0]);
    }, 2);
    return {
      [Symbol.dispose]() {
        clearInterval(timer);
        for (const socket of sockets) socket.close();
      },
    };
  }
});

describe("what others have put at our devices", () => {
  test("stays, and ours leave with their devices", async () => {
    const [one] = (await make(1)) as [DatapathHost];
    const tc = ["tc", "-n", one.host.namespace];
    await must([...tc, "qdisc", "add", "dev", "eth0", "clsact"]);
    const foreign = [
      "prio",
      "7",
      "protocol",
      "ip",
      "u32",
      "match",
      "u32",
      "0",
      "0",
      "flowid",
      "1:1",
    ];
    for (const device of ["eth0", "vethwe-bridge"]) {
      if (device !== "eth0") await must([...tc, "qdisc", "add", "dev", device, "clsact"]);
      await must([...tc, "filter", "add", "dev", device, "ingress", ...foreign]);
    }
    expect(one.inside(() => one.datapath.mend(one.bridge))).toEqual([]);
    const shown = await must([...tc, "filter", "show", "dev", "vethwe-bridge", "ingress"]);
    expect(shown).toContain("pref 7");
    one.kill();
    const removed = one.inside(() => ebpfBackend.remove(defaultDeviceNames));
    expect([...removed].sort()).toEqual(["vethwe-bridge", "vethwe-handover"]);
    const left = await must(["ip", "-n", one.host.namespace, "-br", "link"]);
    expect(left.match(/^(vxlan|vethwe-)\S*/gm)).toBeNull();
    expect(await must([...tc, "filter", "show", "dev", "eth0", "ingress"])).toContain("pref 7");
  });
});

/** The packets of a capture file (pcap, microseconds, of this machine). */
function readCapture(bytes: Uint8Array): Uint8Array[] {
  const view = new DataView(bytes.buffer);
  const packets: Uint8Array[] = [];
  for (let at = 24; at + 16 <= bytes.length; ) {
    const length = view.getUint32(at + 8, true);
    packets.push(bytes.subarray(at + 16, at + 16 + length));
    at += 16 + length;
  }
  return packets;
}
