import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import type { WeaveError } from "../../lib/base/errors.ts";
import { ApiClient } from "../../lib/kubernetes/api-client.ts";
import type { ClusterAccess } from "../../lib/kubernetes/cluster-access.ts";
import type { WatchEvent } from "../../lib/kubernetes/kubernetes-api.ts";
import type { KubernetesObject, PodObject } from "../../lib/kubernetes/objects.ts";
import {
  adminNetworkPolicies,
  configMaps,
  networkPolicies,
  nodes,
  pods,
} from "../../lib/kubernetes/resources.ts";
import { fixedToken } from "../../lib/kubernetes/token-file.ts";
import { certificate } from "../docker/certificates.ts";
import { FakeApiServer } from "./fake-api-server.ts";
import { someNode, somePod } from "./fake-cluster.ts";

const clientOf = (server: FakeApiServer, access: Partial<ClusterAccess> = {}) =>
  new ApiClient({ server: server.url, ...access });

const pem = (name: Parameters<typeof certificate>[0]) => readFileSync(certificate(name), "utf8");

const never = new AbortController().signal;

/** The error of what must fail. */
async function failure(attempt: Promise<unknown>): Promise<WeaveError> {
  return attempt.then(
    () => {
      throw new Error("it did not fail");
    },
    (error) => error,
  );
}

/** Changes as a test reads them. */
async function take<T extends KubernetesObject>(
  events: AsyncIterator<WatchEvent<T>>,
  count: number,
): Promise<string[]> {
  const taken: string[] = [];
  while (taken.length < count) {
    const { value, done } = await events.next();
    if (done) throw new Error(`it ended after ${taken.join(", ")}`);
    const event: WatchEvent<T> = value;
    taken.push("object" in event ? `${event.type} ${event.object.metadata.name}` : event.type);
  }
  return taken;
}

describe("objects of a cluster", () => {
  test("are read one by one and in pages, all of one moment", async () => {
    await using server = new FakeApiServer();
    const client = clientOf(server);
    for (const name of ["a", "b", "c", "d", "e"]) server.cluster.apply(somePod("x", name));
    const first = await client.list(pods, { limit: 2, continueToken: "" }, never);
    expect(first.items.map(({ metadata }) => metadata.name)).toEqual(["a", "b"]);
    server.cluster.delete("pods", "x/d");
    const { continueToken } = first;
    const second = await client.list(pods, { limit: 9, continueToken }, never);
    expect(second.items.map(({ metadata }) => metadata.name)).toEqual(["c", "d", "e"]);
    expect(second.resourceVersion).toBe(first.resourceVersion);
    expect(second.continueToken).toBe("");
    expect(await client.get(pods, { namespace: "x", name: "d" })).toBeUndefined();
    const found = await client.get(pods, { namespace: "x", name: "e" });
    expect(found?.spec.containers[0]?.ports).toEqual([
      { name: "", containerPort: 80, protocol: "TCP" },
    ]);
  });

  test("lose what nobody asks for, but for policies and config maps, which stay whole", async () => {
    await using server = new FakeApiServer();
    const client = clientOf(server);
    server.cluster.apply({ ...somePod("x", "a"), extra: "?" });
    const spec = { podSelector: {}, ingress: [{ from: [{ newKindOfPeer: { a: 1 } }] }] };
    server.cluster.apply({
      ...{ kind: "NetworkPolicy", metadata: { name: "p", namespace: "x" } },
      spec,
    });
    expect(await client.get(pods, { namespace: "x", name: "a" })).not.toHaveProperty("extra");
    expect(await client.get(networkPolicies, { namespace: "x", name: "p" })).toHaveProperty(
      "spec",
      spec,
    );
  });

  test("that are odd are counted, and hide no others", async () => {
    await using server = new FakeApiServer();
    server.cluster.apply(somePod("x", "a"));
    server.cluster.apply({ ...somePod("x", "b"), spec: { containers: "many" } });
    const page = await clientOf(server).list(pods, { limit: 500, continueToken: "" }, never);
    expect(page.items.map(({ metadata }) => metadata.name)).toEqual(["a"]);
    expect(page.unreadable).toBe(1);
  });

  test("of servers of all ages are the same", () => {
    const bare = { metadata: { name: "a", labels: null }, spec: { containers: null } };
    expect(pods.read(bare)).toEqual({
      metadata: {
        ...{ name: "a", namespace: "", uid: "", resourceVersion: "", creationTimestamp: "" },
        ...{ labels: {}, annotations: {} },
      },
      spec: { nodeName: "", hostNetwork: false, containers: [], initContainers: [] },
      status: { phase: "", podIP: "", podIPs: [] },
    } satisfies PodObject);
  });

  test("are made and written back whole, unless somebody else was faster", async () => {
    await using server = new FakeApiServer();
    const client = clientOf(server);
    const metadata = { name: "weave-net", namespace: "kube-system", annotations: { a: "1" } };
    const made = await client.create(configMaps, { metadata });
    expect((await failure(client.create(configMaps, { metadata }))).code).toBe("K8S_CONFLICT");
    const annotations = { ...made.metadata.annotations, b: "2" };
    const changed = { ...made, data: { kept: "yes" }, metadata: { ...made.metadata, annotations } };
    const written = await client.replace(configMaps, changed);
    expect(written).toMatchObject({ data: { kept: "yes" }, metadata: { annotations } });
    expect((await failure(client.replace(configMaps, changed))).code).toBe("K8S_CONFLICT");
  });

  test("are patched: conditions by their type, and the status alone", async () => {
    await using server = new FakeApiServer();
    server.cluster.apply(someNode("n1", { InternalIP: "10.0.0.1" }));
    const condition = { type: "NetworkUnavailable", status: "False" };
    await clientOf(server).patch(...([nodes, { name: "n1", subresource: "status" }] as const), {
      metadata: { labels: { x: "y" } },
      status: { conditions: [condition] },
    });
    const node = server.cluster.get("nodes", "n1")!;
    expect(node.status).toMatchObject({
      conditions: [{ type: "Ready", status: "True", reason: "KubeletReady" }, condition],
      addresses: [{ type: "InternalIP", address: "10.0.0.1" }],
    });
    expect(node.metadata.labels).toBeUndefined();
  });
});

describe("a watch", () => {
  test("tells what happened since, in order, and how far it is", async () => {
    await using server = new FakeApiServer();
    const from = { resourceVersion: String(server.cluster.revision), timeoutSeconds: 60 };
    server.cluster.apply(somePod("x", "a"));
    const events = clientOf(server).watch(pods, from, never);
    expect(await take(events, 1)).toEqual(["ADDED a"]);
    server.cluster.apply(somePod("x", "a", { ip: "10.32.0.1" }));
    server.cluster.delete("pods", "x/a");
    server.bookmark();
    expect(await take(events, 3)).toEqual(["MODIFIED a", "DELETED a", "BOOKMARK"]);
    expect(server.requests.at(-1)!.query.get("timeoutSeconds")).toBe("60");
    await events.return();
    await server.until(() => server.watching("pods") === 0);
  });

  test("is cut into any pieces, and an odd object is told as one that cannot be read", async () => {
    await using server = new FakeApiServer();
    const from = { resourceVersion: String(server.cluster.revision), timeoutSeconds: 60 };
    const events = clientOf(server).watch(pods, from, never);
    const three = take(events, 3);
    await server.until(() => server.watching("pods") === 1);
    server.cluster.apply(somePod("x", "b", { labels: { long: "ä".repeat(300_000) } }));
    server.cluster.apply({ ...somePod("x", "a"), spec: 7 });
    server.cluster.apply(somePod("x", "c"));
    expect(await three).toEqual(["ADDED b", "UNREADABLE", "ADDED c"]);
  });

  test("from too long ago is gone, whether it is refused or told", async () => {
    await using server = new FakeApiServer();
    const old = { resourceVersion: String(server.cluster.revision), timeoutSeconds: 60 };
    const { signal } = new AbortController();
    const told = take(clientOf(server).watch(pods, old, signal), 1);
    await server.until(() => server.watching("pods") === 1);
    server.gone();
    expect((await failure(told)).code).toBe("K8S_GONE");
    server.cluster.apply(somePod("x", "a"));
    server.cluster.compact();
    const refused = take(clientOf(server).watch(pods, old, signal), 1);
    expect((await failure(refused)).code).toBe("K8S_GONE");
  });

  test("ends with the signal", async () => {
    await using server = new FakeApiServer();
    const end = new AbortController();
    const from = { resourceVersion: String(server.cluster.revision), timeoutSeconds: 60 };
    const ended = take(clientOf(server).watch(pods, from, end.signal), 1);
    await server.until(() => server.watching("pods") === 1);
    end.abort();
    expect((await failure(ended)).code).toBe("K8S_UNREACHABLE");
    await server.until(() => server.watching("pods") === 0);
  });

  test("that tells something endless is given up", async () => {
    const line = `{"type":"ADDED","object":"${"x".repeat(5 << 20)}`;
    await using server = Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      fetch: () => new Response(line),
    });
    const events = new ApiClient({ server: `http://127.0.0.1:${server.port}` }).watch(
      ...([
        pods,
        { resourceVersion: "1", timeoutSeconds: 60 },
        new AbortController().signal,
      ] as const),
    );
    expect((await failure(take(events, 1))).message).toContain("does not end");
  });
});

describe("what goes wrong", () => {
  test("has a code for each kind, and the server's words", async () => {
    await using server = new FakeApiServer();
    const client = clientOf(server);
    const ask = () => failure(client.list(pods, { limit: 1, continueToken: "" }, never));
    for (const [status, code] of [
      [401, "K8S_UNAUTHORIZED"],
      [409, "K8S_CONFLICT"],
      [410, "K8S_GONE"],
      [422, "K8S_REFUSED"],
      [429, "K8S_BUSY"],
      [503, "K8S_BUSY"],
    ] as const) {
      const mend = server.refuse(() => true, status, { message: "because of the weather" });
      const { code: found, message } = await ask();
      expect({ found, message }).toEqual({
        found: code,
        message: `the Kubernetes API answered ${status} to list pods: because of the weather`,
      });
      mend();
    }
  });

  test("is that a role lacks a rule: the remedy says which", async () => {
    await using server = new FakeApiServer();
    server.forbid("list", "networkpolicies");
    const client = clientOf(server);
    const error = await failure(
      client.list(networkPolicies, { limit: 1, continueToken: "" }, never),
    );
    expect(error.code).toBe("K8S_FORBIDDEN");
    expect(error.remedy).toBe(
      'allow the service account verb "list" on resource "networkpolicies" of API group "networking.k8s.io", as the manifest does',
    );
    server.forbid("patch", "nodes");
    const place = { name: "n1", subresource: "status" };
    expect((await failure(client.patch(nodes, place, {}))).remedy).toContain(
      'verb "patch" on resource "nodes/status" of API group ""',
    );
  });

  test("is that a kind of objects is not there", async () => {
    await using server = new FakeApiServer();
    const page = clientOf(server).list(
      adminNetworkPolicies,
      { limit: 1, continueToken: "" },
      never,
    );
    expect((await failure(page)).code).toBe("K8S_NOT_FOUND");
  });

  test("is that something before the server knows of no object", async () => {
    await using server = new FakeApiServer();
    const client = clientOf(server);
    expect(await client.get(nodes, { name: "gone" })).toBeUndefined();
    using proxy = Bun.serve({
      ...{ port: 0, hostname: "127.0.0.1" },
      fetch: () => new Response("404 page not found", { status: 404 }),
    });
    const behind = new ApiClient({ server: `http://127.0.0.1:${proxy.port}` });
    expect((await failure(behind.get(nodes, { name: "gone" }))).code).toBe("K8S_NOT_FOUND");
  });

  test("is that nothing answers, or something else does", async () => {
    await using server = new FakeApiServer();
    const client = clientOf(server);
    server.goAway();
    const away = await failure(client.get(nodes, { name: "n1" }));
    expect(away.code).toBe("K8S_UNREACHABLE");
    expect(away.message).toBe(`no Kubernetes API answers at ${server.url}: nothing listens there`);
    server.comeBack();
    await using page = Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      fetch: () => new Response("<p>"),
    });
    const other = new ApiClient({ server: `http://127.0.0.1:${page.port}` });
    expect((await failure(other.get(nodes, { name: "n1" }))).code).toBe("K8S_ANSWER");
  });
});

describe("a server behind TLS", () => {
  const tls = { cert: pem("engine"), key: pem("engine-key") };
  const trusting = { tls: { current: () => ({ ca: pem("authority"), rejectUnauthorized: true }) } };

  test("is spoken to when the cluster's authority has signed for its address", async () => {
    await using server = new FakeApiServer({ tls });
    server.cluster.apply(someNode("n1"));
    const client = clientOf(server, trusting);
    expect((await client.get(nodes, { name: "n1" }))?.metadata.name).toBe("n1");
    const from = { resourceVersion: String(server.cluster.revision), timeoutSeconds: 60 };
    const told = take(client.watch(nodes, from, never), 2);
    await server.until(() => server.watching("nodes") === 1);
    server.cluster.apply(someNode("n2"));
    server.cluster.delete("nodes", "n2");
    expect(await told).toEqual(["ADDED n2", "DELETED n2"]);
  });

  test("is not, when another authority has, and gets no token", async () => {
    await using server = new FakeApiServer({ tls });
    const wrong = { tls: { current: () => ({ ca: pem("stranger"), rejectUnauthorized: true }) } };
    const client = clientOf(server, { ...wrong, token: fixedToken("secret-word") });
    const error = await failure(client.get(nodes, { name: "n1" }));
    expect(error.code).toBe("K8S_UNREACHABLE");
    expect(Bun.inspect(error)).not.toContain("secret-word");
    expect(server.requests).toEqual([]);
  });

  test("takes a client's certificate", async () => {
    await using server = new FakeApiServer({ tls: { ...tls, ca: pem("authority") } });
    server.cluster.apply(someNode("n1"));
    const shown = { cert: pem("client"), key: pem("client-key") };
    const client = clientOf(server, {
      tls: { current: () => ({ ...trusting.tls.current(), ...shown }) },
    });
    expect((await client.get(nodes, { name: "n1" }))?.metadata.name).toBe("n1");
  });

  test("is reached by IPv6 as well", async () => {
    await using server = new FakeApiServer({ hostname: "::1" });
    server.cluster.apply(someNode("n1"));
    expect(server.url).toContain("[::1]");
    expect(await clientOf(server).get(nodes, { name: "n1" })).toBeDefined();
  });
});

describe("a token", () => {
  test("that was refused is looked for again, and the request made once more", async () => {
    await using server = new FakeApiServer({ tokens: new Set(["second"]) });
    server.cluster.apply(someNode("n1"));
    let token = "first";
    const client = clientOf(server, {
      token: {
        current: () => token,
        refused: () => {
          token = "second";
        },
      },
    });
    expect(await client.get(nodes, { name: "n1" })).toBeDefined();
  });

  test("is in no error", async () => {
    await using server = new FakeApiServer({ tokens: new Set() });
    const client = clientOf(server, { token: fixedToken("secret-word") });
    const unknown = await failure(client.get(nodes, { name: "n1" }));
    expect(unknown.code).toBe("K8S_UNAUTHORIZED");
    server.goAway();
    const away = await failure(client.get(nodes, { name: "n1" }));
    expect(Bun.inspect([unknown, away])).not.toContain("secret-word");
  });
});
