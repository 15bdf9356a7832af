import { describe, expect, test } from "bun:test";
import type { Cluster } from "../../lib/policy/cluster.ts";
import { checkTruthTable, readTruthTable } from "../../lib/policy/truth-table.ts";
import { from, has, ip, ownPods, podAt, policyOf } from "./objects.ts";

const cluster: Cluster = {
  ...{ namespaces: [], nodes: [], clusterPolicies: [] },
  pods: [
    podAt(
      "default/server",
      "10.0.0.1",
      { app: "server" },
      {
        addresses: [ip("10.0.0.1"), ip("fd00::1")],
      },
    ),
    podAt(
      "default/client",
      "10.0.0.2",
      { app: "client" },
      {
        addresses: [ip("fd00::2"), ip("10.0.0.2")],
      },
    ),
    podAt("shop/new", "10.0.0.9", {}, { addresses: [] }),
  ],
  networkPolicies: [
    policyOf("default/clients", {
      podSelector: has("app", "server"),
      ingress: from(ownPods(has("app", "client"))),
    }),
  ],
};

describe("what somebody expects of policies", () => {
  test("is held against them, in each family that both ends have", () => {
    const table = readTruthTable({
      expectations: [
        { from: "client", to: "default/server", port: 80, allowed: true },
        { from: "shop/new", to: "server", port: 53, protocol: "UDP", allowed: true },
        { from: "10.0.0.7", to: "10.0.0.1", allowed: false },
      ],
    });
    const rows = checkTruthTable(cluster, table);
    expect(rows.map(({ source, destination, isMet }) => [source, destination, isMet])).toEqual([
      ["fd00::2", "fd00::1", true],
      ["10.0.0.2", "10.0.0.1", true],
      [undefined, "10.0.0.1", false],
      ["10.0.0.7", "10.0.0.1", true],
    ]);
    expect(rows[2]!.verdict.ingress).toMatchObject({
      ...{ because: "isolated", by: [{ namespace: "default", name: "clients" }] },
    });
  });

  test("of a pod that is not there is refused with its name", () => {
    const table = readTruthTable({
      expectations: [{ from: "nobody", to: "client", allowed: true }],
    });
    expect(() => checkTruthTable(cluster, table)).toThrow("there is no pod default/nobody");
  });

  test("of pods without an address of one family has no answer, and says so", () => {
    const table = readTruthTable({
      expectations: [{ from: "::1", to: "10.0.0.1", allowed: true }],
    });
    expect(() => checkTruthTable(cluster, table)).toThrow("no family of addresses in common");
  });

  test("is refused where it cannot be read, with the place", () => {
    const row = { from: "a", to: "b", allowed: true };
    const refusals: [unknown, RegExp][] = [
      [{}, /expectations/],
      [{ expectations: [{ ...row, allowed: "yes" }] }, /expectations\.0\.allowed/],
      [{ expectations: [row, { ...row, prot: "TCP" }] }, /expectations\.1\.prot/],
      [{ expectations: [{ ...row, port: 0 }] }, /expectations\.0\.port/],
      [{ expectations: [{ ...row, protocol: "UDP" }] }, /expectations\.0: UDP needs a port/],
      [{ expectations: [{ ...row, protocol: "ICMP", port: 1 }] }, /ICMP has no port/],
    ];
    for (const [document, why] of refusals) expect(() => readTruthTable(document)).toThrow(why);
  });
});
