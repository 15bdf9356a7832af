import { describe, expect, test } from "bun:test";
import { WeaveError } from "../../lib/base/errors.ts";
import type { PeerName } from "../../lib/base/peer-name.ts";
import { FlightRecorder } from "../../lib/peer/flight-recorder.ts";
import { ipOf, SimCluster, simName } from "../../lib/simulator/cluster.ts";

const [a, b, c] = [1, 2, 3] as PeerName[] as [PeerName, PeerName, PeerName];
const peer = (name: PeerName) => ({ name, nickname: "", shortId: undefined });

describe("the flight recorder", () => {
  test("tells which links came, went and went out of sight", () => {
    const recorder = new FlightRecorder({ now: () => 5 });
    recorder.routes({ peers: [a, b, c].map(peer), links: [[a, b] as const, [b, c] as const] });
    recorder.routes({ peers: [a].map(peer), links: [] });
    recorder.routes({ peers: [a, b].map(peer), links: [[a, b] as const] });
    const { topology } = recorder.read();
    expect(topology.map(({ change, peers }) => `${change} ${peers.join()}`)).toEqual([
      ...["appeared 1", "appeared 2", "appeared 3", "linked 1,2", "linked 2,3"],
      ...["parted 1,2", "unseen 2,3", "gone 2", "gone 3", "appeared 2", "linked 1,2"],
    ]);
    expect(topology.map(({ sequence }) => sequence)).toEqual([...topology.keys()]);
  });

  test("keeps the last of a flood, and says how much it dropped", () => {
    const recorder = new FlightRecorder({ now: () => 0 });
    const passage = { direction: "in", neighbour: b, kind: "gossip", channel: "x" } as const;
    for (let bytes = 0; bytes < 20_000; bytes++) {
      recorder.passed({ ...passage, origin: undefined, bytes });
    }
    recorder.refused("x", c, new WeaveError("DNS_CLOCK_SKEW", "too far ahead"));
    const { gossip, dropped } = recorder.read();
    expect(gossip.length + dropped.gossip).toBe(20_001);
    expect(gossip.at(-2)?.bytes).toBe(19_999);
    expect(gossip.at(-1)).toMatchObject({ origin: c, refusal: "DNS_CLOCK_SKEW" });
  });

  test("of a peer in a cluster has what came and went, and who owns what since when", async () => {
    const cluster = new SimCluster(1, {
      control: {
        ipalloc: { range: "10.32.0.0/16", defaultSubnet: "10.32.0.0/16", init: "consensus=3" },
      },
    });
    for (const number of [1, 2, 3]) cluster.start(number, [ipOf(1), ipOf(2)]);
    await cluster.runUntil("a mesh", () => cluster.isFullMesh(), 60_000);
    const [first] = cluster.peers;
    const allocator = cluster.allocatorOf(first!);
    const subnet = { address: 0x0a20_0000, prefix: 16 };
    const given = allocator.allocate("one", subnet, { isContainer: false });
    await cluster.runUntil("a ring", () => allocator.lookup("one").length > 0, 60_000);
    await given;
    const { gossip, topology, owners } = first!.plane.recorder.read();
    const channels = new Set(gossip.map(({ channel }) => channel));
    expect(channels).toContain("topology");
    expect(channels).toContain("IPallocation");
    for (const direction of ["in", "out"]) {
      expect(gossip.some((each) => each.direction === direction && each.bytes > 0)).toBe(true);
    }
    expect(topology.filter(({ change }) => change === "linked")).toHaveLength(3);
    const [seeded] = owners;
    expect(seeded).toMatchObject({ first: 0x0a20_0000, from: undefined });
    expect(owners.reduce((sum, { size }) => sum + size, 0)).toBe(65_536);
    // The first ring is divided among those that had voted by then.
    expect(owners.map(({ to }) => to)).toContain(simName(1));
    for (const number of [1, 2, 3]) cluster.stop(number);
  });
});
