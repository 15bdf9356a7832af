import { describe, expect, test } from "bun:test";
import { metricsApp, statusApp } from "../../lib/api/app.ts";
import { metricsText } from "../../lib/api/metrics.ts";
import { prometheusText } from "../../lib/api/prometheus-text.ts";
import type { ConnectionReport } from "../../lib/api/report.ts";
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
    expect(seen.filter(([name]) => name.startsWith("weave_"))).toEqual([...original]);
    expect([...families.keys()].filter((name) => name.startsWith("process_"))).toEqual(ofProcess);
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
      expect([...parseExposition(body).keys()].filter((name) => name.startsWith("weave_"))).toEqual(
        ["weave_connection_terminations_total"],
      );
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

  test("show their extensions and how long the way is", async () => {
    const connection = (Address: string, RoundTripMs: number): ConnectionReport => ({
      Address,
      Outbound: true,
      State: "established",
      Info: "",
      Attrs: null,
      RoundTripMs,
    });
    const Extensions = ["digests/1"];
    const Connections = [
      { ...connection("10.0.0.2:6783", 1.5), Extensions },
      { ...connection("10.0.0.3:6783", 20), Extensions },
      connection("10.0.0.4:6783", 0.25),
    ];
    const report = await new Alone().router.report();
    const text = metricsText({ ...report, Router: { ...report.Router, Connections } }, []);
    const parsed = parseExposition(text);
    expect([...parsed.get("weave_connection_extensions")!.samples]).toEqual([
      ['{extension="digests/1"}', 2],
    ]);
    expect([...parsed.get("weave_connection_round_trip_seconds")!.samples]).toEqual([
      ['{address="10.0.0.2:6783"}', 0.0015],
      ['{address="10.0.0.3:6783"}', 0.02],
      ['{address="10.0.0.4:6783"}', 0.00025],
    ]);
  });

  test("show by what their frames are sealed", async () => {
    const connection = (Attrs: ConnectionReport["Attrs"]): ConnectionReport => ({
      Address: "10.0.0.2:6783",
      Outbound: true,
      State: "established",
      Info: "",
      Attrs,
    });
    const [ours, original] = ["aes-256-gcm/libcrypto", "secretbox/libsodium"];
    const sealed = (seal: string) => ({ name: "sleeve", encrypted: true, mtu: 1414, seal });
    const Connections = [
      ...[ours, original, ours].map((seal) => connection(sealed(seal))),
      connection({ name: "sleeve", mtu: 1438 }),
      connection(null),
    ];
    const report = await new Alone().router.report();
    const text = metricsText({ ...report, Router: { ...report.Router, Connections } }, []);
    expect([...parseExposition(text).get("weave_connection_mtu_bytes")!.samples]).toEqual([
      ['{address="10.0.0.2:6783"}', 1438],
    ]);
    expect([...parseExposition(text).get("weave_connection_seals")!.samples]).toEqual([
      [`{seal="${ours}"}`, 2],
      [`{seal="${original}"}`, 1],
    ]);
  });

  test("are counted by state and overlay, in whatever state they are", async () => {
    const connection = (State: string, Attrs: ConnectionReport["Attrs"]): ConnectionReport => ({
      Address: "10.0.0.2:6783",
      Outbound: true,
      State,
      Info: "",
      Attrs,
    });
    const report = await new Alone().router.report();
    const Connections = [
      connection("established", { name: "fastdp", mtu: 1376, encrypted: true }),
      connection("established", { name: "fastdp", mtu: 1376 }),
      connection("established", { name: "sleeve", mtu: 1438 }),
      connection("waiting", null),
      connection("retrying", null),
      connection("retrying", null),
    ];
    const text = metricsText({ ...report, Router: { ...report.Router, Connections } }, []);
    const { samples } = parseExposition(text).get("weave_connections")!;
    expect([...samples].filter(([, count]) => count > 0)).toEqual([
      ['{encryption="",state="established",type="fastdp"}', 1],
      ['{encryption="yes",state="established",type="fastdp"}', 1],
      ['{encryption="",state="established",type="sleeve"}', 1],
      ['{encryption="",state="waiting",type="unknown"}', 1],
      ['{encryption="",state="retrying",type="unknown"}', 2],
    ]);
    expect(samples.size).toBe(8);
  });
});

describe("the text format", () => {
  test("escapes what must be escaped, and nothing else", () => {
    const labels = { b: 'say "a\\b"\n', a: "\u00fc\t" };
    const text = prometheusText([
      { name: "x", help: 'a "help"\\\n', type: "gauge", labels, value: 1.5e300 },
    ]);
    expect(text).toBe(
      '# HELP x a "help"\\\\\\n\n# TYPE x gauge\nx{a="\u00fc\t",b="say \\"a\\\\b\\"\\n"} 1.5e+300\n',
    );
    expect(parseExposition(text).size).toBe(1);
  });

  test("keeps a family together and writes numbers as Prometheus reads them", () => {
    const series = (name: string, kind: string, value: number) => ({
      name,
      help: "h",
      type: "counter" as const,
      labels: { kind },
      value,
    });
    const text = prometheusText([
      series("a", "1", Number.POSITIVE_INFINITY),
      series("b", "1", Number.NaN),
      series("a", "2", Number.NEGATIVE_INFINITY),
    ]);
    expect(text).toBe(
      '# HELP a h\n# TYPE a counter\na{kind="1"} +Inf\na{kind="2"} -Inf\n' +
        '# HELP b h\n# TYPE b counter\nb{kind="1"} NaN\n',
    );
  });

  test("of measurements beyond the report is proper, too", async () => {
    const { router } = new Alone();
    router.moreGauges = [
      { name: "weave_extra_total", help: "More.", type: "counter", labels: { a: "1" }, value: 3 },
      { name: "weave_extra_total", help: "More.", type: "counter", labels: { a: "2" }, value: 4 },
    ];
    const families = await scrape(router);
    expect(value(families, "weave_extra_total", '{a="2"}')).toBe(4);
  });
});
