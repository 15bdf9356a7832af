import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { type Cluster, partyAt } from "../../lib/policy/cluster.ts";
import { namespaceOf } from "../../lib/policy/labels.ts";
import type { PortRange } from "../../lib/policy/objects.ts";
import { evaluate } from "../../lib/policy/verdict.ts";
import {
  edgesMax,
  type PortSpan,
  type SpanVerdict,
  wayVerdicts,
} from "../../lib/policy/way-verdicts.ts";
import { clusterFromRaw, ipOf, portOf } from "./cluster-from-json.ts";
import { from, has, ip, ownPods, podAt, policyOf } from "./objects.ts";
import { cluster as anyCluster, connection } from "./random-cluster.ts";

const cluster: Cluster = {
  namespaces: [namespaceOf("shop")],
  pods: [
    podAt(
      "shop/db",
      "10.0.0.1",
      { app: "db" },
      { ports: [{ name: "sql", protocol: "TCP", port: 5432 }] },
    ),
    podAt("shop/web", "10.0.0.2", { app: "web" }),
  ],
  ...{ nodes: [], networkPolicies: [], clusterPolicies: [] },
};

const tcp = (first: number, last = first): PortRange => ({
  ...{ kind: "numbers", protocol: "TCP", first, last },
});

function between(networkPolicies: Cluster["networkPolicies"]) {
  const known = { ...cluster, networkPolicies };
  const [web, db] = ["10.0.0.2", "10.0.0.1"].map((text) => partyAt(known, ip(text)));
  return wayVerdicts(known, web!, db!);
}

/** `allowed TCP 5432`, `denied TCP 1-5431, TCP 5433-65535, … ICMP` */
function told({ spans, verdict }: SpanVerdict): string {
  const word = verdict.allowed ? "allowed" : "denied";
  return `${word} ${spans.map(spanText).join(", ")}`;
}

function spanText({ protocol, ports }: PortSpan): string {
  if (ports === undefined) return protocol;
  return ports.first === ports.last
    ? `${protocol} ${ports.first}`
    : `${protocol} ${ports.first}-${ports.last}`;
}

const everything = "TCP 1-65535, UDP 1-65535, SCTP 1-65535, ICMP";

describe("what one container may open to another", () => {
  test("is everything where no policy is", () => {
    expect(between([]).verdicts.map(told)).toEqual([`allowed ${everything}`]);
  });

  test("is told by ports, the particular first, with numbers and names alike", () => {
    const fromWeb = { peers: [ownPods(has("app", "web"))] };
    const sql: PortRange = { kind: "name", protocol: "TCP", name: "sql" };
    const isolated = policyOf("shop/isolated", { podSelector: has("app", "db"), ingress: [] });
    const byRange = policyOf("shop/range", {
      podSelector: has("app", "db"),
      ingress: [{ ...fromWeb, ports: [tcp(80, 90), tcp(91)] }],
    });
    const byName = policyOf("shop/name", {
      podSelector: has("app", "db"),
      ingress: [{ ...fromWeb, ports: [sql] }],
    });
    expect(between([isolated, byRange, byName]).verdicts.map(told)).toEqual([
      "allowed TCP 5432",
      "allowed TCP 80-91",
      "denied TCP 1-79, TCP 92-5431, TCP 5433-65535, UDP 1-65535, SCTP 1-65535, ICMP",
    ]);
  });

  test("is nothing where no rule is about who asks, whatever ports they name", () => {
    const others = policyOf("shop/others", {
      ingress: [{ peers: [ownPods(has("app", "nobody"))], ports: [tcp(80)] }],
    });
    expect(between([others]).verdicts.map(told)).toEqual([`denied ${everything}`]);
    const anybody = policyOf("shop/anybody", { ingress: from(ownPods([])) });
    expect(between([anybody]).verdicts.map(told)).toEqual([`allowed ${everything}`]);
  });

  test("says so where policies name more ports than are looked at", () => {
    const ports = Array.from({ length: edgesMax }, (_, index) => tcp(10 + 2 * index));
    const many = policyOf("shop/many", { ingress: [{ peers: "any", ports }] });
    const { isComplete, verdicts } = between([many]);
    expect(isComplete).toBe(false);
    const tcpPorts = verdicts.flatMap(({ spans }) =>
      spans.flatMap(({ protocol, ports: span }) => (protocol === "TCP" && span ? span.last : [])),
    );
    expect(Math.max(...tcpPorts)).toBeLessThan(10 + 2 * edgesMax);
    expect(between([]).isComplete).toBe(true);
  });

  test("is for each port what is decided when that port is asked about", () => {
    fc.assert(
      fc.property(anyCluster, connection, (raw, asked) => {
        const known = clusterFromRaw(raw);
        const source = partyAt(known, ipOf(asked.from));
        const destination = partyAt(known, ipOf(asked.to));
        const { verdicts } = wayVerdicts(known, source, destination);
        const port = portOf(asked);
        const meant = verdicts.filter(({ spans }) => spans.some((span) => isIn(span, port)));
        expect(meant.map(({ verdict }) => verdict)).toEqual([
          evaluate(known, { source, destination, port }),
        ]);
      }),
      { seed: 1, numRuns: 800 },
    );
  });
});

function isIn({ protocol, ports }: PortSpan, port: ReturnType<typeof portOf>): boolean {
  if (port === undefined || ports === undefined) return port === undefined && ports === undefined;
  return protocol === port.protocol && ports.first <= port.port && port.port <= ports.last;
}
