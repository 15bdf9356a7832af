import { describe, expect, test } from "bun:test";
import { type Measurement, measured } from "../../../lib/api/metrics/measurement.ts";
import { parsePeerName } from "../../../lib/base/peer-name.ts";
import { AttachTimes } from "../../../lib/daemon/metrics/attach-times.ts";
import { dnsMeasurements } from "../../../lib/daemon/metrics/dns-measurements.ts";
import { ipamMeasurements } from "../../../lib/daemon/metrics/ipam-measurements.ts";
import { LastDiagnosis } from "../../../lib/daemon/metrics/last-diagnosis.ts";
import { LoopLag } from "../../../lib/daemon/metrics/loop-lag.ts";
import { ApplyTimes } from "../../../lib/daemon/policy/apply-times.ts";
import { finding } from "../../../lib/diagnosis/finding.ts";
import { DnsStats } from "../../../lib/host/dns-stats.ts";
import { connect, TestPeer } from "../../ipam/test-peer.ts";

function named(measurements: readonly Measurement[], name: string): Measurement[] {
  return measurements.filter((each) => each.name === name);
}

describe("how late the main thread is", () => {
  test("is how much later than its time a timer comes, looked at every second", () => {
    let nowMs = 1000;
    const timers: { atMs: number; action: () => void }[] = [];
    const lag = new LoopLag({
      monotonicMs: () => nowMs,
      after(ms, action) {
        timers.push({ atMs: nowMs + ms, action });
        return () => {};
      },
    });
    for (const lateMs of [0, 30, 5000]) {
      const { atMs, action } = timers.shift()!;
      nowMs = atMs + lateMs;
      action();
    }
    const { counts, bounds, count, sum } = lag.read();
    expect(count).toBe(3);
    expect(sum).toBeCloseTo(5.03);
    expect([counts[0], counts[bounds.indexOf(0.05)], counts.at(-1)]).toEqual([1, 1, 1]);
  });
});

describe("attaching", () => {
  test("is measured by who asked, and counted where it failed", async () => {
    let nowMs = 0;
    const times = new AttachTimes(() => nowMs);
    const taking = (ms: number) => async () => {
      nowMs += ms;
      return "attached";
    };
    expect(await times.measure("cni", taking(200))).toBe("attached");
    await times.measure("cni", taking(20));
    const failing = times.measure("engine", () => Promise.reject(new Error("no address")));
    expect(failing).rejects.toThrow("no address");
    await failing.catch(() => {});
    const all = times.measurements();
    expect(named(all, "weave_attach_seconds")).toContainEqual(
      expect.objectContaining({
        labels: { by: "cni" },
        reading: expect.objectContaining({ count: 2, sum: 0.22 }),
      }),
    );
    expect(named(all, "weave_attach_failures_total")).toEqual([
      measured("weave_attach_failures_total", 0, { by: "command" }),
      measured("weave_attach_failures_total", 1, { by: "engine" }),
      measured("weave_attach_failures_total", 0, { by: "cni" }),
    ]);
  });
});

describe("policies", () => {
  test("are measured as they are put in place, not where that fails", () => {
    let nowMs = 0;
    const times = new ApplyTimes({ monotonicMs: () => nowMs });
    const taking = (ms: number) => () => {
      nowMs += ms;
    };
    times.measure("replace", taking(400));
    times.measure("change", taking(4));
    expect(() =>
      times.measure("change", () => {
        throw new Error("refused");
      }),
    ).toThrow("refused");
    const { change, replace } = times.read();
    expect([change.count, change.sum, replace.count, replace.sum]).toEqual([1, 0.004, 1, 0.4]);
  });
});

describe("what weave doctor found", () => {
  const examined = { router: "host1", links: 0, peers: 1, containers: 0 };

  test("is nothing before somebody has asked", () => {
    expect(new LastDiagnosis().measurements()).toEqual([]);
  });

  test("is counted by code until it is asked again", () => {
    const last = new LastDiagnosis(() => 5000);
    const clock = finding("CLOCK_SKEW", "host2", "its clock is wrong");
    const diagnosis = { examined, findings: [clock, clock] };
    expect(last.noted(diagnosis)).toBe(diagnosis);
    expect(last.measurements()).toEqual([
      measured("weave_doctor_last_run_time_seconds", 5),
      measured("weave_doctor_findings", 2, { code: "CLOCK_SKEW", severity: clock.severity }),
    ]);
    last.noted({ examined, findings: [] });
    expect(last.measurements()).toHaveLength(1);
  });
});

describe("questions about names", () => {
  test("are those of all addresses at which weaveDNS listens", () => {
    const [one, two] = [new DnsStats(), new DnsStats()];
    one.query("udp");
    one.replied("answered", 2);
    two.query("tcp");
    two.replied("answered", 20);
    two.replied("forwarded", 200);
    const now = { forwarding: 1, tcpClients: 2 };
    const all = dnsMeasurements({
      problems: () => ["port in use"],
      stats: () => [one.snapshot(now), two.snapshot(now)],
      upstreams: { servers: () => ["192.0.2.1"] },
    });
    expect(named(all, "weave_dns_results_total")).toEqual([
      measured("weave_dns_results_total", 2, { result: "answered" }),
      measured("weave_dns_results_total", 1, { result: "forwarded" }),
    ]);
    expect(named(all, "weave_dns_latency_seconds")).toEqual([
      expect.objectContaining({ reading: expect.objectContaining({ count: 3, sum: 0.222 }) }),
    ]);
    expect(all).toContainEqual(measured("weave_dns_forwarding", 2));
    expect(all).toContainEqual(measured("weave_dns_listen_problems", 1));
  });

  test("have no latency where nobody listens", () => {
    const none = { problems: () => [], stats: () => [], upstreams: { servers: () => [] } };
    expect(named(dnsMeasurements(none), "weave_dns_latency_seconds")).toEqual([]);
  });
});

describe("addresses", () => {
  test("are shown by owner, with those that each has left", () => {
    const names = ["00:00:00:00:00:01", "00:00:00:00:00:02"];
    const init = `seed=${names.join(",")}`;
    const [one, two] = names.map((name) => new TestPeer({ name, init })) as [TestPeer, TestPeer];
    connect(one, two);
    const status = one.allocator.status();
    const all = ipamMeasurements(status, parsePeerName(names[0]!));
    const owned = named(all, "weave_ipam_owned_addresses");
    expect(owned.map(({ labels }) => labels?.peer)).toEqual(names);
    const total = owned.reduce((sum, each) => sum + ("value" in each ? each.value : 0), 0);
    expect(total).toBe(status.universeSize);
    const free = named(all, "weave_ipam_free_addresses")[0]!;
    expect(named(all, "weave_ipam_local_free_addresses")).toMatchObject([
      { value: "value" in free ? free.value : 0 },
    ]);
  });
});
