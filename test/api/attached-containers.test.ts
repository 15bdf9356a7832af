import { expect, test } from "bun:test";
import type { DockerReport } from "../../lib/api/docker-report.ts";
import { statusText } from "../../lib/api/status-text.ts";
import { emptyReport } from "./empty-report.ts";

const connected: DockerReport = {
  ...{ Endpoint: "unix:///var/run/docker.sock", TLS: false, APIVersion: "1.51" },
  ...{ Since: "2026-01-01T00:00:00.000Z", LastError: "", LastErrorAt: "" },
  Attached: 3,
};
const who = (name: string) => ({ ContainerID: name.padEnd(64, "0"), Name: name });
const why = { Reason: "10.2.1.1 has no prefix", Remedy: "write 10.2.1.1/24" };
const At = "2026-01-01T00:00:00.000Z";

const status = (Docker: DockerReport) =>
  statusText({ ...emptyReport("01:00:00:00:00:01"), Docker }).split("Service: docker\n")[1];

test("status counts the containers that were attached", () => {
  expect(status(connected)).toBe(
    "       Endpoint: unix:///var/run/docker.sock\n" +
      "     APIVersion: 1.51\n" +
      "         Status: connected since 2026-01-01T00:00:00.000Z\n" +
      "       Attached: 3\n",
  );
});

test("status says which could not be attached and which wait, why, and what to do", () => {
  const Failures = [{ ...who("web"), At, ...why }];
  const Waiting = [
    { ...who("web"), Seconds: 12, ...why },
    { ...who("db"), Seconds: 40, Reason: "it has no address yet", Remedy: "" },
  ];
  expect(status({ ...connected, Failures, Waiting })).toEndWith(
    "       Attached: 3\n" +
      "    NotAttached: web, last at 2026-01-01T00:00:00.000Z: 10.2.1.1 has no prefix\n" +
      "         Remedy: write 10.2.1.1/24\n" +
      "        Waiting: db for 40 s: it has no address yet\n",
  );
});
