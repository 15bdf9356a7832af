import { describe, expect, test } from "bun:test";
import { attachedPrograms, attachProgram, tcxHook } from "../../../../ffi/bpf/hooks.ts";
import { mapById } from "../../../../ffi/bpf/maps.ts";
import { loadProgram, programById, programInformation } from "../../../../ffi/bpf/programs.ts";
import { closeDescriptor } from "../../../../ffi/descriptor.ts";
import { isSystemError } from "../../../../ffi/system-error.ts";
import { parseIpv4 } from "../../../../lib/base/ip.ts";
import { Assembler, link, r0 } from "../../../../lib/host/bpf/assembler.ts";
import { hasTcx } from "../../../../lib/host/bpf/hooks.ts";
import { ebpfBackend } from "../../../../lib/host/datapath/ebpf/ebpf-backend.ts";
import { programKinds } from "../../../../lib/host/datapath/ebpf/programs.ts";
import { tableNames } from "../../../../lib/host/datapath/ebpf/tables.ts";
import { defaultDeviceNames } from "../../../../lib/host/device-names.ts";
import { findLink } from "../../../../lib/host/netlink/link.ts";
import { openRoute } from "../../../../lib/host/netlink/open.ts";
import { makeVni } from "../../../../lib/overlay/fastdp/vni.ts";
import { eventually, must, run } from "../../../hosts/shell.ts";
import { transfer } from "../../../hosts/traffic.ts";
import { type DatapathHost, DatapathLab, port } from "../datapath-lab.ts";
import { detachPrograms } from "../detach-programs.ts";
import { behavesAsDatapath } from "../scenarios.ts";

const make = (count: number) => DatapathLab.make("eb", count, ebpfBackend);

behavesAsDatapath(ebpfBackend, "eb");

describe("a path that has become too small", () => {
  test("is told to the container that sends", async () => {
    await using lab = await make(3);
    const [one, two, three] = lab.hosts as readonly [DatapathHost, DatapathHost, DatapathHost];
    lab.line();
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
    const { container, containerIp } = two;
    const { sent, received } = await transfer(one.container, container, containerIp, 2_000_000);
    expect(received).toBe(sent);
  });
});

describe("the tables of a router that is killed", () => {
  test("are all there for the next one", async () => {
    await using lab = await make(3);
    const [one, two, three] = lab.hosts as readonly [DatapathHost, DatapathHost, DatapathHost];
    lab.line();
    two.kill();
    two.open();
    const { adopted } = two.datapath;
    expect(adopted?.self).toBe(two.id);
    expect(adopted?.neighbours.map(({ shortId, port }) => [shortId, port])).toEqual([
      [one.id, 6784],
      [three.id, 6784],
    ]);
    expect(adopted?.hops.get(three.id)).toEqual({ kind: "tunnel", neighbour: three.id });
    expect(adopted?.trees.get(one.id)).toEqual([three.id]);
  });
});

describe("somebody who removes devices", () => {
  test("is made good for", async () => {
    await using lab = await make(2);
    const [one, two] = lab.hosts as readonly [DatapathHost, DatapathHost];
    lab.mesh();
    await one.container.pings(two.containerIp);
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

  test("is made good for when it was programs", async () => {
    await using lab = await make(2);
    const [one, two] = lab.hosts as readonly [DatapathHost, DatapathHost];
    lab.mesh();
    await one.container.pings(two.containerIp);
    const devices = ["vethwe-handover", "vethwe-bridge", `vethwe-n${two.id}`];
    one.inside(() => {
      using netlink = openRoute();
      for (const name of devices) {
        expect(detachPrograms(findLink(netlink, { name })!.index)).toBeGreaterThan(0);
      }
    });
    expect(one.inside(() => one.datapath.mend(one.bridge))).toEqual([
      "put programs at vethwe-handover again",
      "put programs at vethwe-bridge again",
      `put a program at vethwe-n${two.id} again`,
    ]);
    expect(one.inside(() => one.datapath.mend(one.bridge))).toEqual([]);
    await one.container.pings(two.containerIp);
  });
});

describe("frames of a neighbour", () => {
  const neighbour = (host: DatapathHost, other: DatapathHost) => ({
    ...{ shortId: other.id, port },
    ...{ localIp: parseIpv4(host.host.ip), remoteIp: parseIpv4(other.host.ip) },
  });
  /** Frames that came in by the device. */
  async function received({ host }: DatapathHost, device: string): Promise<number> {
    const shown = await must(["ip", "-n", host.namespace, "-s", "-j", "link", "show", device]);
    const [link] = JSON.parse(shown) as { stats64: { rx: { packets: number } } }[];
    return link!.stats64.rx.packets;
  }
  const gate = (host: DatapathHost) =>
    run(["ip", "netns", "exec", host.host.namespace, "nft", "list", "table", "ip", "weave-fastdp"]);

  test("come by its lane, until they are encrypted", async () => {
    await using lab = await make(2);
    const [one, two] = lab.hosts as readonly [DatapathHost, DatapathHost];
    lab.mesh();
    await one.container.pings(two.containerIp);
    const lane = `vethwe-n${two.id}`;
    const before = await received(one, lane);
    await one.container.pings(two.containerIp);
    expect(await received(one, lane)).toBeGreaterThan(before);

    one.inside(() => one.datapath.setNeighbour({ ...neighbour(one, two), encrypted: true }));
    const shut = await received(one, lane);
    await one.container.pings(two.containerIp);
    expect(await received(one, lane)).toBe(shut);
  });

  test("find the gate open again when somebody has taken it away", async () => {
    await using lab = await make(2);
    const [one, two] = lab.hosts as readonly [DatapathHost, DatapathHost];
    lab.mesh();
    await one.container.pings(two.containerIp);
    const table = ["table", "ip", "weave-fastdp"];
    await must(["ip", "netns", "exec", one.host.namespace, "nft", "delete", ...table]);
    await one.container.pings(two.containerIp);
    expect(one.mend()).toEqual(["opened the gate to lanes again"]);
    expect(one.mend()).toEqual([]);
    await one.container.pings(two.containerIp);
  });

  test("are known by where they come from: the port of lanes itself lets nothing in", async () => {
    await using lab = await make(2);
    const [one, two] = lab.hosts as readonly [DatapathHost, DatapathHost];
    lab.mesh();
    await one.container.pings(two.containerIp);
    const lanePort = /udp dport set (\d+)/.exec((await gate(one)).stdout)![1]!;
    const counters = () => {
      const { receivedFrames, drops } = one.datapath.counters();
      return { received: receivedFrames, refused: drops.unknownPeer ?? 0 };
    };
    const before = counters();
    const vni = Buffer.from([0, 0, 0]);
    vni.writeUIntBE(makeVni(two.id, one.id), 0, 3);
    const frame = `08000000${vni.toString("hex")}00${"02".repeat(12)}0800${"00".repeat(46)}`;
    // More than containers say by themselves meanwhile.
    const count = 50;
    await must(sendUdp(two.host.namespace, one.host.ip, lanePort, frame, count));
    await eventually(
      "the frames to be refused",
      async () => counters().refused - before.refused,
      (refused) => refused === count,
    );
    expect(counters().received - before.received).toBeLessThan(count);
  });

  test("find no gate of a router that is gone, whose neighbours may be others now", async () => {
    await using lab = await make(2);
    const [one, two] = lab.hosts as readonly [DatapathHost, DatapathHost];
    lab.mesh();
    await one.container.pings(two.containerIp);
    one.kill();
    expect((await gate(one)).stdout).toContain("elements");
    one.open();
    expect((await gate(one)).code).not.toBe(0);
    await two.container.pings(one.containerIp);
    one.kill();
    one.inside(() => ebpfBackend.remove(defaultDeviceNames));
    expect((await gate(one)).code).not.toBe(0);
  });
});

/** A datagram of these octets from a host. */
function sendUdp(
  namespace: string,
  to: string,
  port: string,
  hex: string,
  count: number,
): string[] {
  const octets = hex.replace(/../g, "\\x$&");
  const script = `for _ in {1..${count}}; do printf '${octets}' > /dev/udp/${to}/${port}; done`;
  return ["ip", "netns", "exec", namespace, "bash", "-c", script];
}

/** The verdict that leaves a frame to the next program. */
const tcxNext = -1;

function loadedProgram(name: string, verdict: number): number {
  const asm = new Assembler();
  asm.set(r0, verdict);
  asm.exit();
  return loadProgram(name, link(asm.assemble(), {}), "Apache-2.0");
}

function programsAt(device: number): number[] {
  return Object.values(tcxHook).flatMap((hook) => attachedPrograms(device, hook));
}

function mapsOf(id: number): readonly number[] {
  const descriptor = programById(id);
  try {
    return programInformation(descriptor).mapIds;
  } finally {
    closeDescriptor(descriptor);
  }
}

const isNoProgram = (id: number): boolean => isGone(() => programById(id));
const isNoMap = (id: number): boolean => isGone(() => mapById(id));

function isGone(open: () => number): boolean {
  try {
    closeDescriptor(open());
    return false;
  } catch (error) {
    return isSystemError(error, "ENOENT");
  }
}

async function staysByTcx(): Promise<void> {
  await using lab = await make(2);
  const [one] = lab.hosts as readonly [DatapathHost];
  lab.mesh();
  const indexOf = (name: string): number =>
    one.inside(() => {
      using netlink = openRoute();
      return findLink(netlink, { name })!.index;
    });
  const foreign = loadedProgram("theirs", tcxNext);
  const underlay = indexOf("eth0");
  one.inside(() => attachProgram(foreign, underlay, tcxHook.ingress));
  one.inside(() => attachProgram(foreign, indexOf("vethwe-bridge"), tcxHook.ingress));
  expect(one.inside(() => one.datapath.mend(one.bridge))).toEqual([]);
  const theirs = programInformation(foreign).id;
  const devices = one.datapath.devices().map(indexOf);
  const programs = new Set(one.inside(() => devices.flatMap(programsAt)));
  expect(programs.delete(theirs)).toBe(true);
  const maps = new Set([...programs].flatMap(mapsOf));
  // One for each kind of device and direction; all tables.
  expect([programs.size, maps.size]).toEqual([programKinds.length, tableNames.length]);
  one.kill();
  one.inside(() => ebpfBackend.remove(defaultDeviceNames));
  await eventually(
    "a kernel without programs and maps of ours",
    () => must(["true"]),
    () => [...programs].every(isNoProgram) && [...maps].every(isNoMap),
  );
  expect(one.inside(() => attachedPrograms(underlay, tcxHook.ingress))).toEqual([theirs]);
  closeDescriptor(foreign);
}

describe("what others have put at our devices", () => {
  test("stays, and ours leave with their devices", async () => {
    await using lab = await make(1);
    const [one] = lab.hosts as readonly [DatapathHost];
    const tc = ["tc", "-n", one.host.namespace];
    const u32 = ["u32", "match", "u32", "0", "0", "flowid", "1:1"];
    const foreign = ["prio", "7", "protocol", "ip", ...u32];
    for (const device of ["eth0", "vethwe-bridge"]) {
      await must([...tc, "qdisc", "add", "dev", device, "clsact"]);
      await must([...tc, "filter", "add", "dev", device, "ingress", ...foreign]);
    }
    expect(one.inside(() => one.datapath.mend(one.bridge))).toEqual([]);
    const shown = await must([...tc, "filter", "show", "dev", "vethwe-bridge", "ingress"]);
    expect(shown).toContain("pref 7");
    one.kill();
    const removed = one.inside(() => ebpfBackend.remove(defaultDeviceNames));
    expect([...removed].sort()).toEqual(["vethwe-bridge", "vethwe-handover"]);
    expect(await must([...tc, "filter", "show", "dev", "eth0", "ingress"])).toContain("pref 7");
  });

  if (hasTcx()) {
    test("stays by TCX too, and no program or map of ours is left", staysByTcx);
  } else {
    test("stays by TCX too: needs Linux 6.6", () => {
      console.log("this kernel has no TCX: programs are at devices by clsact");
    });
  }
});
