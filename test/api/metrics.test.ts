import { describe, expect, test } from "bun:test";
import { metricsApp, statusApp } from "../../lib/api/app.ts";
import { measured } from "../../lib/api/metrics/measurement.ts";
import { SimCluster } from "../sim/cluster.ts";
import { type Family, parseExposition } from "./prometheus-parser.ts";
import { Alone, ask, TestRouter } from "./test-router.ts";

/** Name, type and help as dashboards of the original know them (http-api §6). */
const original: ReadonlyArray<readonly [string, string, string]> = [
  [
    "weave_connection_terminations_total",
    "counter",
    "Number of peer-to-peer connections terminated.",
  ],
  ["weave_ips", "gauge", "Number of IP addresses."],
  ["weave_max_ips", "gauge", "Size of IP address space used by allocator."],
  ["weave_ipam_unreachable_count", "gauge", "Number of unreachable peers."],
  [
    "weave_ipam_unreachable_percentage",
    "gauge",
    "Percentage of IP addresses owned  by unreachable peers.",
  ],
  ["weave_ipam_pending_allocates", "gauge", "Number of pending allocates."],
  ["weave_ipam_pending_claims", "gauge", "Number of pending claims."],
  ["weave_dns_entries", "gauge", "Number of DNS entries."],
];

const ofProcess = [
  "process_cpu_seconds_total",
  "process_open_fds",
  "process_max_fds",
  "process_resident_memory_bytes",
  "process_virtual_memory_bytes",
  "process_start_time_seconds",
];

async function scrape(router: TestRouter): Promise<Map<string, Family>> {
  const { status, type, body } = await ask(metricsApp(router), "GET", "/metrics");
  expect(status).toBe(200);
  expect(type).toBe("text/plain; version=0.0.4; charset=utf-8");
  return parseExposition(body);
}

function value(families: Map<string, Family>, name: string, labels = ""): number | undefined {
  return families.get(name)?.samples.get(labels);
}

describe("metrics", () => {
  test("have the names, types and helps of the original, and no connections while there are none", async () => {
    const families = await scrape(new Alone().router);
    const seen = [...families].map(([name, { type, help }]) => [name, type, help] as const);
    const names = new Set(original.map(([name]) => name));
    expect(seen.filter(([name]) => names.has(name))).toEqual([...original]);
    expect([...families.keys()].filter((name) => name.startsWith("process_"))).toEqual(ofProcess);
    expect(families.has("weave_connections")).toBe(false);
  });

  test("of the process are plausible", async () => {
    const families = await scrape(new Alone().router);
    const open = value(families, "process_open_fds")!;
    expect(open).toBeGreaterThan(2);
    expect(open).toBeLessThanOrEqual(value(families, "process_max_fds")!);
    const resident = value(families, "process_resident_memory_bytes")!;
    expect(resident).toBeGreaterThan(1e6);
    expect(resident).toBeLessThan(value(families, "process_virtual_memory_bytes")!);
    expect(value(families, "process_cpu_seconds_total")).toBeGreaterThan(0);
    expect(value(families, "process_start_time_seconds")).toBeGreaterThan(1.6e9);
  });

  test("count what this router holds", async () => {
    const alone = new Alone();
    await alone.ask("POST", "/ip/c1");
    await alone.ask("POST", "/ip/c2");
    await alone.ask("PUT", "/ip/c3/192.168.0.1/24");
    await alone.ask("PUT", "/name/c1/10.32.0.1", { form: "fqdn=one.weave.local" });
    await alone.ask("PUT", "/name/c2/10.32.0.2", { form: "fqdn=two.weave.local" });
    await alone.ask("DELETE", "/name/c2");
    const families = await scrape(alone.router);
    expect(value(families, "weave_ips", '{state="local-used"}')).toBe(2);
    expect(value(families, "weave_max_ips")).toBe(65_536);
    expect(value(families, "weave_dns_entries")).toBe(1);
  });

  test("count requests that wait", async () => {
    const ipalloc = {
      range: "10.2.0.0/16",
      rangeGiven: true,
      defaultSubnet: "10.2.0.0/16",
      init: "consensus=2",
    };
    const alone = new Alone({ ipalloc });
    const waiting = [
      alone.ask("POST", "/ip/c1"),
      alone.ask("POST", "/ip/c2"),
      alone.ask("PUT", "/ip/c3/10.2.0.9/16"),
    ];
    await new Promise((resolve) => setImmediate(resolve));
    const families = await scrape(alone.router);
    expect(value(families, "weave_ipam_pending_allocates")).toBe(2);
    expect(value(families, "weave_ipam_pending_claims")).toBe(1);
    alone.router.leave();
    await Promise.all(waiting);
  });

  test("are there without address allocation and DNS, and leave theirs out", async () => {
    const alone = new Alone({ ipalloc: undefined, dns: undefined });
    for (const app of [alone.app, statusApp(alone.router), metricsApp(alone.router)]) {
      const { status, body } = await ask(app, "GET", "/metrics");
      expect(status).toBe(200);
      const names = [...parseExposition(body).keys()];
      expect(names).toContain("weave_connection_terminations_total");
      expect(names.filter((name) => /^weave_(ips|ipam|max|dns)/.test(name))).toEqual([]);
    }
  });

  test("show peers that own addresses and cannot be reached", async () => {
    const cluster = new SimCluster(1);
    const router = new TestRouter(cluster.start(1, []));
    cluster.start(2, ["10.0.0.1"]);
    await cluster.runUntil("full mesh", () => cluster.isFullMesh(), 60_000);
    await ask(metricsApp(router), "GET", "/metrics");
    await Promise.all([1, 2].map((n) => allocateAt(cluster, n)));
    expect(value(await scrape(router), "weave_ipam_unreachable_count")).toBe(0);
    cluster.stop(2);
    await cluster.runUntil("peer 2 gone", () => mesh(router).peers.length === 1, 60_000);
    const families = await scrape(router);
    expect(value(families, "weave_ipam_unreachable_count")).toBe(1);
    const lost = value(families, "weave_ipam_unreachable_percentage")!;
    expect(lost).toBeGreaterThan(10);
    expect(lost).toBeLessThan(90);
  });
});

async function allocateAt(cluster: SimCluster, number: number): Promise<void> {
  const subnet = { address: 0x0a20_0000, prefix: 16 };
  const held = cluster
    .allocatorOf(cluster.peer(number)!)
    .allocate("c1", subnet, { isContainer: false });
  await cluster.run(20_000);
  await held;
}

function mesh(router: TestRouter) {
  return router.peer.plane.mesh.status();
}

describe("connections", () => {
  for (const [what, options, encrypted] of [
    ["with a password", { password: "wfvAwt7sj" }, true],
    ["without a password", {}, false],
    [
      "with a password and trusted networks",
      { password: "x", trustedSubnets: ["10.0.0.0/8"] },
      false,
    ],
  ] as const) {
    test(`${what} are counted as ${encrypted ? "encrypted" : "in clear"}`, async () => {
      const cluster = new SimCluster(1, {
        ...options,
        trustedSubnets: [...("trustedSubnets" in options ? options.trustedSubnets : [])],
      });
      const router = new TestRouter(cluster.start(1, []));
      cluster.start(2, ["10.0.0.1"]);
      await cluster.runUntil("full mesh", () => cluster.isFullMesh(), 60_000);
      const family = (await scrape(router)).get("weave_connections");
      expect(family).toEqual({
        type: "gauge",
        help: "Number of peer-to-peer connections.",
        samples: new Map([
          ['{encryption="",state="established",type="sleeve"}', encrypted ? 0 : 1],
          ['{encryption="yes",state="established",type="sleeve"}', encrypted ? 1 : 0],
        ]),
      });
    });
  }
});

test("measurements of a router beyond its protocols are shown, too", async () => {
  const { router } = new Alone();
  router.moreMeasurements = [
    measured("weave_docker_events_total", 3, { action: "start" }),
    measured("weave_docker_events_total", 4, { action: "die" }),
  ];
  const families = await scrape(router);
  expect(value(families, "weave_docker_events_total", '{action="die"}')).toBe(4);
});
