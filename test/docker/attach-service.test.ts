import { describe, expect, test } from "bun:test";
import { attachMeasurements, attachReport } from "../../lib/docker/attach-service.ts";
import { isWaiting } from "../../lib/docker/wait-helper/waiting-process.ts";

const id = "ab".repeat(32);
const told = { reason: "10.2.1.1 has no prefix", remedy: "write /24" };
const attacher = {
  counts: () => ({ attached: 3, failures: 7 }),
  failures: () => [{ id, name: "web", atMs: 0, ...told }],
  waiting: () => [{ id, name: "web", forMs: 40_900, ...told }],
};

describe("what has become of containers", () => {
  test("is in the report, with reasons", () => {
    const who = { ContainerID: id, Name: "web" };
    const why = { Reason: "10.2.1.1 has no prefix", Remedy: "write /24" };
    expect(attachReport(attacher)).toEqual({
      Attached: 3,
      Failures: [{ ...who, At: "1970-01-01T00:00:00.000Z", ...why }],
      Waiting: [{ ...who, Seconds: 40, ...why }],
    });
  });

  test("is in the report without lists of what there is none of", () => {
    const calm = { ...attacher, failures: () => [], waiting: () => [] };
    expect(attachReport(calm)).toEqual({ Attached: 3 });
  });

  test("is counted in the metrics", () => {
    expect(attachMeasurements(attacher).map(({ name, value }) => [name, value])).toEqual([
      ["weave_docker_attached_containers", 3],
      ["weave_docker_waiting_containers", 1],
      ["weave_docker_attach_failures_total", 7],
    ]);
  });
});

test("a process waits when it runs the wait helper, by the name that it has in its container", () => {
  expect(isWaiting(process.pid)).toBe(false);
  expect(isWaiting(2 ** 30)).toBe(false);
});
