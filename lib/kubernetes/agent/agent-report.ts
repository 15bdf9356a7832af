import type {
  KubernetesReport,
  KubernetesTaskReport,
  KubernetesWatchReport,
} from "../../api/report.ts";
import type { Gauge } from "../../api/router-control.ts";
import type { AgentOptions } from "../../daemon/launch-options.ts";
import type { WatchStatus } from "../object-observer.ts";
import type { ReclaimerStatus } from "../reclaimer.ts";
import type { TaskStatus } from "./task-list.ts";

export interface AgentStatus {
  readonly options: AgentOptions;
  readonly tasks: readonly TaskStatus[];
  readonly watches: readonly WatchStatus[];
  readonly reclaim: ReclaimerStatus;
  /** What keeps the node from being of use. */
  readonly awaited: readonly string[];
  /** How often others wrote the list of peers before us. */
  readonly conflicts: number;
}

/** How it stands with the node, for `report` and `status`. */
export function agentReport(status: AgentStatus): KubernetesReport {
  const { options, awaited, reclaim } = status;
  return {
    Node: options.nodeName,
    Policy: options.policy,
    Awaited: awaited.length === 0 ? null : awaited,
    Tasks: status.tasks.map(taskReport),
    Watches: status.watches.map(watchReport),
    Reclaim: {
      Standing: reclaim.standing,
      Gone: reclaim.gone,
      Reclaimed: reclaim.reclaimed,
      Trouble: reclaim.trouble?.text ?? "",
    },
  };
}

function taskReport({ name, isDone, sinceMs, trouble }: TaskStatus): KubernetesTaskReport {
  return {
    Name: name,
    Done: isDone,
    Since: timeText(sinceMs),
    Code: trouble?.code ?? "",
    Message: trouble?.text ?? "",
    Remedy: trouble?.remedy ?? "",
  };
}

function watchReport(status: WatchStatus): KubernetesWatchReport {
  const { resource, phase, synced, objects, heardMs, lastError } = status;
  return {
    Resource: resource,
    Phase: phase,
    Synced: synced,
    Objects: objects,
    Heard: timeText(heardMs),
    LastError: lastError?.text ?? "",
    LastErrorAt: timeText(lastError?.atMs),
  };
}

function timeText(ms: number | undefined): string {
  return ms === undefined ? "" : new Date(ms).toISOString();
}

/** The same for `/metrics`. */
export function agentGauges({ awaited, watches, reclaim, conflicts }: AgentStatus): Gauge[] {
  return [
    {
      name: "weave_kubernetes_ready",
      help: "1 when the node can be used: what has to be done once is done, and policies are enforced.",
      type: "gauge",
      value: awaited.length === 0 ? 1 : 0,
    },
    ...watches.flatMap(watchGauges),
    {
      name: "weave_kubernetes_peers_gone",
      help: "Peers in the cluster's list whose nodes are gone.",
      type: "gauge",
      value: reclaim.gone,
    },
    {
      name: "weave_kubernetes_peers_reclaimed_total",
      help: "Peers whose ranges were taken over here because their nodes are gone.",
      type: "counter",
      value: reclaim.reclaimed,
    },
    {
      name: "weave_kubernetes_list_conflicts_total",
      help: "How often others had written the list of peers first.",
      type: "counter",
      value: conflicts,
    },
  ];
}

function watchGauges({ resource, phase, objects, events, lists }: WatchStatus): Gauge[] {
  const labels = { resource };
  return [
    {
      name: "weave_kubernetes_watching",
      help: "1 while the API server tells of changes.",
      type: "gauge",
      labels,
      value: phase === "watching" ? 1 : 0,
    },
    {
      name: "weave_kubernetes_objects",
      help: "Objects of the cluster that are known.",
      type: "gauge",
      labels,
      value: objects,
    },
    {
      name: "weave_kubernetes_events_total",
      help: "Changes that the API server has told of.",
      type: "counter",
      labels,
      value: events,
    },
    {
      name: "weave_kubernetes_lists_total",
      help: "How often all objects were asked for.",
      type: "counter",
      labels,
      value: lists,
    },
  ];
}
