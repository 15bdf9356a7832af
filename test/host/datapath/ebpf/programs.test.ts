import { afterAll, beforeEach, describe, expect, test } from "bun:test";
import { fromHex, toHex } from "../../../../lib/base/bytes.ts";
import { parseIpv4 } from "../../../../lib/base/ip.ts";
import type { LinkTraffic } from "../../../../lib/base/overlay.ts";
import type { NeighbourEntry } from "../../../../lib/host/datapath/ebpf/table-set.ts";
import { type CounterName, floodMax, tickMs } from "../../../../lib/host/datapath/ebpf/tables.ts";
import { handoverMark, heartbeatFlag } from "../../../../lib/overlay/fastdp/ports.ts";
import { spanningTreeMac, writeMac } from "../../../../lib/wire/ethernet.ts";
import { type Deed, ProgramBench, testDevice } from "./program-bench.ts";

/** We are 0x111; 0x222 and 0x333 are neighbours, 0x444 is behind 0x222, 0x555 goes by sleeve. */
const [self, near, other, far, slow, stranger] = [0x111, 0x222, 0x333, 0x444, 0x555, 0x666];
const [here, nearIp, otherIp, strangerIp] = ["10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.9"].map(
  parseIpv4,
) as [number, number, number, number];
const [uplink, handover, secondPort, lane] = [testDevice, 7, 8, 9];
const [ours, theirs, unheard, broadcast] = [
  0x02_00_00_00_00_01, 0x02_00_00_00_00_02, 0x02_00_00_00_00_03, 0xff_ff_ff_ff_ff_ff,
];
const tunnelled = 0x0400_0000;
const delivered = 0x0800_0000;
const laned = 0x1000_0000;

const vni = (from: number, to: number): number => (to << 12) | from;

function ethernet(destination: number, source: number, type = 0x0800, octets = 60): Uint8Array {
  const frame = new Uint8Array(octets);
  writeMac(frame, 0, destination);
  writeMac(frame, 6, source);
  new DataView(frame.buffer).setUint16(12, type);
  return frame;
}

const bench = new ProgramBench();
const crowd = Array.from({ length: floodMax + 6 }, (_, at) => 0x800 + at);

function neighbourEntry(remote: number, more: Partial<NeighbourEntry> = {}): NeighbourEntry {
  return { remote, local: here, device: uplink, lane: 0, longest: 0, slot: 0, ...more };
}

beforeEach(() => {
  const { tables } = bench;
  bench.clear([self, near, other, far, slow, stranger, ...crowd]);
  tables.settings = { self, uplink, handover };
  tables.setNeighbour(near, neighbourEntry(nearIp));
  tables.setNeighbour(other, neighbourEntry(otherIp));
  for (const ip of [nearIp, otherIp]) tables.setSource(ip, 0);
  for (const [peer, hop] of [
    [near, near],
    [other, other],
    [far, near],
  ] as const) {
    tables.setRoute(peer, { kind: "tunnel", neighbour: hop });
  }
  tables.setRoute(slow, { kind: "sleeve" });
});

afterAll(() => bench.close());

const counted = () => bench.counted();

const pass = (key?: Deed["key"]): Deed => ({ what: "pass", mark: 0, ...(key && { key }) });
const keyTo = (number: number, remote: number) => ({ vni: number, remote, local: here });
const drop = expect.objectContaining({ what: "drop" });

describe("a frame of a container", () => {
  const run = (frame: Uint8Array, mark = 0) => bench.run("container", frame, { mark }).deeds;

  test("for a known peer leaves for its next hop with both peers in the VNI", () => {
    bench.tables.setMac(theirs, far);
    expect(run(ethernet(theirs, ours))).toEqual([pass(keyTo(vni(self, far), nearIp))]);
    expect(counted()).toEqual({ sentFrames: 1, sentBytes: 60 });
  });

  test("takes the lane of its neighbour, which needs no key", () => {
    bench.tables.setNeighbour(near, neighbourEntry(nearIp, { lane }));
    bench.tables.setMac(theirs, near);
    expect(run(ethernet(theirs, ours))).toEqual([{ what: "send", device: lane, mark: laned }]);
  });

  test("stays on the lane on which the bridge has put it, if that is the right one", () => {
    bench.tables.setNeighbour(near, neighbourEntry(nearIp, { lane: testDevice }));
    bench.tables.setMac(theirs, near);
    expect(run(ethernet(theirs, ours))).toEqual([pass()]);
    bench.tables.setMac(theirs, slow);
    expect(run(ethernet(theirs, ours))).toEqual([
      { what: "send", device: handover, mark: handoverMark(self, slow) },
    ]);
    expect(counted()).toEqual({ sentFrames: 1, sentBytes: 60, handedOverFrames: 1 });
  });

  test("leaves by a lane as it is when a program has put it there", () => {
    expect(run(ethernet(theirs, ours), laned)).toEqual([pass()]);
    expect(counted()).toEqual({});
  });

  test("takes no lane to a peer behind the neighbour: the lane's VNI is the neighbour's", () => {
    bench.tables.setNeighbour(near, neighbourEntry(nearIp, { lane }));
    bench.tables.setMac(theirs, far);
    expect(run(ethernet(theirs, ours))).toEqual([pass(keyTo(vni(self, far), nearIp))]);
  });

  test("leaves by the device of the neighbour's port", () => {
    bench.tables.setNeighbour(near, neighbourEntry(nearIp, { device: secondPort }));
    bench.tables.setMac(theirs, near);
    expect(run(ethernet(theirs, ours))).toEqual([
      { what: "send", device: secondPort, key: keyTo(vni(self, near), nearIp), mark: tunnelled },
    ]);
  });

  test("goes to sleeve with a mark when its peer is reached that way", () => {
    bench.tables.setMac(theirs, slow);
    expect(run(ethernet(theirs, ours))).toEqual([
      { what: "send", device: handover, mark: handoverMark(self, slow) },
    ]);
    expect(counted()).toEqual({ handedOverFrames: 1 });
  });

  test("for an unknown address floods to everybody in our tree", () => {
    bench.tables.setNeighbour(other, neighbourEntry(otherIp, { lane }));
    bench.tables.setTree(self, [near, other, slow]);
    for (const destination of [unheard, broadcast]) {
      expect(run(ethernet(destination, ours))).toEqual([
        { what: "copy", device: handover, mark: handoverMark(self, slow) },
        expect.objectContaining({ what: "copy", device: lane }),
        pass(keyTo(vni(self, near), nearIp)),
      ]);
    }
    expect(counted()).toEqual({
      sentFrames: 4,
      sentBytes: 240,
      floodedFrames: 2,
      handedOverFrames: 2,
    });
  });

  test("floods to 128 neighbours, each copy with its own VNI", () => {
    for (const id of crowd) {
      bench.tables.setNeighbour(id, neighbourEntry(nearIp + id));
      bench.tables.setRoute(id, { kind: "tunnel", neighbour: id });
    }
    bench.tables.setTree(self, crowd);
    const deeds = run(ethernet(broadcast, ours));
    const keys = deeds.map(({ key }) => key!);
    expect(keys).toEqual(
      crowd
        .slice(0, floodMax)
        .reverse()
        .map((id) => keyTo(vni(self, id), nearIp + id)),
    );
    expect(deeds.map(({ what }) => what)).toEqual([...Array(floodMax - 1).fill("copy"), "pass"]);
  });

  test("floods to nobody where no tree goes on", () => {
    expect(run(ethernet(broadcast, ours))).toEqual([drop]);
  });

  test("for an address here is left to the bridge", () => {
    bench.tables.setMac(theirs, self);
    bench.tables.setResident(unheard, true);
    bench.tables.setTree(self, [near]);
    expect(run(ethernet(theirs, ours))).toEqual([drop]);
    expect(run(ethernet(unheard, ours))).toEqual([drop]);
    expect(counted()).toEqual({ destinationLocal: 2 });
  });

  test("for an address that was silent too long is flooded", () => {
    bench.tables.setMac(theirs, near, (11 * 60_000) / tickMs);
    bench.tables.setTree(self, [other]);
    expect(run(ethernet(theirs, ours))).toEqual([pass(keyTo(vni(self, other), otherIp))]);
  });

  test("makes its sender known as one of ours, unless it is a group", () => {
    run(ethernet(broadcast, ours));
    run(ethernet(broadcast, 0x03_00_00_00_00_07));
    expect(bench.tables.macs()).toEqual([{ mac: ours, owner: self, age: expect.any(Number) }]);
  });

  test("whose sender was just heard from another peer is a loop, later it has moved in", () => {
    bench.tables.setMac(theirs, near);
    bench.tables.setTree(self, [near]);
    bench.tables.setMac(ours, near, Math.floor(300 / tickMs));
    expect(run(ethernet(theirs, ours))).toEqual([drop]);
    expect(counted()).toEqual({ macConflict: 1 });
    bench.tables.setMac(ours, near, Math.ceil(1100 / tickMs));
    expect(run(ethernet(theirs, ours))).toEqual([pass(keyTo(vni(self, near), nearIp))]);
    expect(bench.tables.macs().find(({ mac }) => mac === ours)?.owner).toBe(self);
  });

  test("is dropped, with its reason, when it cannot go anywhere", () => {
    bench.tables.setMac(theirs, stranger);
    const reasons: [Uint8Array, CounterName][] = [
      [ethernet(spanningTreeMac, ours), "spanningTree"],
      [ethernet(theirs, ours), "noRoute"],
      [ethernet(0, 0), "malformed"],
    ];
    for (const [frame, reason] of reasons) {
      expect(run(frame)).toEqual([drop]);
      expect(counted()[reason]).toBe(1);
    }
    bench.tables.settings = { self: undefined, uplink, handover };
    expect(run(ethernet(broadcast, ours))).toEqual([drop]);
    expect(counted().notReady).toBe(1);
  });

  test("is dropped when the neighbour of its route is no longer one", () => {
    bench.tables.setMac(theirs, far);
    bench.tables.setNeighbour(near, undefined);
    expect(run(ethernet(theirs, ours))).toEqual([drop]);
    expect(counted()).toEqual({ noRoute: 1 });
  });

  test("is not taken for one of our own by a mark that somebody else set", () => {
    bench.tables.setMac(theirs, near);
    for (const mark of [tunnelled | 5, heartbeatFlag | vni(self, other)]) {
      expect(run(ethernet(theirs, ours), mark)).toEqual([pass(keyTo(vni(self, near), nearIp))]);
    }
  });
});

describe("a frame too long for the tunnel to a neighbour", () => {
  const longest = 1364;
  const toSleeve = (from: number, to: number): Deed => ({
    what: "send",
    device: handover,
    mark: handoverMark(from, to),
  });
  const byLane: Deed = { what: "send", device: lane, mark: laned };
  beforeEach(() => {
    bench.tables.setNeighbour(near, neighbourEntry(nearIp, { lane, longest }));
    bench.tables.setMac(theirs, near);
  });

  /** A TCP frame or super-frame with so many octets of options, of IP and of TCP. */
  function tcp(version: 4 | 6, payload: number, options: readonly [number, number] = [0, 12]) {
    const ipBytes = version === 4 ? 20 + options[0] : 40;
    const [at, tcpBytes] = [14 + ipBytes, 20 + options[1]];
    const type = version === 4 ? 0x0800 : 0x86dd;
    const octets = ethernet(theirs, ours, type, at + tcpBytes + payload);
    octets[14] = version === 4 ? 0x40 | (ipBytes / 4) : 0x60;
    octets[version === 4 ? 23 : 20] = 6;
    octets[at + 12] = (tcpBytes / 4) << 4;
    return octets;
  }

  test("goes to sleeve, and one that just fits does not", () => {
    const run = (octets: number) =>
      bench.run("container", ethernet(theirs, ours, 0x0800, octets)).deeds;
    expect(run(longest)).toEqual([byLane]);
    expect(run(longest + 1)).toEqual([toSleeve(self, near)]);
    expect(counted()).toEqual({ sentFrames: 1, sentBytes: longest, handedOverFrames: 1 });
    bench.tables.setMac(theirs, far);
    expect(run(longest + 1)).toEqual([toSleeve(self, far)]);
  });

  for (const [version, options] of [
    [4, [0, 0]],
    [4, [0, 12]],
    [4, [40, 40]],
    [6, [0, 0]],
    [6, [0, 32]],
  ] as const) {
    test(`may be a super-frame of segments that fit: IPv${version}, options ${options}`, () => {
      const frame = tcp(version, 2900, options);
      const fits = longest - (frame.length - 2900);
      const run = (segment: number) => bench.run("container", frame, { segment }).deeds;
      expect(run(fits)).toEqual([byLane]);
      expect(run(fits + 1)).toEqual([toSleeve(self, near)]);
    });
  }

  test("may be no super-frame of anything but TCP", () => {
    const udp = tcp(4, 2900);
    udp[23] = 17;
    const hopByHop = tcp(6, 2900);
    hopByHop[20] = 0;
    const tagged = tcp(4, 2900);
    tagged.set([0x81, 0], 12);
    for (const frame of [udp, hopByHop, tagged, ethernet(theirs, ours, 0x0800, 2000)]) {
      expect(bench.run("container", frame, { segment: 100 }).deeds).toEqual([toSleeve(self, near)]);
    }
  });

  test("goes to sleeve in floods and for others as well, while the rest goes on as before", () => {
    const long = ethernet(broadcast, theirs, 0x0800, longest + 1);
    bench.tables.setTree(self, [near, other]);
    expect(bench.run("container", ethernet(broadcast, ours, 0x0800, longest + 1)).deeds).toEqual([
      { what: "copy", device: uplink, key: keyTo(vni(self, other), otherIp), mark: tunnelled },
      expect.objectContaining({ what: "send", device: handover, mark: handoverMark(self, near) }),
    ]);
    bench.tables.setTree(self, [other, near]);
    expect(bench.run("container", ethernet(broadcast, ours, 0x0800, longest + 1)).deeds).toEqual([
      { what: "copy", device: handover, mark: handoverMark(self, near) },
      pass(keyTo(vni(self, other), otherIp)),
    ]);
    const from = { vni: vni(other, near), remote: otherIp, local: here };
    expect(bench.run("wire", long, { from }).deeds).toEqual([
      expect.objectContaining({ what: "send", device: handover, mark: handoverMark(other, near) }),
    ]);
    expect(bench.run("handover", long, { mark: handoverMark(slow, near) }).deeds).toEqual([
      toSleeve(slow, near),
    ]);
  });

  test("is no heartbeat: those find out what fits", () => {
    const { deeds } = bench.run("container", ethernet(0, 0, 0, 2000), {
      mark: heartbeatFlag | vni(self, near),
    });
    expect(deeds).toEqual([pass(keyTo(vni(self, near), nearIp))]);
  });
});

describe("what this process and our programs send", () => {
  test("a heartbeat leaves for the neighbour that its mark names, route or not", () => {
    bench.tables.setRoute(near, undefined);
    const { deeds } = bench.run("container", ethernet(0, 0, 0), {
      mark: heartbeatFlag | vni(self, near),
    });
    expect(deeds).toEqual([pass(keyTo(vni(self, near), nearIp))]);
    expect(counted()).toEqual({ heartbeatsSent: 1 });
  });

  test("a heartbeat to nobody is dropped", () => {
    const mark = heartbeatFlag | vni(self, stranger);
    expect(bench.run("container", ethernet(0, 0, 0), { mark }).deeds).toEqual([drop]);
  });

  test("a frame whose key is set already passes as it is", () => {
    const number = vni(near, other);
    const { deeds } = bench.run("container", ethernet(theirs, ours), {
      from: { vni: number, remote: here, local: otherIp },
      mark: tunnelled,
    });
    expect(deeds).toEqual([pass({ vni: number, remote: otherIp, local: here })]);
    expect(bench.tables.macs()).toEqual([]);
  });
});

describe("a frame from the wire", () => {
  const run = (frame: Uint8Array, from: number, to: number, ip = nearIp) =>
    bench.run("wire", frame, { from: { vni: vni(from, to), remote: ip, local: here } });

  test("for us is delivered, and its sender is at the originator from now on", () => {
    bench.tables.setMac(theirs, self);
    const { deeds } = run(ethernet(ours, theirs), far, self);
    expect(deeds).toEqual([expect.objectContaining({ what: "pass", mark: 0 })]);
    expect(bench.tables.macs()).toEqual([{ mac: theirs, owner: far, age: expect.any(Number) }]);
    expect(counted()).toEqual({ receivedFrames: 1, receivedBytes: 60 });
  });

  test("at another port reaches the bridge through the uplink", () => {
    bench.tables.settings = { self, uplink: secondPort, handover };
    expect(run(ethernet(ours, theirs), near, self).deeds).toEqual([
      expect.objectContaining({ what: "arrive", device: secondPort, mark: delivered }),
    ]);
    expect(bench.run("wire", ethernet(ours, theirs), { mark: delivered }).deeds).toEqual([pass()]);
  });

  test("for another peer is relayed with its VNI unchanged, nothing learned", () => {
    const { deeds } = run(ethernet(unheard, theirs), near, other);
    expect(deeds).toEqual([
      { what: "send", device: uplink, key: keyTo(vni(near, other), otherIp), mark: tunnelled },
    ]);
    expect(bench.tables.macs()).toEqual([]);
    expect(counted()).toEqual({ relayedFrames: 1 });
  });

  test("for a peer by sleeve is handed over under its VNI", () => {
    expect(run(ethernet(unheard, theirs), near, slow).deeds).toEqual([
      expect.objectContaining({
        what: "send",
        device: handover,
        mark: handoverMark(near, slow),
      }),
    ]);
  });

  test("is never sent back to where it came from", () => {
    expect(run(ethernet(unheard, theirs), other, far, nearIp).deeds).toEqual([drop]);
    expect(counted()).toEqual({ wouldReturn: 1 });
  });

  test("is not flooded back to where it came from, however views disagree", () => {
    bench.tables.setTree(near, [near, other]);
    expect(run(ethernet(broadcast, theirs), near, self).deeds).toEqual([
      expect.objectContaining({ what: "copy", key: keyTo(vni(near, other), otherIp) }),
      expect.objectContaining({ what: "pass" }),
    ]);
    // Another neighbour at the same address, at another port, is not where it came from.
    bench.tables.setNeighbour(other, neighbourEntry(nearIp, { device: secondPort }));
    expect(run(ethernet(unheard, theirs), near, other).deeds).toEqual([
      expect.objectContaining({ what: "send", device: secondPort }),
    ]);
  });

  test("goes on along the tree of its originator unless its destination is here", () => {
    bench.tables.setTree(near, [other, slow]);
    const onwards = [
      { what: "copy", device: handover, mark: handoverMark(near, slow) },
      { what: "copy", device: uplink, key: keyTo(vni(near, other), otherIp), mark: tunnelled },
      { what: "pass", mark: 0 },
    ].map((deed) => expect.objectContaining(deed));
    for (const destination of [broadcast, unheard]) {
      expect(run(ethernet(destination, theirs), near, self).deeds).toEqual(onwards);
    }
    bench.tables.setMac(unheard, other);
    expect(run(ethernet(unheard, theirs), near, self).deeds).toEqual(onwards);
    bench.tables.setMac(ours, self);
    bench.tables.setResident(unheard + 1, true);
    for (const destination of [ours, unheard + 1]) {
      expect(run(ethernet(destination, theirs), near, self).deeds).toHaveLength(1);
    }
    expect(counted()).toMatchObject({ floodedFrames: 3, receivedFrames: 5, relayedFrames: 3 });
  });

  test("is refused from a host that is no neighbour, and of a peer that nobody knows", () => {
    expect(run(ethernet(ours, theirs), near, self, strangerIp).deeds).toEqual([drop]);
    expect(run(ethernet(ours, theirs), stranger, self).deeds).toEqual([drop]);
    expect(run(ethernet(ours, theirs), self, self).deeds).toEqual([drop]);
    expect(counted()).toEqual({ unknownSource: 1, unknownPeer: 2 });
  });

  test("comes from any neighbour: the way back may be another one", () => {
    expect(run(ethernet(ours, theirs), far, self, otherIp).deeds).toHaveLength(1);
    expect(counted()).toMatchObject({ receivedFrames: 1 });
  });

  test("without tunnel is none", () => {
    expect(bench.run("wire", ethernet(ours, theirs)).deeds).toEqual([drop]);
  });
});

describe("a frame that came by the lane of its originator", () => {
  const run = (frame: Uint8Array, from: number) => bench.run("lane", frame, { mark: laned | from });

  test("is delivered there, and its sender is at the originator from now on", () => {
    bench.tables.setMac(theirs, self);
    expect(run(ethernet(ours, theirs), near).deeds).toEqual([pass()]);
    expect(bench.tables.macs()).toEqual([{ mac: theirs, owner: near, age: expect.any(Number) }]);
    expect(counted()).toEqual({ receivedFrames: 1, receivedBytes: 60 });
  });

  test("is flooded along the tree of its originator, never back to it", () => {
    bench.tables.setTree(near, [other, near]);
    expect(run(ethernet(broadcast, theirs), near).deeds).toEqual([
      { what: "copy", device: uplink, key: keyTo(vni(near, other), otherIp), mark: tunnelled },
      expect.objectContaining({ what: "pass", mark: 0 }),
    ]);
    expect(counted()).toMatchObject({ relayedFrames: 1, floodedFrames: 1, receivedFrames: 1 });
  });

  test("is none of a peer that is no neighbour", () => {
    expect(run(ethernet(ours, theirs), stranger).deeds).toEqual([drop]);
    expect(counted()).toEqual({ unknownPeer: 1 });
  });

  test("may be a heartbeat, which goes to this process as from the port at which it came in", () => {
    const beat = fromHex("000000000000000000000000000000112233445566770400".padEnd(120, "0"));
    const { deeds, frame } = run(beat, near);
    expect(deeds).toEqual([
      expect.objectContaining({ what: "arrive", device: handover, mark: heartbeatFlag }),
    ]);
    expect(toHex(frame.subarray(0, 14))).toBe(
      `0a000002${vni(near, self).toString(16).padStart(8, "0")}0000000188b5`,
    );
  });
});

describe("what came of a neighbour", () => {
  const from = (ip: number) => ({ vni: vni(near, self), remote: ip, local: here });
  const beat = ethernet(0, 0, 0);

  test("is known by lane and wire, frames and heartbeats", () => {
    const { tables } = bench;
    const beginMs = performance.now();
    expect(tables.heardOf(near)).toBeUndefined();
    bench.run("lane", beat, { mark: laned | near });
    expect(tables.heardOf(near)).toEqual({ ageTicks: expect.any(Number), activity: 0 });
    bench.run("lane", ethernet(ours, theirs), { mark: laned | near });
    expect(tables.heardOf(near)).toMatchObject({ activity: 1 });
    expect(tables.heardOf(near)!.ageTicks * tickMs).toBeLessThan(
      performance.now() - beginMs + tickMs,
    );
    tables.setNeighbour(near, neighbourEntry(nearIp));
    bench.run("wire", beat, { from: from(nearIp) });
    expect(tables.heardOf(near)).toMatchObject({ activity: 0 });
    bench.run("wire", ethernet(ours, theirs), { from: from(nearIp) });
    expect(tables.heardOf(near)).toMatchObject({ activity: 1 });
  });

  test("is counted by moments, however many frames come in one", () => {
    bench.run("lane", ethernet(ours, theirs), { mark: laned | near, repeat: 10_000 });
    const { activity } = bench.tables.heardOf(near)!;
    expect(activity).toBeGreaterThan(0);
    expect(activity).toBeLessThan(1000);
  });

  test("is not what came of it by another host", () => {
    bench.run("wire", ethernet(ours, theirs), { from: from(otherIp) });
    expect(bench.tables.heardOf(near)).toBeUndefined();
  });
});

describe("a heartbeat from the wire", () => {
  const beat = fromHex("000000000000000000000000000000112233445566770400".padEnd(120, "0"));
  const run = (frame: Uint8Array, from: number, ip = nearIp) =>
    bench.run("wire", frame, { from: { vni: vni(from, self), remote: ip, local: here } });

  test("goes to this process with where it came from in place of its addresses", () => {
    const { deeds, frame } = run(beat, near);
    expect(deeds).toEqual([
      expect.objectContaining({ what: "arrive", device: handover, mark: heartbeatFlag }),
    ]);
    expect(toHex(frame)).toBe(
      `0a000002${vni(near, self).toString(16).padStart(8, "0")}0000000188b5${toHex(beat.slice(14))}`,
    );
    expect(counted()).toEqual({ heartbeatsHeard: 1 });
  });

  test("is heard from any address: a neighbour may have moved", () => {
    expect(run(beat, near, strangerIp).deeds).toEqual([
      expect.objectContaining({ what: "arrive" }),
    ]);
  });

  test("is heard of a neighbour without a route", () => {
    bench.tables.setRoute(near, undefined);
    expect(run(beat, near).deeds).toEqual([expect.objectContaining({ what: "arrive" })]);
  });

  test("is none with a type, a destination, or of a stranger", () => {
    expect(run(ethernet(0, 0, 0x0800), near).deeds).toEqual([drop]);
    expect(run(ethernet(ours, 0, 0), near).deeds).toEqual([drop]);
    expect(run(beat, stranger).deeds).toEqual([drop]);
    expect(counted()).toEqual({ malformed: 2, unknownPeer: 1 });
  });
});

describe("a frame that sleeve received", () => {
  const run = (frame: Uint8Array, mark: number) => bench.run("handover", frame, { mark }).deeds;

  test("for us reaches the bridge through the uplink", () => {
    expect(run(ethernet(ours, theirs), handoverMark(slow, self))).toEqual([
      { what: "arrive", device: uplink, mark: delivered },
    ]);
    expect(bench.tables.macs()).toEqual([{ mac: theirs, owner: slow, age: expect.any(Number) }]);
    expect(counted()).toEqual({ handedInFrames: 1 });
  });

  test("for another peer goes on through the tunnel, or back to sleeve", () => {
    expect(run(ethernet(unheard, theirs), handoverMark(slow, near))).toEqual([
      { what: "send", device: uplink, key: keyTo(vni(slow, near), nearIp), mark: tunnelled },
    ]);
    bench.tables.setRoute(other, { kind: "sleeve" });
    expect(run(ethernet(unheard, theirs), handoverMark(slow, other))).toEqual([
      { what: "send", device: handover, mark: handoverMark(slow, other) },
    ]);
  });

  test("is flooded along the tree of its originator", () => {
    bench.tables.setTree(slow, [near]);
    expect(run(ethernet(broadcast, theirs), handoverMark(slow, self))).toEqual([
      { what: "copy", device: uplink, key: keyTo(vni(slow, near), nearIp), mark: tunnelled },
      expect.objectContaining({ what: "arrive", device: uplink, mark: delivered }),
    ]);
  });

  test("without a mark, or of a peer that nobody knows, is dropped", () => {
    expect(run(ethernet(ours, theirs), 0)).toEqual([drop]);
    expect(run(ethernet(ours, theirs), handoverMark(stranger, self))).toEqual([drop]);
    expect(run(ethernet(ours, theirs), handoverMark(self, near))).toEqual([drop]);
    expect(counted()).toEqual({ unmarked: 1, unknownPeer: 2, handedInFrames: 2 });
  });

  test("lets heartbeats of the programs pass to this process", () => {
    expect(run(ethernet(0, 0, 0), heartbeatFlag)).toEqual([{ what: "pass", mark: heartbeatFlag }]);
  });
});

describe("a path that became too small", () => {
  // Ethernet, IPv4 without options, ICMP 3/4; and IPv6, ICMPv6 2.
  const four = ethernet(ours, theirs, 0x0800, 70);
  four.set([0x45], 14);
  four[23] = 1;
  four.set([3, 4], 34);
  const six = ethernet(ours, theirs, 0x86dd, 90);
  six[20] = 58;
  six[54] = 2;

  test("is told to the container that sent too much, through uplink and lanes alike", () => {
    const from = { vni: vni(self, near), remote: nearIp, local: here };
    for (const error of [four, six]) {
      expect(bench.run("wire", error, { from }).deeds.map(({ what }) => what)).toEqual(["pass"]);
      expect(bench.run("lane", error).deeds.map(({ what }) => what)).toEqual(["pass"]);
    }
  });

  test("is no way in for anything else", () => {
    for (const frame of [ethernet(ours, theirs), ethernet(ours, theirs, 0x86dd, 90)]) {
      expect(bench.run("lane", frame).deeds).toEqual([drop]);
    }
  });
});

describe("what a neighbour's link carries", () => {
  const [nearSlot, otherSlot] = [3, 4];
  const before = new Map<number, LinkTraffic>();
  const keyFrom = (from: number, to: number, remote: number) => ({
    ...{ vni: vni(from, to), remote, local: here },
  });

  beforeEach(() => {
    bench.tables.setNeighbour(near, neighbourEntry(nearIp, { slot: nearSlot, lane }));
    bench.tables.setNeighbour(other, neighbourEntry(otherIp, { slot: otherSlot }));
    for (const slot of [nearSlot, otherSlot]) before.set(slot, bench.tables.traffic(slot));
  });

  const carried = (slot: number): number[] => {
    const [now, then] = [bench.tables.traffic(slot), before.get(slot)!];
    return [
      now.sentPackets - then.sentPackets,
      now.sentBytes - then.sentBytes,
      now.receivedPackets - then.receivedPackets,
      now.receivedBytes - then.receivedBytes,
    ];
  };

  test("is counted by lane and tunnel, floods by each copy", () => {
    bench.tables.setMac(theirs, near);
    bench.run("container", ethernet(theirs, ours));
    bench.tables.setMac(theirs, far);
    bench.run("container", ethernet(theirs, ours));
    bench.tables.setTree(self, [near, other, slow]);
    bench.run("container", ethernet(broadcast, ours));
    expect(carried(nearSlot)).toEqual([3, 180, 0, 0]);
    expect(carried(otherSlot)).toEqual([1, 60, 0, 0]);
  });

  test("is counted by the segments of super-frames", () => {
    bench.tables.setMac(theirs, near);
    bench.run("container", ethernet(theirs, ours, 0x0800, 1400), { segment: 100, segments: 13 });
    expect(carried(nearSlot)).toEqual([13, 1400, 0, 0]);
  });

  test("is counted when it comes, by wire and lane, heartbeats left out", () => {
    bench.run("wire", ethernet(ours, theirs), { from: keyFrom(near, self, nearIp) });
    bench.run("wire", ethernet(ours, theirs), { from: keyFrom(far, self, nearIp) });
    bench.run("lane", ethernet(ours, theirs, 0x0800, 70), { mark: laned | near });
    bench.run("lane", ethernet(0, 0, 0), { mark: laned | near });
    bench.run("wire", ethernet(0, 0, 0), { from: keyFrom(near, self, nearIp) });
    expect(carried(nearSlot)).toEqual([0, 0, 3, 190]);
  });

  test("is what is relayed through this host as well, on both links", () => {
    bench.tables.setRoute(stranger, { kind: "tunnel", neighbour: other });
    bench.run("wire", ethernet(theirs, ours), { from: keyFrom(near, stranger, nearIp) });
    expect(carried(nearSlot)).toEqual([0, 0, 1, 60]);
    expect(carried(otherSlot)).toEqual([1, 60, 0, 0]);
  });

  test("is what came by another host than frames for its originator take, for that host", () => {
    bench.tables.setSource(otherIp, otherSlot);
    bench.run("wire", ethernet(ours, theirs), { from: keyFrom(near, self, otherIp) });
    bench.run("wire", ethernet(ours, theirs), { from: keyFrom(slow, self, otherIp) });
    expect(carried(nearSlot)).toEqual([0, 0, 0, 0]);
    expect(carried(otherSlot)).toEqual([0, 0, 2, 120]);
  });

  test("is nobody's where several neighbours have one address and another one is expected", () => {
    bench.run("wire", ethernet(ours, theirs), { from: keyFrom(near, self, otherIp) });
    expect([...carried(nearSlot), ...carried(otherSlot)]).toEqual([0, 0, 0, 0, 0, 0, 0, 0]);
  });
});
