import { beforeEach, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseIpv4 } from "../../lib/base/ip.ts";
import { ApiError } from "../../lib/cli/api-error.ts";
import { Alone } from "../api/test-router.ts";
import { type Outcome, weave } from "./command-line.ts";

const isolated = `
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: deny
  namespace: shop
spec:
  podSelector: {}
  policyTypes: [Ingress]
`;

const webToDb = `
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: db, namespace: shop}
spec:
  podSelector: {matchLabels: {app: db}}
  ingress:
    - from: [{podSelector: {matchLabels: {app: web}}}]
      ports: [{port: 5432}, {port: metrics}]
`;

const expectations = (allowed: boolean): string => `
expectations:
  - {from: shop/web, to: shop/db, port: 5432, allowed: true}
  - {from: shop/web, to: shop/db, port: 9187, allowed: ${allowed}}
  - {from: default/other, to: shop/db, port: 5432, allowed: false}
  - {from: shop/db, to: default/other, protocol: ICMP, allowed: true}
`;

let alone: Alone;

/** The command line against a router whose policies are real, and whose packet filter is pretended. */
function policy(words: readonly string[], stdin = ""): Promise<Outcome> {
  return weave(["policy", ...words], {
    stdin,
    answer: async ({ method, path, query = [], json }) => {
      const search = new URLSearchParams(Object.fromEntries(query));
      const body = json === undefined ? {} : { body: JSON.stringify(json) };
      const answer = await alone.app.request(`/${path.join("/")}?${search}`, { method, ...body });
      const text = await answer.text();
      if (answer.ok) return text;
      const { code, message, remedy } = JSON.parse(text);
      throw new ApiError("refused", code, message, { remedy });
    },
  });
}

function attach(ident: string, address: string, labels: Record<string, string> = {}): void {
  const { policyService, attached } = alone.router;
  attached.set(ident, [`${address}/12`]);
  policyService.pods.expect({ ident, labels }, [parseIpv4(address)], 1)();
  policyService.hostChanged();
}

beforeEach(() => {
  alone = new Alone();
  const shop = { "weave.works/namespace": "shop" };
  attach("netns:web", "10.32.0.1", { app: "web", ...shop });
  attach("netns:db", "10.32.0.2", { app: "db", "weave.works/port.metrics": "9187/tcp", ...shop });
  attach("netns:other", "10.32.0.3");
});

describe("weave policy apply", () => {
  test("has all documents of a file hold, and says what changed", async () => {
    const { code, stdout } = await policy(["apply", "-f", "-"], `${isolated}---${webToDb}`);
    expect(stdout).toBe("NetworkPolicy shop/deny created\nNetworkPolicy shop/db created\n");
    expect(code).toBe(0);
    expect(alone.router.enforcer.rules?.targets.ingress.size).toBe(2);
    const again = await policy(["apply", "-f", "-"], `${isolated}---${webToDb}`);
    expect(again.stdout).toBe(
      "NetworkPolicy shop/deny unchanged\nNetworkPolicy shop/db unchanged\n",
    );
  });

  test("takes JSON, a List, several files, and the namespace of documents that say none", async () => {
    const folder = mkdtempSync(join(tmpdir(), "weave-policy-"));
    try {
      const list = { kind: "List", items: [{ ...document("one") }, { ...document("two") }] };
      writeFileSync(join(folder, "a.json"), JSON.stringify(list));
      writeFileSync(join(folder, "b.yaml"), "# nothing\n---\n");
      const files = ["a.json", "b.yaml"].flatMap((name) => ["-f", join(folder, name)]);
      const { stdout } = await policy(["apply", "-n", "shop", ...files]);
      expect(stdout).toBe("NetworkPolicy shop/one created\nNetworkPolicy shop/two created\n");
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test("changes nothing when one of them cannot be read, and says which", async () => {
    for (const [text, complaint] of [
      [
        `${isolated}---\nkind: Pod\napiVersion: v1\nmetadata: {name: x}`,
        "Pod of v1 is no kind of policy",
      ],
      [`${isolated}---\nkind: NetworkPolicy`, "this is no document of a policy"],
      [`${isolated}---\nmetadata: [`, "is neither YAML nor JSON"],
      [`${isolated}---\njust text`, '"just text" is no document'],
      ["", "there are no documents to read"],
      [expectations(true), "there is no policy in these files"],
      ["a: &a\n  b: *a\n", "is neither YAML nor JSON"],
    ] as const) {
      const { code, stderr } = await policy(["apply", "-f", "-"], text);
      expect(stderr).toContain(complaint);
      expect(code).toBe(1);
    }
    expect((await policy(["get", "--json"])).stdout).toContain('"policies":[]');
  });

  test("warns of what is not understood, of which less is allowed", async () => {
    const odd = isolated.replace("podSelector: {}", "podSelector: {}\n  colour: blue");
    const { code, stderr } = await policy(["apply", "-f", "-"], odd);
    expect(stderr).toContain("note: shop/deny: spec.colour is a field that is not known");
    expect(code).toBe(0);
    expect((await policy(["get"])).stderr).toContain("spec.colour");
  });

  test("says so where this host does not enforce it", async () => {
    alone.router.enforcer.isBroken = true;
    const { code, stderr } = await policy(["apply", "-f", "-"], isolated);
    expect([code, stderr]).toEqual([
      0,
      "note: this host does not enforce it: the packet filter is broken\n",
    ]);
  });
});

describe("weave policy delete", () => {
  test("takes documents of a file back, or those that are named in any way", async () => {
    await policy(["apply", "-f", "-"], `${isolated}---${webToDb}`);
    expect((await policy(["delete", "-f", "-"], isolated)).stdout).toBe(
      "NetworkPolicy shop/deny deleted\n",
    );
    expect((await policy(["delete", "netpol/shop/db", "ns/shop", "absent"])).stdout).toBe(
      "NetworkPolicy shop/db deleted\nNamespace shop absent\nNetworkPolicy default/absent absent\n",
    );
    expect(alone.router.enforcer.deeds.at(-1)).toBe("remove");
  });

  test("takes no half of a name for the whole", async () => {
    await policy(["apply", "-f", "-"], isolated);
    for (const word of [
      "shop/deny/more",
      "netpol/shop/deny/more",
      "anp/shop/deny",
      "shop/",
      "/deny",
    ]) {
      const { code, stderr } = await policy(["delete", word]);
      expect([code, stderr]).toEqual([1, expect.stringContaining("is no name of a policy")]);
    }
    expect((await policy(["get"])).stdout).toContain("deny");
  });
});

describe("weave policy get", () => {
  test("lists policies, pods and hosts, and prints one document", async () => {
    await policy(["apply", "-f", "-"], isolated);
    expect((await policy(["get"])).stdout).toBe(
      "NAMESPACE  NAME  KIND\nshop       deny  NetworkPolicy\n",
    );
    expect((await policy(["get", "pods"])).stdout).toContain(
      "default    other  host1  10.32.0.3  -\n",
    );
    // The host tells that it enforces a moment later.
    alone.cluster.clock.run(10);
    expect((await policy(["get", "hosts"])).stdout).toEndWith("host1     nftables\n");
    expect((await policy(["get", "shop/deny"])).stdout).toStartWith(
      "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata:\n  name: deny\n",
    );
    expect((await policy(["get", "shop/other"])).code).toBe(1);
  });

  test("prints its documents as JSON", async () => {
    await policy(["apply", "-f", "-"], isolated);
    expect((await policy(["get", "--json"])).code).toBe(0);
    expect((await policy(["apply", "-f", "-", "--json"], webToDb)).code).toBe(0);
    expect((await policy(["explain", "web", "db", "--json"])).code).toBe(0);
    expect((await policy(["test", "-f", "-", "--json"], expectations(false))).code).toBe(1);
  });
});

describe("weave policy explain", () => {
  test("names the rule that decides in each direction", async () => {
    await policy(["apply", "-f", "-"], `${isolated}---${webToDb}`);
    const allowed = await policy(["explain", "netns:web", "shop/db", "5432/tcp"]);
    expect(allowed.stdout).toBe(
      [
        "shop/web to shop/db, TCP 5432: allowed",
        "  egress   shop/web may send this: no policy is about its egress",
        "  ingress  shop/db may receive this: spec.ingress[0] of shop/db",
        "",
      ].join("\n"),
    );
    const denied = await policy(["explain", "10.32.0.3", "db"]);
    expect(denied.stdout).toContain("default/other to shop/db, ICMP: denied");
    expect(denied.stdout).toContain("no rule of shop/deny, shop/db allows it");
    const outside = await policy(["explain", "192.0.2.1", "db", "5432"]);
    expect(outside.stdout).toContain(
      "192.0.2.1 is no container: policies do not judge what it does",
    );
  });

  test("wants two ends that are known, and a port", async () => {
    expect((await policy(["explain", "web"])).stderr).toContain("needs both ends");
    expect((await policy(["explain", "web", "nobody"])).stderr).toContain(
      "know of no container nobody",
    );
    expect((await policy(["explain", "web", "db", "http"])).stderr).toContain("is no port");
    expect((await policy(["explain", "fe80::1", "db"])).stderr).toContain("a link-local address");
    expect((await policy(["explain", "web", "db", "80", "tcp"])).stderr).toContain(
      "one word too many",
    );
  });
});

describe("weave policy test", () => {
  test("judges as if the documents held, and changes nothing", async () => {
    const text = [isolated, webToDb, expectations(true)].join("---");
    const { code, stdout } = await policy(["test", "-f", "-"], text);
    expect([stdout, code]).toEqual(["4 of 4 as expected\n", 0]);
    expect(alone.router.enforcer.deeds).toEqual([]);
    expect((await policy(["get", "--json"])).stdout).toContain('"policies":[]');
  });

  test("fails with the reason when an expectation is not met", async () => {
    const text = [isolated, webToDb, expectations(false)].join("---");
    const { code, stdout } = await policy(["test", "-f", "-"], text);
    expect(code).toBe(1);
    expect(stdout).toStartWith(
      "shop/web (10.32.0.1) to shop/db (10.32.0.2), TCP 9187: expected denied, is allowed\n",
    );
    expect(stdout).toEndWith("3 of 4 as expected\n");
  });

  test("refuses expectations that cannot be read", async () => {
    for (const [text, complaint] of [
      ["expectations: [{from: a}]", "expectations.0.to: is missing"],
      [
        "expectations: [{from: a, to: b, allowed: true, prot: 1}]",
        "expectations.0.prot: is not known",
      ],
    ] as const) {
      const { stderr, code } = await policy(["test", "-f", "-"], text);
      expect(stderr).toContain(`these expectations cannot be read: ${complaint}`);
      expect(code).toBe(1);
    }
  });

  test("is not passed by files that expect nothing", async () => {
    for (const text of [isolated, `${isolated}---\nexpectations: []`]) {
      const { code, stderr } = await policy(["test", "-f", "-"], text);
      expect([code, stderr]).toEqual([1, expect.stringContaining("there is no expectation")]);
    }
  });
});

describe("weave status", () => {
  const ask = (words: readonly string[]) =>
    weave(["status", ...words], {
      answer: async ({ path, accept }) => {
        const headers = accept === undefined ? {} : { Accept: accept };
        return (await alone.app.request(`/${path.join("/")}`, { headers })).text();
      },
    });

  test("has a section on policies while there are any, and says who does not enforce them", async () => {
    expect((await ask([])).stdout).not.toContain("Service: policy");
    const odd = isolated.replace("podSelector: {}", "podSelector: {}\n  colour: blue");
    await policy(["apply", "-f", "-"], odd);
    const { stdout } = await ask([]);
    expect(stdout).toContain("Service: policy\n         Status: enforcing by nftables\n");
    expect(stdout).toContain(
      "           Pods: 3 (3 here)\n          Fault: shop/deny: spec.colour",
    );
    expect(stdout).toContain("   NotEnforcing: host2\n");
  });

  test("says why they are not enforced, and the same as JSON", async () => {
    alone.router.enforcer.isBroken = true;
    await policy(["apply", "-f", "-"], isolated);
    expect((await ask([])).stdout).toContain(
      "         Status: failing\n        Trouble: the packet filter is broken\n         Remedy: mend it\n",
    );
    const { stdout } = await ask(["--json"]);
    expect(JSON.parse(stdout).policy).toMatchObject({
      ...{ status: "failing", policies: 1, pods: 3, notEnforcing: ["host2"] },
      trouble: { message: "the packet filter is broken", remedy: "mend it" },
    });
  });
});

describe("kinds of documents beside NetworkPolicy", () => {
  const admin = `
apiVersion: policy.networking.k8s.io/v1alpha1
kind: AdminNetworkPolicy
metadata: {name: keep-out}
spec:
  priority: 10
  subject: {namespaces: {matchLabels: {tier: gold}}}
  ingress:
    - name: nobody
      action: Deny
      from: [{namespaces: {}}]
`;

  test("hold by the labels that a namespace is given, until they are taken back", async () => {
    await policy(["apply", "-f", "-"], admin);
    const before = await policy(["explain", "other", "shop/db"]);
    expect(before.stdout).toContain("ICMP: allowed");
    const gold = "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop, labels: {tier: gold}}";
    await policy(["apply", "-f", "-"], gold);
    expect((await policy(["explain", "other", "shop/db"])).stdout).toContain(
      "shop/db may not receive this: spec.ingress[0] of AdminNetworkPolicy",
    );
    await policy(["delete", "ns/shop"]);
    expect((await policy(["explain", "other", "shop/db"])).stdout).toContain("ICMP: allowed");
    expect((await policy(["delete", "anp/keep-out"])).stdout).toContain("keep-out deleted");
  });
});

function document(name: string): object {
  const spec = { podSelector: {}, policyTypes: ["Ingress"] };
  return { apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy", metadata: { name }, spec };
}
