import { describe, expect, test } from "bun:test";
import { errorCode } from "../../../lib/base/errors.ts";
import { takeDocument } from "../../../lib/daemon/policy/policy-document.ts";
import { contentMax } from "../../../lib/policy/gossip/shared-record.ts";
import { problemsMax } from "../../../lib/policy/policy-problem.ts";

const policy = {
  ...{ apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy" },
  metadata: { name: "web", namespace: "shop" },
};

function refusal(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    return errorCode(error);
  }
  return "none";
}

describe("a document that an operator applies", () => {
  test("keeps its names, its labels and its spec, and nothing of who wrote it", () => {
    const metadata = { ...policy.metadata, labels: { app: "web" }, uid: "1", managedFields: [] };
    const { content, problems } = takeDocument({
      ...{ ...policy, metadata, status: { conditions: [] } },
      spec: { podSelector: {} },
    });
    expect(JSON.parse(content)).toEqual({
      ...policy,
      metadata: { ...policy.metadata, labels: { app: "web" } },
      spec: { podSelector: {} },
    });
    expect(problems).toEqual([]);
  });

  test("is told of what stands too far left, and allows nothing", () => {
    const spec = { podSelector: { matchLabels: { app: "web" } } };
    const { problems } = takeDocument({ ...policy, spec, policyTypes: ["Ingress", "Egress"] });
    expect(problems.map(({ sentence }) => sentence)).toEqual([
      "policyTypes is a field that is not known; all pods of namespace shop are isolated by the policy",
    ]);
  });

  test("is refused when it is longer than other hosts take", () => {
    const from = [{ namespaceSelector: { matchLabels: { team: "x".repeat(contentMax) } } }];
    const spec = { podSelector: {}, ingress: [{ from }] };
    expect(refusal(() => takeDocument({ ...policy, spec }))).toBe("POLICY_TOO_LARGE");
  });

  test("is in the namespace that is given with it, if that is one", () => {
    const bare = { ...policy, metadata: { name: "web" } };
    expect(takeDocument(bare, "shop").scope).toBe("shop");
    for (const odd of ["", "Shop", "a/b", "x".repeat(64)]) {
      expect(refusal(() => takeDocument(bare, odd))).toBe("POLICY_FORMAT");
    }
  });

  test("is told of some of very many faults", () => {
    const from = Array.from({ length: 1000 }, () => ({ unknown: 1 }));
    const { problems } = takeDocument({
      ...policy,
      spec: { podSelector: {}, ingress: [{ from }] },
    });
    expect(problems.length).toBe(problemsMax);
  });
});
