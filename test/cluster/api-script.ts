import { type Answer, type ApiAccess, ScriptClient } from "./script-client.ts";

const strategic = "application/strategic-merge-patch+json";
const merge = "application/merge-patch+json";
const maps = "/api/v1/namespaces/script/configmaps";

/**
 * Asks a server what agents ask it, and gives what each answer tells them: its status, the object as
 * far as the script has made it, and which versions are the same and which another.
 */
export async function askAll(access: ApiAccess): Promise<Record<string, Answer>> {
  const client = new ScriptClient(access);
  const answers: Record<string, Answer> = {};
  for (const [name, script] of Object.entries(scripts)) answers[name] = await script(client);
  return answers;
}

export const scriptNames = (): string[] => Object.keys(scripts);

type Script = (client: ScriptClient) => Promise<Answer>;

const scripts: Readonly<Record<string, Script>> = {
  "a namespace is made": (client) =>
    client.ask("POST", "/api/v1/namespaces", { metadata: { name: "script" } }),

  "an object is made": (client) => client.ask("POST", maps, map("one", { step: "made" })),

  "another of its name is refused": (client) => client.ask("POST", maps, map("one")),

  "it is read": (client) => client.ask("GET", `${maps}/one`),

  "one that is not there is not found": (client) => client.ask("GET", `${maps}/none`),

  "a change of its latest version is taken": async (client) => {
    const { resourceVersion } = await client.metadata(`${maps}/one`);
    return client.ask("PUT", `${maps}/one`, map("one", { step: "changed" }, { resourceVersion }));
  },

  "a change of an older version conflicts": async (client) => {
    const { resourceVersion } = await client.metadata(`${maps}/one`);
    await client.ask("PUT", `${maps}/one`, map("one", { step: "meanwhile" }));
    return client.ask("PUT", `${maps}/one`, map("one", {}, { resourceVersion }));
  },

  "a change without a version is taken": (client) =>
    client.ask("PUT", `${maps}/one`, map("one", { step: "whatever" })),

  "a change of nothing leaves its version": async (client) => {
    const before = await client.metadata(`${maps}/one`);
    await client.ask(
      "PATCH",
      `${maps}/one`,
      { metadata: { annotations: { step: "whatever" } } },
      merge,
    );
    const after = await client.metadata(`${maps}/one`);
    return { same: before.resourceVersion === after.resourceVersion };
  },

  "a change of what is not there is refused": (client) =>
    client.ask("PUT", `${maps}/none`, map("none")),

  "a patch adds and takes away": async (client) => {
    const annotations = { step: null, patched: "yes" };
    return client.ask("PATCH", `${maps}/one`, { metadata: { annotations } }, merge);
  },

  "a patch of an older version conflicts": async (client) => {
    const { resourceVersion } = await client.metadata(`${maps}/one`);
    await client.ask("PUT", `${maps}/one`, map("one", { step: "again" }));
    return client.ask("PATCH", `${maps}/one`, { metadata: { resourceVersion } }, merge);
  },

  "a node is made": (client) =>
    client.ask("POST", "/api/v1/nodes", { metadata: { name: "n1", labels: { rack: "r1" } } }),

  "a condition is added to its status": (client) =>
    client.ask("PATCH", "/api/v1/nodes/n1/status", status([condition("False")]), strategic),

  "the same condition is changed": (client) =>
    client.ask("PATCH", "/api/v1/nodes/n1/status", status([condition("True")]), strategic),

  "another one is added": (client) => {
    const other = { ...condition("True"), type: "Ready" };
    return client.ask("PATCH", "/api/v1/nodes/n1/status", status([other]), strategic);
  },

  "a lease is changed by who knows its version alone": async (client) => {
    const leases = "/apis/coordination.k8s.io/v1/namespaces/script/leases";
    const lease = (holderIdentity: string) => ({
      metadata: { name: "l1" },
      spec: { holderIdentity },
    });
    await client.ask("POST", leases, lease("a"));
    const unknowing = await client.ask("PUT", `${leases}/l1`, lease("b"));
    const { resourceVersion } = await client.metadata(`${leases}/l1`);
    const metadata = { name: "l1", resourceVersion };
    const knowing = await client.ask("PUT", `${leases}/l1`, { ...lease("c"), metadata });
    return { unknowing, knowing };
  },

  "a range of ports of a policy is kept": (client) => {
    const ports = [{ protocol: "TCP", port: 8000, endPort: 8010 }];
    const spec = { podSelector: {}, policyTypes: ["Ingress"], ingress: [{ ports }] };
    const policies = "/apis/networking.k8s.io/v1/namespaces/script/networkpolicies";
    return client.ask("POST", policies, { metadata: { name: "p1" }, spec });
  },

  "a list has all, and says what each is only once": async (client) => {
    for (const name of ["three", "two"])
      await client.ask("POST", maps, map(name, {}, { labels: { half: "b" } }));
    return client.list(maps);
  },

  "a list in pages is as the first was": async (client) => {
    const pods = "/api/v1/nodes";
    for (const name of ["n2", "n3"]) await client.ask("POST", pods, { metadata: { name } });
    const first = await client.page(`${pods}?limit=2`);
    await client.ask("POST", pods, { metadata: { name: "n4" } });
    const second = await client.page(`${pods}?limit=2&continue=${encodeURIComponent(first.next)}`);
    return { first: first.names, second: second.names, ends: second.next === "" };
  },

  "a list is of those with a label": (client) => client.list(`${maps}?labelSelector=half=b`),

  "a list is of the one with a name": (client) =>
    client.list(`${maps}?fieldSelector=metadata.name=two`),

  "a watch tells what comes after a list": async (client) => {
    const { version } = await client.page(maps);
    await client.ask("POST", maps, map("four"));
    await client.ask("PUT", `${maps}/four`, map("four", { step: "changed" }));
    await client.ask("DELETE", `${maps}/four`);
    return client.watch(`${maps}?resourceVersion=${version}`, 3);
  },

  "a watch of a label tells who comes to have it and who loses it": async (client) => {
    const { version } = await client.page(maps);
    const labelled = (half: string) => map("one", {}, { labels: { half } });
    for (const half of ["b", "b", "c"]) {
      const annotations = { at: `${Math.random()}` };
      const object = labelled(half);
      await client.ask("PUT", `${maps}/one`, {
        ...object,
        metadata: { ...object.metadata, annotations },
      });
    }
    const { told } = await client.watch(
      `${maps}?labelSelector=half=b&resourceVersion=${version}`,
      3,
    );
    return { types: told.map(({ type }) => type) };
  },

  "a watch of one object leaves others out": async (client) => {
    const { version } = await client.page(maps);
    for (const name of ["two", "three"])
      await client.ask("PUT", `${maps}/${name}`, map(name, { step: "w" }));
    const { told } = await client.watch(
      `${maps}?fieldSelector=metadata.name=three&resourceVersion=${version}`,
      1,
    );
    return { told };
  },

  "a watch from before all that is known has to list again": async (client) => {
    const { told } = await client.watch("/api/v1/nodes?resourceVersion=1", 1);
    return { code: told[0]?.code, reason: told[0]?.reason };
  },

  "what is deleted is gone": async (client) => {
    await client.ask("DELETE", `${maps}/two`);
    return client.ask("GET", `${maps}/two`);
  },

  "what is not there cannot be deleted": (client) => client.ask("DELETE", `${maps}/two`),

  "a kind that nobody has defined is not found": async (client) => {
    const { status } = await client.ask(
      "GET",
      "/apis/policy.networking.k8s.io/v1alpha1/adminnetworkpolicies",
    );
    return { status };
  },

  "nobody is let in by a token that is not known": async (client) => {
    const stranger = new ScriptClient({ ...client.access, token: "unknown" });
    return stranger.ask("GET", maps);
  },
};

function map(name: string, annotations: object = {}, metadata: object = {}): { metadata: object } {
  const object = { apiVersion: "v1", kind: "ConfigMap" };
  return { ...object, metadata: { name, annotations, ...metadata } };
}

function condition(is: string): object {
  const reason = `Is${is}`;
  return { type: "NetworkUnavailable", status: is, reason, message: "said by the script" };
}

function status(conditions: readonly object[]): object {
  return { status: { conditions } };
}

if (import.meta.main) {
  const access: ApiAccess = JSON.parse(await Bun.stdin.text());
  console.log(JSON.stringify(await askAll(access)));
  process.exit();
}
