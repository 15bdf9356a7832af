import { beforeEach, describe, expect, test } from "bun:test";
import { actionsFor } from "../../../../lib/host/datapath/ovs/actions.ts";
import type { DumpedFlow, FlowMatch } from "../../../../lib/host/datapath/ovs/flow-message.ts";
import { flowIdleMs } from "../../../../lib/host/datapath/ovs/flow-table.ts";
import type { Ingress, Output } from "../../../../lib/host/datapath/ovs/frame-decision.ts";
import {
  inheritedFlow,
  inheritedTables,
} from "../../../../lib/host/datapath/ovs/inherited-flow.ts";
import { VirtualSwitch } from "../../../../lib/host/datapath/ovs/virtual-switch.ts";
import {
  type HeardHeartbeat,
  handoverMark,
  type NextHop,
} from "../../../../lib/overlay/fastdp/ports.ts";
import { makeVni } from "../../../../lib/overlay/fastdp/vni.ts";
import { macHoldDownMs } from "../../../../lib/overlay/mac-table.ts";
import { spanningTreeMac, writeMac } from "../../../../lib/wire/ethernet.ts";

const self = 1;
const [two, three, far] = [2, 3, 4];
const here = 0x0a00_0001;
const at = (id: number): number => 0x0a00_0000 + id;
const port = 6784;
const broadcast = 0xffff_ffff_ffff;
const [mine, other, theirs] = [0x0200_0000_0001, 0x0200_0000_0002, 0x0200_0000_0003];
const containers: Ingress = { kind: "containers" };

function frameFrom(source: number, destination: number): Uint8Array {
  const frame = new Uint8Array(60);
  writeMac(frame, 0, destination);
  writeMac(frame, 6, source);
  frame[12] = 8;
  return frame;
}

function wire(originator: number, destination: number, from = originator): Ingress {
  const vni = makeVni(originator, destination);
  return { kind: "tunnel", vni, source: at(from), destination: here, port };
}

/** Outputs in words: `bridge`, `2 by 10.0.0.2` or `sleeve 1>2`. */
function named(outputs: readonly Output[]): string[] {
  const way = (vni: number): string => `${vni & 0xfff}>${(vni >>> 12) & 0xfff}`;
  return outputs.map((output) => {
    if (output.kind === "containers") return "bridge";
    if (output.kind === "sleeve") return `sleeve ${way(output.mark)}`;
    return `${way(output.vni)} by ${output.neighbour.shortId}`;
  });
}

/** A kernel that keeps flows and looks frames up in them, as far as a switch can tell. */
class FakeKernel {
  readonly flows = new Map<string, { match: FlowMatch; outputs: readonly Output[] }>();
  readonly sent: string[][] = [];
  readonly heard: HeardHeartbeat[] = [];
  refuses = false;
  #lastId = 0;
  readonly switch = new VirtualSwitch({
    execute: (_frame, _ingress, outputs) => void this.sent.push(named(outputs)),
    install: (id, match, _ingress, outputs) => {
      if (!this.refuses) this.flows.set(id, { match, outputs });
      return !this.refuses;
    },
    remove: (id) => void this.flows.delete(id),
    portOf: (ingress) => ["containers", "sleeve", "tunnel"].indexOf(ingress.kind),
    heartbeat: (heard) => void this.heard.push(heard),
    newId: () => String(++this.#lastId),
  });

  /** What becomes of a frame that misses; its outputs. */
  miss(ingress: Ingress, frame: Uint8Array, nowMs = 0): string[] {
    this.sent.length = 0;
    this.switch.miss({ ingress, vlanType: undefined, frame }, nowMs);
    return this.sent[0] ?? [];
  }

  flowsTo(): string[][] {
    return [...this.flows.values()].map(({ outputs }) => named(outputs));
  }
}

let kernel: FakeKernel;

/** `self` with neighbours 2 (fastdp) and 3 (sleeve), and 4 behind 2. */
beforeEach(() => {
  kernel = new FakeKernel();
  for (const shortId of [two]) {
    kernel.switch.setNeighbour({ shortId, localIp: here, remoteIp: at(shortId), port });
  }
  kernel.switch.change(
    {
      self,
      hops: new Map<number, NextHop>([
        [two, { kind: "tunnel", neighbour: two }],
        [three, { kind: "sleeve" }],
        [far, { kind: "tunnel", neighbour: two }],
      ]),
      trees: new Map([
        [self, [two, three]],
        [three, [two]],
      ]),
    },
    0,
  );
});

describe("a frame of a container", () => {
  test("is flooded to each neighbour by its own way, and the flood is a flow", () => {
    expect(kernel.miss(containers, frameFrom(mine, broadcast))).toEqual(["1>2 by 2", "sleeve 1>3"]);
    expect(kernel.flowsTo()).toEqual([["1>2 by 2", "sleeve 1>3"]]);
    expect(kernel.switch.counters()).toMatchObject({ floodedFrames: 1, handedOverFrames: 1 });
  });

  test("for nobody known is flooded until its receiver is heard, and then goes there alone", () => {
    const frame = frameFrom(mine, theirs);
    expect(kernel.miss(containers, frame)).toEqual(["1>2 by 2", "sleeve 1>3"]);
    kernel.miss(wire(far, self, two), frameFrom(theirs, mine));
    expect(kernel.flowsTo()).toEqual([["bridge"]]);
    expect(kernel.miss(containers, frame)).toEqual(["1>4 by 2"]);
  });

  test("for a container of this host, or of a spanning tree, goes nowhere", () => {
    kernel.miss(containers, frameFrom(other, broadcast));
    expect(kernel.miss(containers, frameFrom(mine, other))).toEqual([]);
    expect(kernel.miss(containers, frameFrom(mine, spanningTreeMac))).toEqual([]);
    expect(kernel.switch.counters().drops).toEqual({ destinationLocal: 1, spanningTree: 1 });
  });

  test("whose address was heard elsewhere a moment ago is dropped; later it has moved here", () => {
    kernel.miss(wire(two, self), frameFrom(theirs, mine), 0);
    const frame = frameFrom(theirs, broadcast);
    expect(kernel.miss(containers, frame, macHoldDownMs - 1)).toEqual([]);
    expect(kernel.switch.counters().drops).toEqual({ macConflict: 1 });
    expect(kernel.miss(containers, frame, macHoldDownMs)).toEqual(["1>2 by 2", "sleeve 1>3"]);
  });

  test("is dropped as long as we have no short id, without a flow", () => {
    const young = new FakeKernel();
    expect(young.miss(containers, frameFrom(mine, broadcast))).toEqual([]);
    expect(young.flows.size).toBe(0);
    expect(young.switch.counters().drops).toEqual({ notReady: 1 });
  });
});

describe("a frame from elsewhere", () => {
  test("for us goes to the bridge, and on by its originator's tree when nobody here has it", () => {
    const sleeve: Ingress = { kind: "sleeve", mark: handoverMark(three, self) };
    expect(kernel.miss(sleeve, frameFrom(theirs, broadcast))).toEqual(["bridge", "3>2 by 2"]);
    kernel.switch.setResidents([mine], 0);
    expect(kernel.miss(sleeve, frameFrom(theirs, mine))).toEqual(["bridge"]);
    expect(kernel.switch.macs(0)).toContainEqual({ mac: theirs, shortId: three, ageMs: 0 });
  });

  test("for another is relayed with the same VNI, by one flow for all addresses", () => {
    expect(kernel.miss(wire(two, three), frameFrom(theirs, mine))).toEqual(["sleeve 2>3"]);
    const [flow] = kernel.flows.values();
    expect(flow!.match.macs).toBeUndefined();
    expect(kernel.switch.macs(0)).toEqual([]);
    expect(kernel.switch.counters().relayedFrames).toBe(1);
  });

  test("is never sent back to where it came from", () => {
    expect(kernel.miss(wire(two, far), frameFrom(theirs, mine))).toEqual([]);
    expect(kernel.switch.counters().drops).toEqual({ wouldReturn: 1 });
  });

  test("is not flooded back to where it came from, however views disagree", () => {
    kernel.switch.change({ hops: new Map(), trees: new Map([[two, [two, three]]]) }, 0);
    expect(kernel.miss(wire(two, self), frameFrom(theirs, broadcast))).toEqual([
      "bridge",
      "sleeve 2>3",
    ]);
  });

  test("is dropped from strangers, about strangers, from ourselves, and without a mark", () => {
    kernel.miss(wire(two, self, 99), frameFrom(theirs, mine));
    kernel.miss(wire(77, self, two), frameFrom(theirs, mine));
    kernel.miss(wire(self, self, two), frameFrom(theirs, mine));
    kernel.miss({ kind: "sleeve", mark: 240 }, frameFrom(theirs, mine));
    kernel.miss(wire(two, self), new Uint8Array(13));
    expect(kernel.switch.counters().drops).toEqual({
      ...{ unknownSource: 1, unknownPeer: 2, unmarked: 1, malformed: 1 },
    });
    expect(kernel.switch.macs(0)).toEqual([]);
  });

  test("that is a heartbeat goes to the core, from wherever it comes, and never makes a flow", () => {
    const frame = new Uint8Array(1390);
    expect(kernel.miss(wire(two, self, 99), frame)).toEqual([]);
    expect(kernel.heard).toEqual([
      { source: two, destination: self, remoteIp: at(99), port, frame, length: 1390 },
    ]);
    expect(kernel.flows.size).toBe(0);
  });
});

describe("a change removes the flows that it concerns and no others", () => {
  const captured = frameFrom(mine, theirs);
  const relayed = frameFrom(0x0200_0000_0009, 0x0200_0000_000a);

  beforeEach(() => {
    kernel.switch.setResidents([mine], 0);
    kernel.miss(wire(two, self), frameFrom(theirs, mine));
    kernel.miss(wire(two, three), relayed);
    kernel.miss(containers, captured);
    expect(kernel.flowsTo()).toEqual([["bridge"], ["sleeve 2>3"], ["1>2 by 2"]]);
  });

  test("of the hop to a peer", () => {
    const hops = new Map<number, NextHop>([[two, { kind: "sleeve" }]]);
    kernel.switch.change({ hops, trees: new Map() }, 0);
    expect(kernel.flows.size).toBe(0);
    expect(kernel.miss(containers, captured)).toEqual(["sleeve 1>2"]);
    kernel.switch.change({ hops: new Map([[far, undefined]]), trees: new Map() }, 0);
    expect(kernel.flows.size).toBe(1);
  });

  test("of a neighbour's address", () => {
    kernel.switch.setNeighbour({ shortId: two, localIp: here, remoteIp: at(two), port });
    expect(kernel.flows.size).toBe(3);
    kernel.switch.setNeighbour({ shortId: two, localIp: here, remoteIp: at(22), port });
    expect(kernel.miss(wire(two, self, 22), frameFrom(theirs, mine))).toEqual(["bridge"]);
    expect(kernel.miss(wire(two, self), frameFrom(theirs, mine))).toEqual([]);
    const remoteIp = at(22);
    kernel.miss(wire(two, three, 22), relayed);
    kernel.switch.setNeighbour({ shortId: two, localIp: here, remoteIp, port, mtu: 1350 });
    expect(kernel.flows.size).toBe(0);
    kernel.switch.removeNeighbour(two);
    expect(kernel.miss(containers, captured)).toEqual([]);
    expect(kernel.switch.counters().drops).toMatchObject({ unknownSource: 1, noRoute: 1 });
  });

  test("of our own short id", () => {
    kernel.switch.change({ self: 9, hops: new Map(), trees: new Map() }, 0);
    expect(kernel.flows.size).toBe(0);
    expect(kernel.miss(containers, captured)).toEqual(["9>2 by 2"]);
  });

  test("of an address that moves to another peer", () => {
    kernel.miss({ kind: "sleeve", mark: handoverMark(three, self) }, frameFrom(theirs, broadcast));
    expect(kernel.miss(containers, captured)).toEqual(["sleeve 1>3"]);
  });

  test("of an address that its peer takes along", () => {
    kernel.switch.forgetMacs(two);
    expect(kernel.flowsTo()).toEqual([["sleeve 2>3"]]);
    expect(kernel.miss(containers, captured)).toEqual(["1>2 by 2", "sleeve 1>3"]);
  });
});

describe("flows", () => {
  const used = (packets: number) =>
    [...kernel.flows.keys()].map((id) => ({ id, packets, bytes: packets * 100 }));

  test("out of use go, those in use stay and are counted", () => {
    kernel.miss(wire(two, self), frameFrom(theirs, mine), 0);
    kernel.switch.counted(used(5), 10_000);
    kernel.switch.counted(used(9), flowIdleMs);
    expect(kernel.switch.counters()).toMatchObject({ receivedFrames: 10, receivedBytes: 960 });
    kernel.switch.counted(used(9), flowIdleMs * 2);
    expect(kernel.flows.size).toBe(1);
    kernel.switch.counted(used(9), flowIdleMs * 2 + 1);
    expect(kernel.flows.size).toBe(0);
    expect(kernel.switch.flows).toBe(0);
  });

  test("count for the neighbours to which and from which they are", () => {
    const [sent, received] = [3, 5];
    kernel.miss(wire(two, self), frameFrom(theirs, mine), 0);
    kernel.switch.counted(used(received - 1), 1000);
    const none = { sentPackets: 0, sentBytes: 0 };
    expect(kernel.switch.carried(two)).toMatchObject({ ...none, receivedPackets: received });
    kernel.miss(containers, frameFrom(mine, theirs), 2000);
    kernel.switch.counted(used(sent - 1).slice(-1), 3000);
    const carried = kernel.switch.carried(two);
    expect(carried).toMatchObject({ sentPackets: sent, receivedPackets: received });
    expect(carried!.sentBytes).toBe(200 + frameFrom(mine, theirs).length);
    expect(kernel.switch.carried(99)).toBeUndefined();
  });

  test("in use keep their addresses from being forgotten", () => {
    kernel.miss(wire(two, self), frameFrom(theirs, mine), 0);
    for (let minute = 1; minute <= 30; minute++)
      kernel.switch.counted(used(minute), minute * 60_000);
    expect(kernel.switch.macs(1_800_000)).toContainEqual({ mac: theirs, shortId: two, ageMs: 0 });
  });

  test("that the kernel refuses are tried again with the next frame", () => {
    kernel.refuses = true;
    const frame = frameFrom(mine, broadcast);
    kernel.miss(containers, frame);
    expect(kernel.switch.flows).toBe(0);
    kernel.refuses = false;
    kernel.miss(containers, frame);
    expect(kernel.switch.flows).toBe(1);
    kernel.miss(containers, frame);
    expect(kernel.flows.size).toBe(1);
  });
});

describe("the flows of an earlier process", () => {
  const vxlanPort = 2;
  const vxlan = new Map([[port, vxlanPort]]);
  const ports = { containers: 0, sleeve: 1, vxlan, knowsLengths: true };
  const udpPortOf = (number: number) => (number === vxlanPort ? port : undefined);
  const kindOf = ({ match }: DumpedFlow): Ingress["kind"] =>
    (["containers", "sleeve", "tunnel"] as const)[match.inPort]!;

  /** What the kernel would dump. */
  function dumped(from: FakeKernel): DumpedFlow[] {
    return [...from.flows].map(([id, { match, outputs }]) => {
      const ingress: Ingress =
        match.tunnel !== undefined
          ? { kind: "tunnel", ...match.tunnel, port }
          : match.mark !== undefined
            ? { kind: "sleeve", mark: match.mark }
            : containers;
      const actions = actionsFor(ingress, outputs, ports);
      return { id: `old ${id}`, packets: 7, bytes: 700, match, actions };
    });
  }

  test("tell what fits the tunnel to a neighbour", () => {
    const neighbour = { shortId: two, localIp: here, remoteIp: at(two), port, mtu: 1350 };
    kernel.switch.setNeighbour(neighbour);
    kernel.miss(containers, frameFrom(mine, broadcast));
    const flows = dumped(kernel);
    const { neighbours, trees } = inheritedTables(flows, kindOf, udpPortOf);
    expect(neighbours).toEqual([neighbour]);
    expect(trees).toEqual(new Map([[self, [three, two]]]));
    expect(flows.map(inheritedFlow)[0]!.depends).toContain(`at ${two}`);
  });

  test("tell who the neighbours, hops and trees were, and go on until the tables differ", () => {
    kernel.miss(containers, frameFrom(mine, broadcast));
    kernel.miss(wire(far, self, two), frameFrom(theirs, mine));
    kernel.miss(containers, frameFrom(mine, theirs));
    kernel.miss(wire(two, three), frameFrom(other, theirs));
    const flows = dumped(kernel);
    const tables = inheritedTables(flows, kindOf, udpPortOf);
    expect(tables).toEqual({
      self,
      neighbours: [{ shortId: two, localIp: here, remoteIp: at(two), port }],
      hops: new Map<number, NextHop>([
        [two, { kind: "tunnel", neighbour: two }],
        [three, { kind: "sleeve" }],
        [far, { kind: "tunnel", neighbour: two }],
      ]),
      trees: new Map([[self, [three, two]]]),
    });

    const next = new FakeKernel();
    next.switch.inherit(flows.map(inheritedFlow), tables, 0);
    for (const { id, match } of flows) next.flows.set(id, { match, outputs: [] });
    expect(next.switch.macs(0)).toContainEqual({ mac: theirs, shortId: far, ageMs: 0 });
    expect(next.miss(containers, frameFrom(other, theirs))).toEqual(["1>4 by 2"]);
    next.switch.change({ hops: new Map([[far, undefined]]), trees: new Map() }, 0);
    const left = [...next.flows.keys()].filter((id) => id.startsWith("old"));
    expect(left.length).toBe(2);
    next.switch.counted([], 59_000);
    expect([...next.flows.keys()].filter((id) => id.startsWith("old")).length).toBe(2);
    next.switch.counted([], 60_000);
    expect([...next.flows.keys()].filter((id) => id.startsWith("old"))).toEqual([]);
  });
});

describe("the kernel's actions for a frame", () => {
  const ports = { containers: 1, sleeve: 2, vxlan: new Map([[port, 3]]), knowsLengths: true };
  const neighbour = { shortId: two, localIp: here, remoteIp: at(two), port };
  const tunnel: Output = { kind: "tunnel", neighbour, vni: makeVni(1, 2) };
  const key = { vni: makeVni(1, 2), source: here, destination: at(two) };

  test("keep a mark between datapath and sleeve only", () => {
    const outputs: Output[] = [tunnel, { kind: "sleeve", mark: 77 }, { kind: "containers" }];
    expect(actionsFor({ kind: "sleeve", mark: 5 }, outputs, ports)).toEqual([
      { kind: "mark", mark: 0 },
      { kind: "output", port: 1 },
      { kind: "mark", mark: 77 },
      { kind: "output", port: 2 },
      { kind: "mark", mark: 0 },
      { kind: "tunnel", key },
      { kind: "output", port: 3 },
    ]);
    expect(actionsFor(containers, [tunnel], ports)).toEqual([
      { kind: "tunnel", key },
      { kind: "output", port: 3 },
    ]);
  });

  test("give to sleeve what is too long for the tunnel, where the kernel can tell", () => {
    const narrow: Output = { ...tunnel, neighbour: { ...neighbour, mtu: 1350 } };
    const send = [
      { kind: "tunnel", key },
      { kind: "output", port: 3 },
    ] as const;
    const check = {
      kind: "ifLonger",
      octets: 1364,
      longer: [
        { kind: "mark", mark: handoverMark(1, 2) },
        { kind: "output", port: 2 },
      ],
      otherwise: send,
    } as const;
    expect(actionsFor(containers, [narrow], ports)).toEqual([check]);
    // What one branch sets ends with it.
    expect(actionsFor({ kind: "sleeve", mark: 5 }, [narrow, narrow], ports)).toEqual([
      { kind: "mark", mark: 0 },
      check,
      check,
    ]);
    expect(actionsFor(containers, [narrow], { ...ports, knowsLengths: false })).toEqual([...send]);
  });

  test("leave out a neighbour whose port is closed", () => {
    expect(actionsFor(containers, [tunnel], { ...ports, vxlan: new Map() })).toEqual([]);
  });
});
