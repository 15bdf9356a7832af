import { expect, test } from "bun:test";
import { formatIpv4, parseIp } from "../../lib/base/ip.ts";
import { SimCluster } from "../sim/cluster.ts";

const name = "web.weave.local.";

test("addresses of a host that no frame reaches are told apart until the host is back or forgotten", async () => {
  const cluster = new SimCluster(1);
  const near = cluster.start(1, []);
  const start = () => {
    cluster.start(2, ["10.0.0.1"]).plane.names!.add(name, "c2", parseIp("10.32.0.2"));
  };
  const far = (): string[] => [...near.plane.names!.unreachableOf(name)].map(formatIpv4);
  const all = (): string[] => near.plane.names!.addressesOf(name).map(formatIpv4).sort();
  start();
  near.plane.names!.add(name, "c1", parseIp("10.32.0.1"));
  await cluster.runUntil("both addresses", () => all().length === 2, 60_000);
  await cluster.runUntil("full mesh", () => cluster.isFullMesh(), 60_000);
  expect(far()).toEqual([]);

  cluster.kill(2, { silent: false });
  await cluster.run(1000);
  expect(all()).toEqual(["10.32.0.1", "10.32.0.2"]);
  expect(far()).toEqual(["10.32.0.2"]);
  start();
  await cluster.runUntil("full mesh", () => cluster.isFullMesh(), 3000);
  // Routes follow links a tenth of a second later.
  await cluster.runUntil("frames reach it", () => far().length === 0, 200);

  cluster.kill(2, { silent: false });
  await cluster.run(10_000);
  expect(all()).toEqual(["10.32.0.1"]);
  expect(far()).toEqual([]);
});

test("peers know how far the clocks of their neighbours are off, by digests and without", async () => {
  for (const extensions of [true, false]) {
    const cluster = new SimCluster(1, { extensions });
    const [right, fast] = [cluster.start(1, []), cluster.start(2, ["10.0.0.1"])];
    const off = (from: typeof right): number[] =>
      from.plane.mesh.status().connections.flatMap(({ clockOffsetMs }) => clockOffsetMs ?? []);
    fast.world.skewMs = 20 * 60_000;
    await cluster.runUntil("full mesh", () => cluster.isFullMesh(), 60_000);
    await cluster.run(120_000);
    // Without digests times are whole seconds, and messages take a while.
    for (const [from, offsetMs] of [
      [right, 20 * 60_000],
      [fast, -20 * 60_000],
    ] as const) {
      expect(off(from)).toHaveLength(1);
      expect(Math.abs(off(from)[0]! - offsetMs)).toBeLessThanOrEqual(1500);
    }
    fast.world.skewMs = 0;
    await cluster.run(600_000);
    expect(Math.abs(off(right)[0]!)).toBeLessThanOrEqual(1500);
  }
});
