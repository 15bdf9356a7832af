import type { DockerReport } from "../api/docker-report.ts";
import { measured, type Sample } from "../api/metrics/measurement.ts";
import type { AttachReport } from "./attach-service.ts";
import type { EngineClient } from "./engine-client.ts";
import type { EngineConnection } from "./engine-events.ts";

/** How it stands with the engine, for `report` and `status`. */
export function engineReport(
  { endpoint, apiVersion, isSecured }: EngineClient,
  connection: EngineConnection,
): Omit<DockerReport, keyof AttachReport> {
  const { sinceMs, lastError } = connection;
  const trouble = troubleOf(connection);
  return {
    Endpoint: endpoint,
    TLS: isSecured,
    APIVersion: apiVersion ?? "",
    Since: timeText(sinceMs),
    LastError: lastError?.text ?? "",
    LastErrorAt: timeText(lastError?.atMs),
    ...(trouble !== undefined && {
      Trouble: { Code: trouble.code, Message: trouble.text, Remedy: trouble.remedy },
    }),
  };
}

/** A host where no engine has ever answered is none with trouble. */
function troubleOf({ sinceMs, connections, lastError }: EngineConnection) {
  if (sinceMs !== undefined) return undefined;
  return connections > 0 || lastError?.code !== "ENGINE_UNREACHABLE" ? lastError : undefined;
}

function timeText(ms: number | undefined): string {
  return ms === undefined ? "" : new Date(ms).toISOString();
}

/** The same for `/metrics`. */
export function engineMeasurements(connection: EngineConnection): Sample[] {
  const { sinceMs, connections, events, missed } = connection;
  return [
    measured("weave_docker_connected", sinceMs !== undefined),
    measured("weave_docker_connections_total", connections),
    ...Object.entries(events).map(([action, count]) =>
      measured("weave_docker_events_total", count, { action }),
    ),
    measured("weave_docker_missed_events_total", missed),
  ];
}
