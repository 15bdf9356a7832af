import { describe, expect, test } from "bun:test";
import type { KubernetesReport } from "../../../lib/api/kubernetes-report.ts";
import { statusText } from "../../../lib/api/status-text.ts";
import { type AgentStatus, agentReport } from "../../../lib/kubernetes/agent/agent-report.ts";
import type { WatchStatus } from "../../../lib/kubernetes/object-observer.ts";
import { emptyReport } from "../../api/empty-report.ts";
import { weave } from "../../cli/command-line.ts";

const options = {
  ...{ nodeName: "n1", peersGiven: false, otherPeers: [], policy: true, policyMetricsAddress: "" },
  ...{ hostRoot: "/host", hairpin: true },
};
const watch: WatchStatus = {
  ...{ resource: "pods", phase: "watching", synced: true, sinceMs: 0, heardMs: 1000 },
  ...{ objects: 7, lists: 1, watches: 1, events: 3, staleEvents: 0, unreadable: 0 },
  lastError: undefined,
};
const well: AgentStatus = {
  ...{ options, watches: [watch], awaited: [], conflicts: 0 },
  tasks: [{ name: "listed", isDone: true, sinceMs: 0 }],
  reclaim: { step: "sleep", standing: "member", gone: 0, reclaimed: 0, trouble: undefined },
};

function section(Kubernetes: KubernetesReport): string {
  const text = statusText({ ...emptyReport("01:00:00:00:00:01"), Kubernetes });
  return text.split("Service: kubernetes\n")[1]!;
}

describe("the status of a node of Kubernetes", () => {
  test("is short while all is well", () => {
    expect(section(agentReport(well))).toBe(
      "           Node: n1\n         Status: ready\n  NetworkPolicy: enforced\n",
    );
    const without = { ...well, options: { ...options, policy: false } };
    expect(section(agentReport(without))).toContain("NetworkPolicy: not enforced");
  });

  test("says what is awaited, what keeps it from coming, and what to do", async () => {
    const trouble = { code: "K8S_FORBIDDEN", text: "not allowed", remedy: "apply the Role" };
    const lost = { code: "K8S_UNREACHABLE", text: "nobody answers", remedy: "", atMs: 2000 };
    const status: AgentStatus = {
      ...well,
      awaited: ["the cluster does not list this node's peer: not allowed"],
      tasks: [{ name: "listed", isDone: false, sinceMs: 0, awaits: "listed", trouble }],
      watches: [{ ...watch, phase: "resting", lastError: lost }, watch],
      reclaim: { ...well.reclaim, standing: "nodeless", gone: 2, trouble: lost },
    };
    const report = agentReport(status);
    expect(section(report)).toBe(
      [
        "           Node: n1",
        "         Status: not ready",
        "        Awaited: the cluster does not list this node's peer: not allowed",
        "         Remedy: apply the Role",
        "  NetworkPolicy: enforced",
        "          Watch: pods resting: nobody answers",
        "       Standing: nodeless",
        "      PeersGone: 2",
        "        Trouble: nobody answers",
        "",
      ].join("\n"),
    );
    const answer = JSON.stringify({ ...emptyReport("01:00:00:00:00:01"), Kubernetes: report });
    const { stdout } = await weave(["status", "--json"], { answer: () => answer });
    expect(JSON.parse(stdout).kubernetes).toEqual({
      ...{ node: "n1", ready: false, policy: true, awaited: status.awaited },
      watches: [
        { resource: "pods", phase: "resting", lastError: "nobody answers" },
        { resource: "pods", phase: "watching", lastError: "" },
      ],
      ...{ standing: "nodeless", peersGone: 2, peersReclaimed: 0 },
    });
    expect(report.Tasks).toEqual([
      {
        ...{ Name: "listed", Done: false, Since: "1970-01-01T00:00:00.000Z" },
        ...{ Code: "K8S_FORBIDDEN", Message: "not allowed", Remedy: "apply the Role" },
      },
    ]);
    expect(report.Watches[0]).toMatchObject({
      Objects: 7,
      LastErrorAt: "1970-01-01T00:00:02.000Z",
    });
  });
});
