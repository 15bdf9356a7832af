import { expect, test } from "bun:test";
import { controlApp } from "../../lib/api/app.ts";
import type { Report } from "../../lib/api/report.ts";
import { parseIp } from "../../lib/base/ip.ts";
import { SimCluster } from "../sim/cluster.ts";
import { ask, TestRouter } from "./test-router.ts";

test("what a peer says and we cannot take is laid to it, counted, and shown with what to do", async () => {
  const cluster = new SimCluster(1);
  const router = new TestRouter(cluster.start(1, []));
  const innocent = cluster.start(2, ["10.0.0.1"]);
  const late = cluster.start(3, ["10.0.0.2"]);
  await cluster.runUntil("full mesh", () => cluster.isFullMesh(), 60_000);
  const app = controlApp(router);
  const page = async (): Promise<string> => (await ask(app, "GET", "/status")).body;
  expect(await page()).not.toContain("Refused");

  late.world.skewMs = -20 * 60_000;
  late.plane.names!.add("late.weave.local", "c3", parseIp("10.32.0.3"));
  await cluster.run(10_000);
  const text = await page();
  expect(text).toMatch(
    / {8}Refused: 1 of 03:00:00:03:00:00\(host3\) on nameserver, last at \S+Z: host clock skew of -1200s exceeds 900s limit\n {9}Remedy: synchronise the clocks/,
  );
  const headers = { Accept: "application/json" };
  const report = JSON.parse((await ask(app, "GET", "/report", { headers })).body) as Report;
  expect(report.Router.Refusals).toMatchObject([
    { Channel: "nameserver", NickName: "host3", Count: 1, Code: "DNS_CLOCK_SKEW" },
  ]);
  const format = "{{range .Router.Refusals}}{{.Count}} {{.Peer}}{{end}}";
  expect((await ask(app, "GET", `/report?format=${encodeURIComponent(format)}`)).body).toBe(
    "1 03:00:00:03:00:00",
  );
  // Nobody's link suffers.
  for (const { plane } of [router.peer, innocent, late]) {
    expect(plane.mesh.status().terminationCount).toBe(0);
  }
  expect(cluster.isFullMesh()).toBe(true);
});
