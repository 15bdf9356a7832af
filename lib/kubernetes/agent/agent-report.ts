import type {
  KubernetesReport,
  KubernetesTaskReport,
  KubernetesWatchReport,
} from "../../api/kubernetes-report.ts";
import { measured, type Sample } from "../../api/metrics/measurement.ts";
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
export function agentMeasurements(status: AgentStatus): Sample[] {
  const { awaited, watches, reclaim, conflicts } = status;
  return [
    measured("weave_kubernetes_ready", awaited.length === 0),
    ...watches.flatMap(watchMeasurements),
    measured("weave_kubernetes_peers_gone", reclaim.gone),
    measured("weave_kubernetes_peers_reclaimed_total", reclaim.reclaimed),
    measured("weave_kubernetes_list_conflicts_total", conflicts),
  ];
}

function watchMeasurements({ resource, phase, objects, events, lists }: WatchStatus): Sample[] {
  const labels = { resource };
  return [
    measured("weave_kubernetes_watching", phase === "watching", labels),
    measured("weave_kubernetes_objects", objects, labels),
    measured("weave_kubernetes_events_total", events, labels),
    measured("weave_kubernetes_lists_total", lists, labels),
  ];
}
