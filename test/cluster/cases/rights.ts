import { describe, expect, test } from "bun:test";
import type { ClusterLab } from "../cluster-lab.ts";
import type { AuditedRequest } from "../control-plane.ts";
import { addon } from "../weave-addon.ts";

const account = `system:serviceaccount:${addon.namespace}:${addon.name}`;

/** What the manifest lets every node do, and no more. */
const rights = [
  "adminnetworkpolicies.policy.networking.k8s.io [] [get list watch]",
  "baselineadminnetworkpolicies.policy.networking.k8s.io [] [get list watch]",
  "configmaps [] [create]",
  "configmaps [weave-net] [get update]",
  "namespaces [] [get list watch]",
  "networkpolicies.networking.k8s.io [] [get list watch]",
  "nodes [] [get list watch]",
  "nodes/status [] [patch]",
  "pods [] [get list watch]",
];

export function describeRights(cluster: () => ClusterLab): void {
  describe("the account of the DaemonSet", () => {
    test("has the rights of the manifest, and no others on objects", async () => {
      const { plane } = cluster();
      const list = ["auth", "can-i", "--list", "-n", addon.namespace, `--as=${account}`];
      const said = await plane.mustKubectl([...list, "--no-headers"]);
      const lines = said.split("\n").map((line) => line.replaceAll(/ +/g, " ").trim());
      // Who somebody is and what they may do may be asked by all.
      const own = lines.filter((line) => !/^\[|^self|^$/.test(line));
      expect(own.map(withoutUrls).sort()).toEqual(rights);
    });

    test("is never refused anything that a node asks for, and asks for what it may", () => {
      const asked = cluster().plane.requestsOf(account);
      const refused = asked.filter(
        ({ annotations = {} }) => annotations["authorization.k8s.io/decision"] !== "allow",
      );
      expect([...new Set(refused.map(rightOf))]).toEqual([]);
      const used = new Set(asked.map(rightOf));
      const wanted = ["nodes", "pods", "namespaces", "networkpolicies"];
      // A watch is remembered when it ends.
      const reads = wanted.map((what) => `list ${what}`);
      expect([...reads, "patch nodes/status"].filter((right) => !used.has(right))).toEqual([]);
    });
  });
}

/** `resource [] [names] [verbs]`: the second is of paths that are no objects. */
function withoutUrls(line: string): string {
  return line.replace(/ \[\] /, " ");
}

function rightOf({ verb, objectRef }: AuditedRequest): string {
  const { resource = "", subresource } = objectRef ?? {};
  return `${verb} ${resource}${subresource === undefined ? "" : `/${subresource}`}`;
}
