import { describe, expect, test } from "bun:test";
import { PeerList } from "../../lib/kubernetes/peer-list.ts";
import { PeerListStore } from "../../lib/kubernetes/peer-list-store.ts";
import { register } from "../../lib/kubernetes/peer-registration.ts";
import { loneWorld } from "../sim/world.ts";
import { FakeCluster } from "./fake-cluster.ts";
import { failureOf, MemoryApi } from "./memory-api.ts";

const [one, two, three] = ["1", "2", "3"].map((digit) => ({
  peerName: `8a:00:00:00:00:0${digit}`,
  nodeName: `n${digit}`,
})) as [Peer, Peer, Peer];
type Peer = { peerName: string; nodeName: string };

const key = "kube-peers.weave.works/peers";
const lock = (digit: number) => `kube-peers.weave.works/8a_00_00_00_00_0${digit}`;

describe("the list of peers", () => {
  test("is the text that nodes of the original write and read", () => {
    const list = new PeerList({}).withPeer(one).withPeer(two);
    expect(list.annotations).toEqual({
      [key]:
        '{"Peers":[{"PeerName":"8a:00:00:00:00:01","NodeName":"n1"},{"PeerName":"8a:00:00:00:00:02","NodeName":"n2"}]}',
    });
    expect(new PeerList(list.annotations).peers).toEqual([one, two]);
    expect(new PeerList({ [key]: '{"Peers":null}' }).peers).toEqual([]);
    expect(list.withPeer(one)).toBe(list);
    expect(list.withPeer({ ...one, nodeName: "n9" }).peers).toEqual([
      two,
      { ...one, nodeName: "n9" },
    ]);
  });

  test("has a lock under the name of whom it is about, with the name of who has it", () => {
    const list = new PeerList({}).withPeer(one).withLock(one.peerName, two.peerName);
    expect(list.annotations[lock(1)]).toBe(two.peerName);
    expect(list.holderOf(one.peerName)).toBe(two.peerName);
    expect(list.withoutLock(one.peerName, three.peerName)).toBe(list);
    expect(list.withoutLock(one.peerName, two.peerName).holderOf(one.peerName)).toBeUndefined();
  });

  test("loses a peer together with its lock and all that it had, and nothing else", () => {
    const list = new PeerList({ "example.org/kept": one.peerName })
      .withPeer(one)
      .withPeer(two)
      .withPeer(three)
      .withLock(one.peerName, two.peerName)
      .withLock(two.peerName, one.peerName)
      .withLock(three.peerName, two.peerName);
    const { annotations, peers } = list.withoutPeer(one.peerName);
    expect(peers).toEqual([two, three]);
    expect(Object.keys(annotations).sort()).toEqual(["example.org/kept", lock(3), key].sort());
    expect(new PeerList({}).withoutPeer("8a:00:00:00:00:09").annotations).toEqual({});
  });

  test("that is none is an error, so that nobody writes over it", () => {
    for (const text of ["", "{", '{"Peers":7}', '{"Peers":[{"PeerName":1}]}']) {
      expect(() => new PeerList({ [key]: text })).toThrow("the list of the cluster's peers");
    }
  });
});

describe("the list on the API server", () => {
  const setUp = () => {
    const { world, clock } = loneWorld();
    const cluster = new FakeCluster();
    const api = new MemoryApi(cluster);
    const store = new PeerListStore(world, api);
    async function settled<T>(promise: Promise<T>): Promise<T> {
      let isDone = false;
      promise.then(
        () => (isDone = true),
        () => (isDone = true),
      );
      while (!isDone) {
        await new Promise((resolve) => setImmediate(resolve));
        clock.run(100);
      }
      return promise;
    }
    return { clock, cluster, api, store, settled };
  };
  const { signal } = new AbortController();

  test("is made by the first who writes, and keeps what others put beside it", async () => {
    const { cluster, store } = setUp();
    expect((await store.read()).peers).toEqual([]);
    await store.update((list) => list.withPeer(one), signal);
    const made = cluster.get("configmaps", "kube-system/weave-net")!;
    expect(made.metadata.annotations?.[key]).toContain(one.peerName);
    cluster.apply({ ...made, kind: "ConfigMap", data: { kept: "yes" }, immutable: false });
    await store.update((list) => list.withPeer(two), signal);
    expect(cluster.get("configmaps", "kube-system/weave-net")).toMatchObject({
      ...{ data: { kept: "yes" }, immutable: false },
    });
    expect((await store.read()).peers).toEqual([one, two]);
  });

  test("loses no change, however many write at once", async () => {
    const { store, settled, api } = setUp();
    api.after = () => new Promise((resolve) => setImmediate(resolve));
    const all = Array.from({ length: 40 }, (_, at) => ({ peerName: `p${at}`, nodeName: `n${at}` }));
    await settled(
      Promise.all(all.map((peer) => store.update((list) => list.withPeer(peer), signal))),
    );
    expect((await store.read()).peers.length).toBe(40);
    expect(store.conflicts).toBeGreaterThan(40);
  });

  test("is written once by who tries once: a conflict says that somebody was faster", async () => {
    const { store, api, cluster } = setUp();
    await store.update((list) => list.withPeer(one), signal);
    api.before = ({ verb }) => {
      const object = cluster.get("configmaps", "kube-system/weave-net")!;
      if (verb === "update")
        cluster.apply({ ...object, kind: "ConfigMap", data: { by: "others" } });
    };
    expect(await store.tryUpdate((list) => list.withPeer(two))).toBeUndefined();
    api.before = () => {
      throw failureOf("K8S_BUSY");
    };
    await expect(store.tryUpdate((list) => list.withPeer(two))).rejects.toHaveProperty(
      "code",
      "K8S_BUSY",
    );
  });

  test("loses the lock on a peer that comes into it, when nobody is left to give it back", async () => {
    const { store } = setUp();
    await store.update((list) => list.withPeer(one).withLock(two.peerName, three.peerName), signal);
    await register(store, two, signal);
    expect((await store.read()).holderOf(two.peerName)).toBeUndefined();
    await store.update((list) => list.withLock(three.peerName, one.peerName), signal);
    await register(store, three, signal);
    expect((await store.read()).holderOf(three.peerName)).toBe(one.peerName);
  });

  test("is not waited for any more when the router stops", async () => {
    const { store, api, settled } = setUp();
    const end = new AbortController();
    api.before = ({ verb }) => {
      if (verb === "create") throw failureOf("K8S_CONFLICT");
    };
    const update = store.update((list) => list.withPeer(one), end.signal);
    end.abort();
    await expect(settled(update)).rejects.toThrow();
  });
});
