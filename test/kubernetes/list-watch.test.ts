import { describe, expect, test } from "bun:test";
import { randomBelow, seededRandom } from "../../lib/base/random.ts";
import { ApiClient } from "../../lib/kubernetes/api-client.ts";
import { Reflector } from "../../lib/kubernetes/list-watch.ts";
import { adminNetworkPolicies, pods } from "../../lib/kubernetes/resources.ts";
import { loneWorld } from "../sim/world.ts";
import { FakeApiServer } from "./fake-api-server.ts";
import { clusterPolicyDefinitions, FakeCluster, somePod } from "./fake-cluster.ts";
import { FollowedObjects } from "./followed-objects.ts";
import { failureOf, MemoryApi } from "./memory-api.ts";

/** Pods that are followed over HTTP; time passes only while nothing is on its way. */
class Followed implements AsyncDisposable {
  readonly server: FakeApiServer;
  readonly sim = loneWorld();
  readonly seen = new FollowedObjects();
  readonly reflector: Reflector<ReturnType<typeof pods.read>>;

  constructor(server = new FakeApiServer()) {
    this.server = server;
    this.reflector = new Reflector(this.sim.world, new ApiClient({ server: server.url }), pods);
    this.reflector.observe(this.seen);
  }

  get cluster(): FakeCluster {
    return this.server.cluster;
  }

  async until(holds: () => boolean): Promise<void> {
    await this.server.until(() => {
      const { phase } = this.reflector.status();
      if (phase === "resting" || phase === "absent") this.sim.clock.run(1000);
      return holds();
    });
  }

  /** Follows, and has been told everything of the start. */
  async watching(): Promise<string[]> {
    this.reflector.start();
    await this.until(() => this.server.watching("pods") === 1);
    return this.seen.take();
  }

  /** What is told until something is. */
  async told(last: string): Promise<string[]> {
    await this.until(() => this.seen.told.includes(last));
    return this.seen.take();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.reflector.stop();
    await this.server[Symbol.asyncDispose]();
  }
}

describe("who follows pods", () => {
  test("hears of all there are, and then of what happens to them", async () => {
    await using followed = new Followed();
    followed.cluster.apply(somePod("x", "a"));
    followed.cluster.apply(somePod("y", "a"));
    expect(await followed.watching()).toEqual(["added x/a", "added y/a", "all x/a,y/a"]);
    followed.cluster.apply(somePod("x", "a", { ip: "10.32.0.1" }));
    followed.cluster.delete("pods", "y/a");
    followed.cluster.apply(somePod("x", "b"));
    expect(await followed.told("added x/b")).toEqual([
      ...["modified x/a", "deleted y/a", "added x/b"],
    ]);
    expect(followed.reflector.get("x/a")?.status.podIP).toBe("10.32.0.1");
    expect(followed.reflector.status()).toEqual({
      ...{ resource: "pods", phase: "watching", synced: true, objects: 2 },
      ...{ sinceMs: followed.sim.world.now(), heardMs: followed.sim.world.now() },
      ...{ lists: 1, watches: 1, events: 3, staleEvents: 0, unreadable: 0 },
      lastError: undefined,
    });
  });

  test("hears that there are none", async () => {
    await using followed = new Followed();
    expect(await followed.watching()).toEqual(["all "]);
  });

  test("goes on where it was when a watch ends or breaks: nothing is lost or told twice", async () => {
    await using followed = new Followed();
    await followed.watching();
    for (const end of ["endWatches", "dropWatches"] as const) {
      followed.server[end]();
      followed.cluster.apply(somePod("x", end));
      expect(await followed.told(`added x/${end}`)).toEqual([`added x/${end}`]);
    }
    expect(followed.server.asked("list", "pods")).toBe(1);
  });

  test("lists again when what it knows is too old, and hears what was missed", async () => {
    await using followed = new Followed();
    for (const name of ["a", "b", "c"]) followed.cluster.apply(somePod("x", name));
    await followed.watching();
    followed.server.dropWatches();
    followed.cluster.delete("pods", "x/a");
    followed.cluster.apply(somePod("x", "b", { ip: "10.32.0.1" }));
    followed.cluster.apply(somePod("x", "d"));
    followed.cluster.delete("pods", "x/c");
    followed.cluster.apply(somePod("x", "c"));
    followed.cluster.compact();
    expect(await followed.told("all x/b,x/c,x/d")).toEqual([
      ...["modified x/b", "modified x/c", "added x/d", "deleted x/a", "all x/b,x/c,x/d"],
    ]);
    expect(followed.reflector.status().lastError).toBeUndefined();
  });

  test("lists again when the watch says that it is too old", async () => {
    await using followed = new Followed();
    followed.cluster.apply(somePod("x", "a"));
    await followed.watching();
    followed.server.gone();
    expect(await followed.told("all x/a")).toEqual(["all x/a"]);
  });

  test("does not list again after bookmarks, whatever else of the cluster is forgotten", async () => {
    await using followed = new Followed();
    await followed.watching();
    followed.cluster.apply({ kind: "Namespace", metadata: { name: "x" } });
    followed.server.bookmark();
    followed.cluster.compact();
    followed.cluster.apply(somePod("x", "a"));
    await followed.told("added x/a");
    followed.server.dropWatches();
    followed.cluster.apply(somePod("x", "b"));
    await followed.told("added x/b");
    expect(followed.server.asked("list", "pods")).toBe(1);
  });

  test("keeps what it knows while the server is away for a minute", async () => {
    await using followed = new Followed();
    followed.cluster.apply(somePod("x", "a"));
    await followed.watching();
    followed.server.goAway();
    const beganMs = followed.sim.clock.nowMs;
    await followed.until(() => followed.sim.clock.nowMs > beganMs + 60_000);
    expect(followed.reflector.all().length).toBe(1);
    const { synced, phase, lastError } = followed.reflector.status();
    expect({ synced, phase }).toEqual({ synced: true, phase: "resting" });
    expect(lastError).toMatchObject({ code: "K8S_UNREACHABLE" });
    followed.cluster.apply(somePod("x", "b"));
    followed.server.comeBack();
    expect(await followed.told("added x/b")).toEqual(["added x/b"]);
    expect(followed.reflector.status().lastError?.code).toBe("K8S_UNREACHABLE");
  });

  test("starts when the server does", async () => {
    await using followed = new Followed();
    followed.server.goAway();
    followed.reflector.start();
    await followed.until(() => followed.reflector.status().lastError !== undefined);
    expect(followed.reflector.status().synced).toBe(false);
    followed.server.comeBack();
    expect(await followed.told("all ")).toEqual(["all "]);
  });

  test("asks less and less often while it may not, and says what it may not", async () => {
    await using followed = new Followed();
    const allow = followed.server.forbid("list", "pods");
    followed.reflector.start();
    await followed.until(() => followed.server.asked("list", "pods") === 10);
    expect(followed.sim.clock.nowMs).toBeGreaterThan(60_000);
    expect(followed.reflector.status().lastError).toMatchObject({
      code: "K8S_FORBIDDEN",
      remedy: expect.stringContaining('verb "list" on resource "pods"'),
    });
    allow();
    await followed.told("all ");
  });

  test("takes a watch that is silent too long for dead: sooner where there were bookmarks", async () => {
    await using followed = new Followed();
    await followed.watching();
    for (const afterMs of [1000, 100_000]) {
      followed.sim.clock.run(afterMs);
      followed.server.bookmark();
      const heardMs = followed.sim.world.now();
      await followed.until(() => followed.reflector.status().heardMs === heardMs);
    }
    followed.server.stall();
    followed.cluster.apply(somePod("x", "a"));
    followed.sim.clock.run(149_000);
    expect(followed.reflector.status().phase).toBe("watching");
    followed.sim.clock.run(1000);
    await followed.until(() => followed.reflector.status().phase === "resting");
    expect(followed.reflector.status().lastError?.text).toBe(
      "the Kubernetes API has said nothing for 150 s",
    );
    followed.server.proceed();
    expect(await followed.told("added x/a")).toEqual(["added x/a"]);
  });

  test("without bookmarks waits for as long as the watch was asked for", async () => {
    await using followed = new Followed();
    await followed.watching();
    const seconds = Number(followed.server.requests.at(-1)!.query.get("timeoutSeconds"));
    followed.sim.clock.run(seconds * 1000 + 29_000);
    await followed.until(() => followed.reflector.status().phase === "watching");
    followed.sim.clock.run(1000);
    await followed.until(() => followed.reflector.status().phase !== "watching");
  });

  test("is not harmed by an object that nobody can read, nor by an observer that fails", async () => {
    await using followed = new Followed();
    followed.reflector.observe({
      changed: () => {
        throw new Error("no such table");
      },
    });
    followed.cluster.apply(somePod("x", "a"));
    await followed.watching();
    followed.cluster.apply({ ...somePod("x", "a"), spec: 7 });
    followed.cluster.apply(somePod("x", "b"));
    await followed.told("added x/b");
    followed.cluster.delete("pods", "x/a");
    await followed.told("deleted x/a");
    expect(followed.reflector.status().unreadable).toBe(1);
    expect(followed.sim.world.lines).toContain(
      "error a change of the cluster was not dealt with: no such table",
    );
  });

  test("ends when it is stopped, whatever it waits for", async () => {
    await using watching = new Followed();
    await watching.watching();
    await watching.reflector.stop();
    expect(watching.reflector.status().phase).toBe("stopped");
    await watching.server.until(() => watching.server.watching("pods") === 0);
    await using listing = new Followed();
    const letGo = listing.server.hold();
    listing.reflector.start();
    await listing.server.until(() => listing.server.asked("list", "pods") === 1);
    await listing.reflector.stop();
    letGo();
    expect(listing.seen.told).toEqual([]);
  });
});

describe("a server that says what cannot be", () => {
  test("is asked again: one that is behind others comes right", async () => {
    const { world, clock } = loneWorld();
    const cluster = new FakeCluster();
    cluster.apply(somePod("x", "a"));
    const api = new MemoryApi(cluster);
    const list = api.list.bind(api);
    let lies = 0;
    api.list = async (resource, page) =>
      lies-- > 0
        ? { resourceVersion: "7", items: [], unreadable: 0, continueToken: "" }
        : list(resource, page);
    const seen = new FollowedObjects();
    const reflector = new Reflector(world, api, pods);
    reflector.observe(seen);
    const until = async (holds: () => boolean) => {
      while (!holds()) {
        await new Promise((resolve) => setImmediate(resolve));
        if (reflector.status().phase === "resting") clock.run(1000);
      }
    };
    reflector.start();
    await until(() => api.watching === 1);
    lies = 2;
    api.endWatches("K8S_GONE");
    await until(() => seen.told.length === 3);
    expect(seen.take()).toEqual(["added x/a", "all x/a", "all x/a"]);
    expect(lies).toBe(-1);
    await reflector.stop();
  });

  test("is believed when it says so again and again: its data were put back from a backup", async () => {
    await using followed = new Followed();
    followed.cluster.apply(somePod("x", "a"));
    const backup = followed.cluster.revision;
    followed.cluster.apply(somePod("x", "b"));
    followed.cluster.apply(somePod("x", "a", { ip: "10.32.0.1" }));
    await followed.watching();
    followed.cluster.restore(backup);
    followed.server.bookmark();
    expect(await followed.told("all x/a")).toEqual(["modified x/a", "deleted x/b", "all x/a"]);
    expect(followed.reflector.get("x/a")?.status.podIP).toBe("");
    followed.cluster.apply(somePod("x", "c"));
    expect(await followed.told("added x/c")).toEqual(["added x/c"]);
  });

  test("that tells what is older than what it told is not believed", async () => {
    const { world, clock } = loneWorld();
    const api = new MemoryApi(new FakeCluster());
    const seen = new FollowedObjects();
    const reflector = new Reflector(world, api, pods);
    reflector.observe(seen);
    api.watch = async function* (resource) {
      const metadata = { name: "a", namespace: "x", resourceVersion: "5" };
      yield { type: "ADDED", object: resource.read({ ...somePod("x", "a"), metadata }) };
    };
    reflector.start();
    while (reflector.status().staleEvents < 3) {
      await new Promise((resolve) => setImmediate(resolve));
      clock.run(1000);
    }
    expect(seen.view.size).toBe(0);
    expect(reflector.status().lists).toBeGreaterThan(2);
    await reflector.stop();
  });
});

describe("a kind that a cluster may lack", () => {
  const [admin] = clusterPolicyDefinitions;
  const policy = (name: string) => ({
    kind: "AdminNetworkPolicy",
    metadata: { name },
    spec: { priority: 1 },
  });

  test("is looked for now and then, and is no trouble", async () => {
    await using server = new FakeApiServer();
    const { world, clock } = loneWorld();
    const reflector = new Reflector(
      world,
      new ApiClient({ server: server.url }),
      adminNetworkPolicies,
    );
    const seen = new FollowedObjects();
    reflector.observe(seen);
    reflector.start();
    await server.until(() => seen.isSynced);
    expect(reflector.status()).toMatchObject({
      ...{ resource: "adminnetworkpolicies.policy.networking.k8s.io" },
      ...{ phase: "absent", synced: true, lastError: undefined },
    });
    server.cluster.define(admin!);
    server.cluster.apply(policy("first"));
    await server.until(() => {
      clock.run(1000);
      return server.watching("adminnetworkpolicies") === 1;
    });
    expect(clock.nowMs).toBeGreaterThan(60_000);
    expect(seen.take()).toEqual(["all ", "added first", "all first"]);
    server.cluster.undefine("adminnetworkpolicies");
    server.endWatches();
    await server.until(() => {
      if (reflector.status().phase !== "watching") clock.run(1000);
      return reflector.status().phase === "absent";
    });
    expect(seen.take()).toEqual(["deleted first"]);
    await reflector.stop();
  });

  test("is not gone because a server that starts says so once", async () => {
    await using server = new FakeApiServer();
    server.cluster.define(admin!);
    server.cluster.apply(policy("first"));
    const { world, clock } = loneWorld();
    const reflector = new Reflector(
      world,
      new ApiClient({ server: server.url }),
      adminNetworkPolicies,
    );
    const seen = new FollowedObjects();
    reflector.observe(seen);
    reflector.start();
    await server.until(() => server.watching("adminnetworkpolicies") === 1);
    seen.take();
    const mend = server.refuse(() => true, 404);
    server.endWatches();
    await server.until(() => {
      clock.run(1000);
      return server.asked("list", "adminnetworkpolicies") === 2;
    });
    mend();
    await server.until(() => {
      clock.run(1000);
      return server.watching("adminnetworkpolicies") === 1;
    });
    expect(seen.take()).toEqual(["all first"]);
    await reflector.stop();
  });
});

describe("a kind that every cluster has", () => {
  test("is never taken for gone: who does not know it is no API server", async () => {
    await using server = new FakeApiServer();
    const { world, clock } = loneWorld();
    const seen = new FollowedObjects();
    const reflector = new Reflector(world, new ApiClient({ server: server.url }), pods);
    reflector.observe(seen);
    const comesRight = server.refuse(() => true, 404);
    const refusedOften = async (): Promise<void> => {
      const before = server.asked("list", "pods");
      await server.until(() => {
        clock.run(1000);
        return server.asked("list", "pods") >= before + 5;
      });
    };
    reflector.start();
    await refusedOften();
    expect(reflector.status()).toMatchObject({
      ...{ synced: false, lastError: { code: "K8S_NOT_FOUND" } },
    });
    comesRight();
    server.cluster.apply(somePod("x", "a"));
    await server.until(() => {
      clock.run(1000);
      return server.watching("pods") === 1;
    });
    expect(seen.take()).toEqual(["added x/a", "all x/a"]);
    server.refuse(() => true, 404);
    server.endWatches();
    await refusedOften();
    expect(seen.take()).toEqual([]);
    await reflector.stop();
  });
});

/** A cluster with faults, followed for a while; then all is well, and both views must be one. */
async function history(seed: number): Promise<void> {
  const random = seededRandom(seed);
  const { world, clock } = loneWorld(seed);
  const cluster = new FakeCluster();
  const api = new MemoryApi(cluster);
  const seen = new FollowedObjects();
  const reflector = new Reflector(world, api, pods);
  reflector.observe(seen);
  let failing = 0;
  const codes = [
    "K8S_UNREACHABLE",
    "K8S_BUSY",
    "K8S_GONE",
    "K8S_NOT_FOUND",
    "K8S_FORBIDDEN",
  ] as const;
  const turn = () => new Promise((resolve) => setImmediate(resolve));
  api.before = async () => {
    if (randomBelow(random, 3) === 0) await turn();
    if (failing > 0 && randomBelow(random, 2) === 0) {
      failing--;
      throw failureOf(codes[randomBelow(random, codes.length)]!);
    }
  };
  api.after = async () => {
    if (randomBelow(random, 3) === 0) await turn();
  };
  const change = (): void => {
    const name = "abcdefgh"[randomBelow(random, 8)]!;
    const isThere = cluster.get("pods", `x/${name}`) !== undefined;
    if (isThere && randomBelow(random, 2) === 0) cluster.delete("pods", `x/${name}`);
    else cluster.apply(somePod("x", name, { labels: { at: String(cluster.revision) } }));
  };
  const acts = [
    ...[change, change, change, change, change],
    () => cluster.compact(),
    () => cluster.skip(randomBelow(random, 5)),
    () => api.endWatches(),
    () => api.endWatches("K8S_UNREACHABLE"),
    () => api.endWatches("K8S_GONE"),
    () => api.bookmark(),
    () => {
      failing = randomBelow(random, 6);
    },
    () => clock.run(randomBelow(random, 3000)),
    () => clock.run(randomBelow(random, 3000)),
  ];
  reflector.start();
  for (let step = 0; step < 150; step++) {
    acts[randomBelow(random, acts.length)]!();
    if (randomBelow(random, 2) === 0) await turn();
  }
  failing = 0;
  const wanted = () =>
    cluster
      .list("pods")
      .items.map((pod) => `x/${pod.metadata.name}@${pod.metadata.resourceVersion}`)
      .join();
  const known = () =>
    [...seen.view]
      .map(([key, version]) => `${key}@${version}`)
      .sort()
      .join();
  for (let patience = 0; known() !== wanted() || !seen.isSynced; patience++) {
    if (patience > 500) throw new Error(`seed ${seed}: knows ${known()}, not ${wanted()}`);
    await turn();
    if (reflector.status().phase !== "watching") clock.run(1000);
  }
  await reflector.stop();
  expect(world.lines.filter((line) => line.startsWith("error"))).toEqual([]);
}

test("after any history of changes and faults what is known is what there is", async () => {
  for (let seed = 1; seed <= 100; seed++) await history(seed);
});
