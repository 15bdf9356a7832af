import { describe, expect, test } from "bun:test";
import { parseIpv4 } from "../../../lib/base/ip.ts";
import { datapathBackends } from "../../../lib/daemon/datapath-backends.ts";
import type { DatapathBackend } from "../../../lib/host/datapath/backend.ts";
import { defaultDeviceNames } from "../../../lib/host/device-names.ts";
import { fullHeartbeatLength, writeHeartbeat } from "../../../lib/overlay/fastdp/heartbeat.ts";
import { makeVni } from "../../../lib/overlay/fastdp/vni.ts";
import { Capture, plainVxlan, vxlanHeaders } from "../../hosts/capture.ts";
import { eventually, must, run } from "../../hosts/shell.ts";
import { pingDuring, transfer } from "../../hosts/traffic.ts";
import { type DatapathHost, DatapathLab, mtu, port } from "./datapath-lab.ts";
import { sleeveBetween } from "./sleeve-between.ts";

type Two = readonly [DatapathHost, DatapathHost];
type Three = readonly [DatapathHost, DatapathHost, DatapathHost];
type Make = (count: number) => Promise<DatapathLab>;

/**
 * What every datapath of a kernel does, whatever it is made of: tests for a kernel that has it.
 *
 * @param prefix of the names of namespaces
 */
export function behavesAsDatapath(backend: DatapathBackend, prefix: string): void {
  const make: Make = (count) => DatapathLab.make(prefix, count, backend);
  describe(`a datapath by ${backend.name}`, () => {
    test("is found to do what is needed", () => {
      expect(backend.refusal()).toBeUndefined();
    });
    carriesFrames(make);
    knowsItsNeighbours(make);
    meetsSleeve(make);
    fitsTheTunnel(make);
    floodsOnce(make);
    outlivesItsRouter(make);
    standsBesideOthers(make, backend);
  });
}

/** Waits until so many are counted: a kernel may be asked once a second only. */
export async function counted(count: () => number, least: number): Promise<void> {
  await eventually(
    `${least} frames counted`,
    async () => {
      await run(["true"]);
      return count();
    },
    (frames) => frames >= least,
  );
}

async function transfers(from: DatapathHost, to: DatapathHost, octets: number): Promise<void> {
  const { sent, received } = await transfer(from.container, to.container, to.containerIp, octets);
  expect(received).toBe(sent);
}

function carriesFrames(make: Make): void {
  test("carries frames between neighbours, and a heartbeat of full length", async () => {
    await using lab = await make(2);
    const [one, two] = lab.hosts as Two;
    lab.mesh();
    await one.container.pings(two.containerIp);
    await transfers(one, two, 20_000_000);
    const heartbeat = writeHeartbeat(0x1122334455667788n, fullHeartbeatLength(mtu));
    one.datapath.sendHeartbeat(two.id, heartbeat);
    await two.hears();
    const [heard] = two.heard;
    expect(heard).toMatchObject({ source: one.id, destination: two.id, port });
    expect(heard!.length).toBe(heartbeat.length);
    // The rest is zeros.
    expect(heard!.frame.slice(0, 24)).toEqual(heartbeat.slice(0, 24));
    // Super-frames count as one.
    await counted(() => one.datapath.counters().sentFrames, 100);
    await counted(() => one.datapath.counters().receivedFrames, 10);
    expect(one.datapath.counters().floodedFrames).toBeGreaterThan(0);
    // What was sent here has come there, and it has not lost a single octet on the way.
    const twenty = 20_000_000;
    await counted(() => two.datapath.carried!(one.id)!.receivedBytes, twenty);
    await counted(() => one.datapath.carried!(two.id)!.sentBytes, twenty);
    // Not every datapath counts the segments of super-frames.
    await counted(() => one.datapath.carried!(two.id)!.sentPackets, 100);
    await counted(() => one.datapath.carried!(two.id)!.receivedPackets, 10);
    const owners = one.datapath.macs().map(({ shortId }) => shortId);
    expect(owners).toEqual(expect.arrayContaining([one.id, two.id]));
  });

  test("relays in the kernel for peers that do not reach each other", async () => {
    await using lab = await make(3);
    const [one, two, three] = lab.hosts as Three;
    lab.line();
    await one.container.pings(three.containerIp);
    await transfers(one, three, 5_000_000);
    await counted(() => two.datapath.counters().relayedFrames, 50);
    await two.container.pings(three.containerIp);
  });

  test("sends VXLAN as the original does, to neighbours, by a relay and as one", async () => {
    await using lab = await make(3);
    const [one, two, three] = lab.hosts as Three;
    lab.line();
    await one.container.pings(three.containerIp);
    await using capture = await Capture.start(two.host, "eth0", `udp dst port ${port}`);
    const vnis = new Set<number>();
    const wanted = [makeVni(one.id, three.id), makeVni(three.id, one.id)];
    await eventually(
      "packets with the short ids of both ends, there and back",
      () => one.container.exec(["ping", "-c", "6", "-i", "0.05", three.containerIp]),
      () => {
        for (const packet of capture.packets) {
          const headers = vxlanHeaders(packet);
          expect(headers).toMatchObject(plainVxlan);
          vnis.add(headers.vni);
        }
        return wanted.every((vni) => vnis.has(vni));
      },
    );
  });
}

function knowsItsNeighbours(make: Make): void {
  test("reaches and hears neighbours at another port by a device of that port", async () => {
    await using lab = await make(2);
    const [one, two] = lab.hosts as Two;
    lab.mesh();
    one.knows(two, { port: 7001 });
    two.knows(one, { port: 7001 });
    await one.container.pings(two.containerIp);
    one.datapath.sendHeartbeat(two.id, writeHeartbeat(1n, 100));
    await two.hears();
    expect(two.heard[0]).toMatchObject({ port: 7001, remoteIp: parseIpv4(one.host.ip) });
  });

  test("takes nothing from neighbours that are none any more", async () => {
    await using lab = await make(2);
    const [one, two] = lab.hosts as Two;
    lab.mesh();
    await one.container.pings(two.containerIp);
    two.inside(() => two.datapath.removeNeighbour(one.id));
    const ping = ["ping", "-c", "3", "-i", "0.05", "-W", "0.2", two.containerIp];
    expect((await one.container.exec(ping)).code).not.toBe(0);
    await counted(() => two.datapath.counters().drops.unknownSource ?? 0, 1);
  });

  test("changes the VNI of its frames with its own id", async () => {
    await using lab = await make(2);
    const [one, two] = lab.hosts as Two;
    lab.mesh();
    await one.container.pings(two.containerIp);
    const other = 0x777;
    one.inside(() =>
      one.datapath.change({ self: other, hops: new Map(), trees: new Map([[other, [two.id]]]) }),
    );
    two.knows(one, { shortId: other });
    two.inside(() => {
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
    expect(two.datapath.macs().map(({ shortId }) => shortId)).toContain(other);
  });
}

function meetsSleeve(make: Make): void {
  test("makes one network of peers by sleeve and by tunnel, relaying and flooding across", async () => {
    await using lab = await make(3);
    const [one, two, three] = lab.hosts as Three;
    // one ═ tunnel ═ two ─ sleeve ─ three
    one.route({
      neighbours: [two],
      hops: new Map([
        [two, two],
        [three, two],
      ]),
      trees: new Map([[one, [two]]]),
    });
    two.route({
      neighbours: [one],
      hops: new Map<DatapathHost, DatapathHost | "sleeve">([
        [one, one],
        [three, "sleeve"],
      ]),
      trees: new Map([
        [two, [one, three]],
        [one, [three]],
        [three, [one]],
      ]),
    });
    three.route({
      neighbours: [],
      hops: new Map([
        [two, "sleeve"],
        [one, "sleeve"],
      ]),
      trees: new Map([[three, [two]]]),
    });
    using _sleeve = sleeveBetween(two, three);
    for (const from of lab.hosts) {
      for (const to of lab.hosts) if (to !== from) await from.container.pings(to.containerIp);
    }
    for (const name of ["handedOverFrames", "handedInFrames", "relayedFrames"] as const) {
      await counted(() => two.datapath.counters()[name], 1);
    }
    expect(one.datapath.macs().map(({ shortId }) => shortId)).toContain(three.id);
  });
}

function fitsTheTunnel(make: Make): void {
  test("gives to sleeve what is too long for the tunnel, and nothing else", async () => {
    await using lab = await make(2);
    const [one, two] = lab.hosts as Two;
    lab.mesh();
    one.knows(two, { mtu: 1000 });
    using _sleeve = sleeveBetween(one, two);
    await one.container.pings(two.containerIp);
    const filter = `udp dst port ${port} and src host ${one.host.ip}`;
    await using capture = await Capture.start(two.host, "eth0", filter);
    // Packets of so many octets: in the order of their passing, the last one by the tunnel.
    for (const octets of [1001, 1300, 1000]) {
      const size = ["-s", String(octets - 28)];
      const ping = ["ping", "-c", "3", "-i", "0.1", "-W", "5", ...size, two.containerIp];
      await must(one.container.command(ping));
    }
    const outer = 14 + 20 + 8 + 8 + 14;
    const longest = (): number => Math.max(0, ...capture.packets.map(({ length }) => length));
    await eventually(
      "the longest packet of the tunnel",
      () => one.container.exec(["ping", "-c", "1", "-W", "1", two.containerIp]),
      () => longest() >= outer + 1000,
    );
    expect(longest()).toBe(outer + 1000);
  });
}

function floodsOnce(make: Make): void {
  const count = 40;

  /** Frames that the container's device took in, whoever they are for. */
  async function received({ container }: DatapathHost): Promise<number> {
    const { stdout } = await container.exec(["ip", "-s", "-j", "link", "show", "eth0"]);
    return JSON.parse(stdout)[0].stats64.rx.packets;
  }

  for (const topology of ["mesh", "line"] as const) {
    test(`floods to everybody once in a ${topology} of four`, async () => {
      await using lab = await make(4);
      lab[topology]();
      for (const from of lab.hosts) {
        const others = lab.hosts.filter((host) => host !== from);
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
          expect(more).toBeLessThan(count * 2);
        }
      }
    });
  }
}

function outlivesItsRouter(make: Make): void {
  test("goes on when routers are killed, and is taken over by the next ones", async () => {
    await using lab = await make(3);
    const [one, two, three] = lab.hosts as Three;
    lab.line();
    await one.container.pings(three.containerIp);
    const counts = await pingDuring(one.container, three.containerIp, async () => {
      await must(["sleep", "0.5"]);
      for (const host of [one, two]) {
        host.kill();
        await must(["sleep", "0.5"]);
        host.open();
        expect(host.datapath.adopted?.self).toBe(host.id);
      }
      expect(two.datapath.macs().length).toBeGreaterThan(0);
      await must(["sleep", "0.5"]);
      lab.line();
      // Whatever was under way has arrived.
      await one.container.pings(three.containerIp);
    });
    expect(counts.sent).toBeGreaterThan(50);
    expect(counts.received).toBe(counts.sent);
  });

  test("makes good for somebody who removes the bridge", async () => {
    await using lab = await make(2);
    const [one, two] = lab.hosts as Two;
    lab.mesh();
    const ip = ["ip", "-n", one.host.namespace, "link"];
    await must([...ip, "del", "weave"]);
    await must([...ip, "add", "weave", "type", "bridge"]);
    await must([...ip, "set", "weave", "mtu", String(mtu), "up"]);
    await must([...ip, "set", "vethwepl0", "master", "weave"]);
    expect(one.inside(() => one.datapath.mend(one.bridge))).toContain("set up vethwe-bridge");
    expect(one.inside(() => one.datapath.mend(one.bridge))).toEqual([]);
    await one.container.pings(two.containerIp);
  });
}

function standsBesideOthers(make: Make, backend: DatapathBackend): void {
  test("stays when all others are removed, and leaves nothing when it is", async () => {
    await using lab = await make(2);
    const [one, two] = lab.hosts as Two;
    lab.mesh();
    await one.container.pings(two.containerIp);
    for (const other of datapathBackends.filter(({ name }) => name !== backend.name)) {
      expect(one.inside(() => other.remove(defaultDeviceNames))).toEqual([]);
    }
    expect(one.inside(() => one.datapath.mend(one.bridge))).toEqual([]);
    await one.container.pings(two.containerIp);
    one.kill();
    const removed = one.inside(() => backend.remove(defaultDeviceNames));
    expect(removed).toContain("vethwe-handover");
    expect(one.inside(() => backend.remove(defaultDeviceNames))).toEqual([]);
    const left = await must(["ip", "-n", one.host.namespace, "-br", "link"]);
    expect(left.match(/^(vxlan|vethwe-|datapath|ovs)\S*/gm)).toBeNull();
  });
}
