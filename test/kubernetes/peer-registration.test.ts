import { expect, test } from "bun:test";
import { PeerListStore } from "../../lib/kubernetes/peer-list-store.ts";
import { mayGoOn, register } from "../../lib/kubernetes/peer-registration.ts";
import { loneWorld } from "../sim/world.ts";
import { FakeCluster } from "./fake-cluster.ts";
import { MemoryApi } from "./memory-api.ts";

const [us, other] = ["1", "2"].map((digit) => ({
  peerName: `8a:00:00:00:00:0${digit}`,
  nodeName: `n${digit}`,
})) as [{ peerName: string; nodeName: string }, { peerName: string; nodeName: string }];

const { signal } = new AbortController();

/** Both are in the list; answers come when time passes. */
async function setUp() {
  const { world, clock } = loneWorld();
  const list = new PeerListStore(world, new MemoryApi(new FakeCluster()));
  await register(list, us, signal);
  const { uid } = await register(list, other, signal);
  const ask = async (meanwhile: (second: number) => Promise<unknown>, listUid = uid) => {
    let answer: boolean | undefined;
    mayGoOn({ world, list }, { peerName: us.peerName, listUid }, signal).then((may) => {
      answer = may;
    });
    for (let second = 0; answer === undefined; second++) {
      await meanwhile(second);
      await new Promise((resolve) => setImmediate(resolve));
      clock.run(1000);
    }
    return { answer, tookMs: clock.nowMs };
  };
  return { list, ask };
}

const locked = (list: PeerListStore) =>
  list.update((now) => now.withLock(us.peerName, other.peerName), signal);

test("a peer that is in the list goes on, one that was struck from it does not", async () => {
  const { list, ask } = await setUp();
  expect((await ask(async () => undefined)).answer).toBe(true);
  await list.update((now) => now.withoutPeer(us.peerName), signal);
  expect((await ask(async () => undefined)).answer).toBe(false);
});

test("a peer that was in another list goes on: nobody was struck from one that is gone", async () => {
  const { list, ask } = await setUp();
  await list.update((now) => now.withoutPeer(us.peerName), signal);
  expect((await ask(async () => undefined, "uid-of-another")).answer).toBe(true);
});

test("a peer waits while somebody is about to take what it has, and then goes on, or does not", async () => {
  for (const isTaken of [true, false]) {
    const { list, ask } = await setUp();
    await locked(list);
    const { answer, tookMs } = await ask(async (second) => {
      if (second !== 7) return;
      await list.update(
        (now) =>
          isTaken ? now.withoutPeer(us.peerName) : now.withoutLock(us.peerName, other.peerName),
        signal,
      );
    });
    expect(answer).toBe(!isTaken);
    expect(tookMs).toBeGreaterThanOrEqual(7000);
  }
});

test("a peer goes on when who had a lock on it was struck itself", async () => {
  const { list, ask } = await setUp();
  await locked(list);
  await list.update((now) => now.withPeer(us).withoutPeer(other.peerName), signal);
  await list.update((now) => now.withLock(us.peerName, other.peerName), signal);
  expect((await ask(async () => undefined)).answer).toBe(true);
});

test("a peer does not wait for ever: after a minute it begins anew", async () => {
  const { list, ask } = await setUp();
  await locked(list);
  const { answer, tookMs } = await ask(async () => undefined);
  expect(answer).toBe(false);
  expect(tookMs).toBeGreaterThanOrEqual(60_000);
});
