import { describe, expect, test } from "bun:test";
import { parseEndpoint } from "../../lib/base/endpoint.ts";
import { WeaveError } from "../../lib/base/errors.ts";
import {
  type ConnectionStatus,
  neighbourStatus,
  type ShownNeighbour,
  targetStatus,
} from "../../lib/mesh/mesh-status.ts";
import { loneWorld, simulationEpochMs } from "../sim/world.ts";
import vectors from "../vectors/mesh/status.json";
import { nameOf } from "./records.ts";

interface Given {
  readonly established?: boolean;
  readonly outbound?: boolean;
  readonly nickName?: string;
  readonly overlay?: { readonly name: string } | null;
  readonly password?: boolean;
  readonly weTrust?: boolean;
  readonly trustedByRemote?: boolean;
  readonly state?: string;
  readonly lastError?: string | null;
  readonly tryAfter?: string | null;
}

interface Shown {
  readonly Address: string;
  readonly Outbound: boolean;
  readonly State: string;
  readonly Info: string;
  readonly Attrs: Record<string, string | number | boolean> | null;
}

function neighbour(given: Given, shown: Shown): ShownNeighbour {
  const { name, ...attributes } = shown.Attrs ?? { name: "none" };
  const trusted = given.weTrust === true && given.trustedByRemote === true;
  return {
    name: nameOf(2),
    established: given.established === true,
    lossMeter: undefined,
    overlay: {
      confirm() {},
      control() {},
      stop() {},
      describe: () => ({
        ...{ name: String(name), attributes, reason: "the only one" },
        ...{ degraded: false, sinceMs: 0 },
      }),
    },
    clock: { offsetMs: undefined },
    connection: {
      remoteAddress: parseEndpoint(shown.Address),
      outbound: given.outbound !== false,
      encrypted: given.password === true && !trusted,
      extensions: new Map(),
      roundTripMs: undefined,
      remote: {
        name: nameOf(2),
        nickname: given.nickName ?? "host2",
        uid: 1n,
        shortId: 2,
        features: new Map(),
      },
    },
  };
}

const dueAtMs = 2123;
const dueAt = "2022-11-23 10:40:02.123 +0000 UTC";

function target(given: Given): ConnectionStatus | undefined {
  const { world } = loneWorld();
  const state = given.state as "attempting" | "waiting" | "connected" | "suspended";
  const error = given.lastError ? new WeaveError("DIAL_FAILED", given.lastError) : undefined;
  const due = given.tryAfter === null ? undefined : dueAtMs;
  return targetStatus({ address: "10.0.0.3:6783", state, error, dueAtMs: due }, world);
}

function inReportWords(status: ConnectionStatus): Shown {
  return {
    Address: status.address,
    Outbound: status.outbound,
    State: status.state,
    Info: status.info.replace(dueAt, "<time>"),
    Attrs: status.attributes ?? null,
  };
}

describe("a connection in the status", () => {
  for (const example of vectors.cases) {
    test(`${example.name}: is shown as by the original`, () => {
      const given: Given = example.given;
      const [shown] = example.json as Shown[];
      const status =
        given.state === undefined
          ? neighbourStatus(neighbour(given, shown!), given.password === true)
          : target(given);
      expect(status === undefined ? undefined : inReportWords(status)).toEqual(shown);
    });
  }

  test("that failed says why, what to do and when it is tried again", () => {
    const { world } = loneWorld();
    const error = new WeaveError("DIAL_FAILED", "connection refused", { remedy: "start it" });
    const status = targetStatus({ address: "a", state: "waiting", error, dueAtMs }, world);
    expect(status!.error).toEqual({
      code: "DIAL_FAILED",
      text: "connection refused",
      remedy: "start it",
    });
    expect(status!.retryAtMs).toBe(simulationEpochMs + dueAtMs);
  });
});
