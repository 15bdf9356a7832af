import { describe, expect, test } from "bun:test";
import { EngineClient } from "../../lib/docker/engine-client.ts";
import type { EngineConnection } from "../../lib/docker/engine-events.ts";
import { engineMeasurements, engineReport } from "../../lib/docker/engine-report.ts";

const atMs = Date.UTC(2026, 0, 2);
const unreachable = {
  ...{ code: "ENGINE_UNREACHABLE", text: "no Docker engine answers", remedy: "start it", atMs },
};
const connection: EngineConnection = {
  ...{ sinceMs: undefined, connections: 0, lastError: undefined, missed: 0 },
  events: { start: 3, die: 2, destroy: 1 },
};
const report = (given: Partial<EngineConnection>) =>
  engineReport(new EngineClient("unix:///d.sock"), { ...connection, ...given });

describe("what is said of an engine", () => {
  test("is where it is and since when it is followed, with what was wrong before", () => {
    expect(report({ sinceMs: atMs, connections: 2, lastError: unreachable })).toEqual({
      ...{ Endpoint: "unix:///d.sock", TLS: false, APIVersion: "" },
      Since: "2026-01-02T00:00:00.000Z",
      ...{ LastError: "no Docker engine answers", LastErrorAt: "2026-01-02T00:00:00.000Z" },
    });
  });

  test("is no trouble on a host that has none", () => {
    expect(report({})).not.toHaveProperty("Trouble");
    expect(report({ lastError: unreachable })).not.toHaveProperty("Trouble");
  });

  test("is trouble when it has gone, or refuses", () => {
    expect(report({ connections: 1, lastError: unreachable }).Trouble).toEqual({
      ...{ Code: "ENGINE_UNREACHABLE", Message: "no Docker engine answers", Remedy: "start it" },
    });
    const refused = { ...unreachable, code: "ENGINE_VERSION" };
    expect(report({ lastError: refused }).Trouble?.Code).toBe("ENGINE_VERSION");
  });

  test("is counted", () => {
    const values = engineMeasurements({ ...connection, sinceMs: atMs, missed: 4 }).map(
      ({ name, labels, value }) => [name, labels?.action ?? "", value],
    );
    expect(values).toEqual([
      ["weave_docker_connected", "", 1],
      ["weave_docker_connections_total", "", 0],
      ["weave_docker_events_total", "start", 3],
      ["weave_docker_events_total", "die", 2],
      ["weave_docker_events_total", "destroy", 1],
      ["weave_docker_missed_events_total", "", 4],
    ]);
  });
});
