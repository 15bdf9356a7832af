import { expect, test } from "bun:test";
import type { Measurement } from "../../../lib/api/metrics/measurement.ts";
import { type PeerName, peerNameFromNumber } from "../../../lib/base/peer-name.ts";
import { planeMeasurements } from "../../../lib/daemon/metrics/plane-measurements.ts";
import { topologySummary } from "../../../lib/mesh/mesh-status.ts";
import { SimCluster } from "../../sim/cluster.ts";

function valueIn(all: readonly Measurement[], name: string, label?: string): number | undefined {
  const found = all.find(
    (each) =>
      each.name === name &&
      (label === undefined || Object.values(each.labels ?? {}).includes(label)),
  );
  return found !== undefined && "value" in found ? found.value : undefined;
}

test("a peer measures the cluster that it is in, its own part, and who is gone", async () => {
  const cluster = new SimCluster(1);
  const { plane, name } = cluster.start(1, []);
  for (const n of [2, 3]) cluster.start(n, ["10.0.0.1"]);
  await cluster.runUntil("full mesh", () => cluster.isFullMesh(), 60_000);
  const all = planeMeasurements(plane, name);
  expect(valueIn(all, "weave_peers")).toBe(3);
  expect(valueIn(all, "weave_peers_unreached")).toBe(0);
  expect(valueIn(all, "weave_topology_links")).toBe(3);
  expect(valueIn(all, "weave_topology_links_one_way")).toBe(0);
  expect(valueIn(all, "weave_gossip_bytes_total", "topology")).toBeGreaterThan(0);
  cluster.stop(3);
  await cluster.runUntil("peer 3 gone", () => plane.mesh.knownPeers().length === 2, 60_000);
  expect(valueIn(planeMeasurements(plane, name), "weave_topology_links")).toBe(1);
});

test("links that one end alone tells of, or says are established, are not whole", () => {
  const link = (established: boolean) => ({
    address: "10.0.0.9:6783",
    outbound: true,
    established,
  });
  const record = (n: number, links: Readonly<Record<number, boolean>>) => ({
    name: peerNameFromNumber(n),
    links: new Map(
      Object.entries(links).map(([to, isThere]) => [peerNameFromNumber(Number(to)), link(isThere)]),
    ),
  });
  const records = [
    record(1, { 2: true, 3: true, 4: true, 5: false }),
    record(2, { 1: true }),
    record(3, { 1: false }),
    record(4, {}),
    record(5, { 1: false, 4: true }),
  ];
  const peers = {
    size: records.length,
    records: () => records,
    get: (name: PeerName) => records.find((each) => each.name === name),
  };
  const routes = { established: { unicast: { size: 2 } } };
  expect(topologySummary({ peers, routes })).toEqual({
    ...{ peers: 5, unreached: 3 },
    // 1–2 is whole, and 1–5 is none at either end yet.
    ...{ links: 5, oneWay: 3 },
  });
});
