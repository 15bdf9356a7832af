import { expect, test } from "bun:test";
import { statusText } from "../../lib/api/status-text.ts";
import { parsePeerName } from "../../lib/base/peer-name.ts";
import { ipamReport } from "../../lib/daemon/ipam-report.ts";
import { ipamMeasurements } from "../../lib/daemon/metrics/ipam-measurements.ts";
import type { AllocatorStatus } from "../../lib/ipam/allocator-status.ts";
import { emptyReport } from "../api/empty-report.ts";
import { ReclaimCluster } from "../ipam/reclaim-cluster.ts";
import { connect, TestPeer } from "../ipam/test-peer.ts";

const report = emptyReport("00:00:00:00:00:01");

/** The section `ipam` of `weave status`. */
function shown(status: AllocatorStatus): string {
  return statusText({ ...report, IPAM: ipamReport(status, (peer) => `host${peer}`) })
    .split("\n\n")
    .find((section) => section.includes("Service: ipam"))!;
}

function gauge(status: AllocatorStatus, name: string, code?: string): number | undefined {
  return ipamMeasurements(status, parsePeerName("::1")).find(
    (each) => each.name === name && (code === undefined || each.labels?.code === code),
  )?.value;
}

function seeded(name: string): TestPeer {
  return new TestPeer({ name, init: `seed=${name}` });
}

test("two clusters that were formed apart are shown with the remedy, and counted", () => {
  const [one, two] = [seeded("::1"), seeded("::2")];
  expect(() => connect(one, two)).toThrow("seeded by different peers");
  const status = two.allocator.status();
  expect(shown(status)).toContain(
    "       Conflict: with 00:00:00:00:00:01(host1): IP allocation was seeded by different peers",
  );
  expect(shown(status)).toContain("         Remedy: two clusters were formed apart: run");
  expect(gauge(status, "weave_ipam_conflicts", "IPAM_RING_SEEDS")).toBe(1);
  expect(gauge(status, "weave_ipam_conflicts", "IPAM_RING_CONFLICT")).toBe(0);
  expect(ipamReport(status).Conflicts).toMatchObject([
    { Peer: "00:00:00:00:00:01", Code: "IPAM_RING_SEEDS" },
  ]);
});

test("without trouble the text of the status is as ever, and nothing is reported of reclaim", () => {
  const status = seeded("::1").allocator.status();
  expect(shown(status).trimEnd().split("\n")).toHaveLength(4);
  const ipam = ipamReport(status);
  expect("Conflicts" in ipam || "Reclaim" in ipam).toBe(false);
  expect(gauge(status, "weave_ipam_ring_entries")).toBe(1);
  expect(gauge(status, "weave_ipam_suspended")).toBeUndefined();
});

test("a peer that has lost the others warns in time, and says when it is suspended", () => {
  const cluster = new ReclaimCluster({ size: 3, afterMs: 30 * 60_000 }).form();
  const { allocator } = cluster.host(1);
  expect(shown(allocator!.status())).not.toContain("Suspended");
  expect(gauge(allocator!.status(), "weave_ipam_council_members")).toBe(3);
  expect(gauge(allocator!.status(), "weave_ipam_lease_seconds")).toBeGreaterThan(300);
  cluster.split(1, 1);
  cluster.pass(6 * 60_000);
  expect(shown(allocator!.status())).toMatch(
    /^ {10}Lease: most peers cannot be reached: no new addresses in 0h[1-4]m$/m,
  );
  cluster.pass(9 * 60_000);
  const status = allocator!.status();
  expect(shown(status)).toContain("      Suspended: most peers have not been reached");
  expect(gauge(status, "weave_ipam_suspended")).toBe(1);
  expect(ipamReport(status).Reclaim).toMatchObject({
    AfterSeconds: 1800,
    MayAllocate: false,
    LeaseLeftSeconds: 0,
    Members: ["00:00:00:00:00:01", "00:00:00:00:00:02", "00:00:00:00:00:03"],
  });
});
