import { expect, test } from "bun:test";
import { errorCode, errorText } from "../../lib/base/errors.ts";
import { formatIpv4, formatIpv4Cidr, parseIpv4Cidr } from "../../lib/base/ip.ts";
import type { OwnedRangesChange } from "../../lib/ipam/allocator.ts";
import { formatRange } from "../../lib/ipam/range.ts";
import { decodeState } from "../../lib/ipam/state-codec.ts";
import { MemoryStore } from "./memory-store.ts";
import { acquaint, connect, deliver, TestPeer } from "./test-peer.ts";

type Options = ConstructorParameters<typeof TestPeer>[0];

const universe = "10.2.0.0/16";
const container = { isContainer: true };

function alone(options: Partial<Options> = {}): TestPeer {
  return new TestPeer({ name: "::1", universe, init: "seed=::1", ...options });
}

async function allocate(peer: TestPeer, ident: string, isContainer = true): Promise<string> {
  const subnet = parseIpv4Cidr(universe);
  return formatIpv4((await peer.allocator.allocate(ident, subnet, { isContainer })).address);
}

function held(peer: TestPeer): Record<string, string[]> {
  const list = peer.allocator.list();
  return Object.fromEntries(list.map(({ ident, cidrs }) => [ident, cidrs.map(formatIpv4Cidr)]));
}

async function codeOf(request: Promise<unknown>): Promise<string> {
  return request.then(() => "", errorCode);
}

test("a container that is restarted within half a minute keeps its address", async () => {
  const peer = alone();
  await allocate(peer, "c1");
  peer.allocator.containerDied("c1");
  peer.pass(29);
  peer.allocator.containerStarted("c1");
  peer.pass(60);
  expect(held(peer)).toEqual({ c1: ["10.2.0.1/16"] });
});

test("a container that stays dead loses its address after half a minute", async () => {
  const peer = alone();
  await allocate(peer, "c1");
  peer.allocator.containerDied("c1");
  peer.pass(29);
  expect(held(peer)).toEqual({ c1: ["10.2.0.1/16"] });
  peer.pass(6);
  expect(held(peer)).toEqual({});
  expect(await allocate(peer, "c2")).toBe("10.2.0.1");
});

test("a container that is removed loses its address at once", async () => {
  const peer = alone();
  await allocate(peer, "c1");
  peer.allocator.containerDestroyed("c1");
  expect(held(peer)).toEqual({});
});

test("fifty containers that come and go fit into fourteen addresses, one after the other or in waves", async () => {
  const small = parseIpv4Cidr("10.2.1.0/28");
  const peer = alone();
  for (let n = 0; n < 50; n++) {
    await peer.allocator.allocate(`short${n}`, small, container);
    peer.allocator.containerDestroyed(`short${n}`);
  }
  // All at once: whoever waits is served as soon as another one is removed.
  const waiting = Array.from({ length: 50 }, (_, n) => `wave${n}`);
  const served: string[] = [];
  const requests = waiting.map(async (ident) => {
    await peer.allocator.allocate(ident, small, container);
    served.push(ident);
  });
  for (let second = 0; second < 90 && served.length < 50; second++) {
    for (let turn = 0; turn < 10; turn++) await Promise.resolve();
    for (const { ident } of peer.allocator.list()) peer.allocator.containerDestroyed(ident);
    peer.pass(1);
  }
  await Promise.all(requests);
  expect(served).toEqual(waiting);
});

test("only idents known as containers follow the fate of containers", async () => {
  const peer = alone();
  await allocate(peer, "weave:expose", false);
  await allocate(peer, "c1");
  peer.allocator.containerDied("weave:expose");
  peer.allocator.containerDestroyed("weave:expose");
  peer.pass(60);
  peer.allocator.prune(new Set());
  expect(Object.keys(held(peer))).toEqual(["weave:expose"]);
});

test("an ident becomes a container when a later request says so", async () => {
  const peer = alone();
  await allocate(peer, "c1", false);
  await allocate(peer, "c1", true);
  const again = alone({ store: peer.store });
  again.allocator.prune(new Set());
  expect(held(again)).toEqual({});
});

test("the requests of a container end when it dies", async () => {
  const peer = alone({ init: "consensus=3" });
  const wanted = allocate(peer, "c1");
  peer.allocator.containerDied("c1");
  expect(await codeOf(wanted)).toBe("IPAM_CANCELLED");
});

test("a container that is not running gets no address", async () => {
  const peer = alone({ containerAlive: (ident) => ident !== "dead" });
  expect(await codeOf(allocate(peer, "dead"))).toBe("IPAM_CANCELLED");
  expect(await allocate(peer, "alive")).toBe("10.2.0.1");
});

test("an address outside the universe passes from a dead container to a new one", async () => {
  const peer = alone();
  const cidr = parseIpv4Cidr("192.168.1.5/24");
  const options = { isContainer: true, noErrorOnUnknown: false };
  await peer.allocator.claim("c1", cidr, options);
  const early = peer.allocator.claim("c2", cidr, options);
  expect(await early.catch(errorText)).toBe("address 192.168.1.5/24 already in use by c1");
  peer.allocator.containerDied("c1");
  await peer.allocator.claim("c2", cidr, options);
  expect(held(peer)).toEqual({ c2: ["192.168.1.5/24"] });
});

test("a peer that starts again knows its ring and its addresses", async () => {
  const first = alone();
  await allocate(first, "c1");
  await allocate(first, "weave:expose", false);
  first.allocator.stop();
  const again = alone({ store: first.store, init: "seed=::9" });
  expect(held(again)).toEqual(held(first));
  expect(again.allocator.status().ranges).toEqual(first.allocator.status().ranges);
  expect(await allocate(again, "c2")).toBe("10.2.0.3");
  again.allocator.prune(new Set(["c2"]));
  expect(Object.keys(held(again))).toEqual(["weave:expose", "c2"]);
});

test("a peer that was killed outbids what others remember of its earlier life", async () => {
  const store = new MemoryStore();
  const peers = [
    alone({ store, init: "seed=::1,::2" }),
    alone({ name: "::2", init: "seed=::1,::2" }),
  ];
  acquaint(...peers);
  for (const ident of ["c1", "c2", "c3"]) await allocate(peers[0]!, ident);
  connect(peers[0]!, peers[1]!);
  // No stop: counts of free addresses never reached the store.
  const again = alone({ store, init: "consensus" });
  connect(again, peers[1]!);
  connect(again, peers[1]!);
  expect(peers[1]!.allocator.status().ranges).toEqual(
    again.allocator.status().ranges!.map((range) => ({ ...range, isKnownPeer: true })),
  );
});

test("addresses found in use are claimed when the ring is there, and stay with their containers", async () => {
  const preClaims = [
    { ident: "c1", isContainer: true, cidr: parseIpv4Cidr("10.2.0.1/16") },
    { ident: "weave:expose", isContainer: false, cidr: parseIpv4Cidr("192.168.9.1/24") },
  ];
  const peer = alone({ init: "consensus", preClaims });
  expect(held(peer)).toEqual({ "weave:expose": ["192.168.9.1/24"] });
  peer.pass(5);
  expect(held(peer).c1).toEqual(["10.2.0.1/16"]);
  peer.allocator.containerDestroyed("c1");
  expect(held(peer).c1).toBeUndefined();
});

test("an address found in use is not given to who asks first, before there is a ring", async () => {
  const preClaims = [
    { ident: "weave:expose", isContainer: false, cidr: parseIpv4Cidr("10.2.0.1/16") },
  ];
  const peer = alone({ init: "consensus", preClaims });
  await allocate(peer, "c1");
  expect(held(peer)).toEqual({ "weave:expose": ["10.2.0.1/16"], c1: ["10.2.0.2/16"] });
});

test("an address found in use that somebody else holds is reported in the log", async () => {
  const preClaims = [{ ident: "c9", isContainer: true, cidr: parseIpv4Cidr("10.2.200.1/16") }];
  const owner = alone({ name: "::2", init: "seed=::1,::2" });
  const options = { isContainer: false, noErrorOnUnknown: false };
  await owner.allocator.claim("d1", parseIpv4Cidr("10.2.200.1/16"), options);
  const peer = alone({ init: "seed=::1,::2", preClaims });
  connect(peer, owner);
  peer.takeSent();
  owner.takeSent();
  peer.pass(5);
  deliver([peer, owner]);
  expect(peer.world.lines.join("\n")).toContain(
    "claim of 10.2.200.1/16 for c9 failed: address 10.2.200.1/16 is owned by other peer",
  );
  expect(peer.allocator.status().pendingClaims).toEqual([]);
});

test("a range that grows keeps owners and addresses, and the last owner gets what was added", async () => {
  const store = new MemoryStore();
  const before = alone({ store, init: "seed=::1,::2" });
  await allocate(before, "c1");
  before.allocator.stop();
  const grown = alone({ store, universe: "10.2.0.0/15" });
  expect(held(grown)).toEqual({ c1: ["10.2.0.1/16"] });
  const { ranges } = grown.allocator.status();
  expect(ranges?.map(({ size }) => size)).toEqual([2 ** 15, 2 ** 16 + 2 ** 15]);
  expect(alone({ store, universe: "10.2.0.0/15" }).allocator.status().ranges).toEqual(ranges);
});

test("a range that moves ends the old ring, but no container loses its address", async () => {
  const store = new MemoryStore();
  const before = alone({ store });
  await allocate(before, "c1");
  before.allocator.stop();
  const moved = alone({ store, universe: "10.9.0.0/16", init: "consensus" });
  expect(moved.world.lines.join()).toContain(
    "Deleting persisted data for IPAM range 10.2.0.0/16; our range is 10.9.0.0/16",
  );
  expect(held(moved)).toEqual({ c1: ["10.2.0.1/16"] });
  const { address } = await moved.allocator.allocate("c2", parseIpv4Cidr("10.9.0.0/16"), container);
  expect(formatIpv4(address)).toBe("10.9.0.1");
  expect(held(alone({ store, universe: "10.9.0.0/16" }))).toEqual(held(moved));
});

test("a range that shrinks has the addresses that are still inside claimed anew", async () => {
  const store = new MemoryStore();
  const before = alone({ store });
  await allocate(before, "c1");
  before.allocator.stop();
  const shrunk = alone({ store, universe: "10.2.0.0/24", init: "consensus" });
  shrunk.pass(5);
  expect(held(shrunk)).toEqual({ c1: ["10.2.0.1/16"] });
  expect(shrunk.allocator.status().activeAddresses).toBe(1);
});

test("data of another peer is not ours", async () => {
  const before = alone();
  await allocate(before, "c1");
  before.allocator.stop();
  const other = alone({ name: "::2", store: before.store, init: "consensus" });
  expect(held(other)).toEqual({});
  expect(other.world.lines.join()).toContain(
    "Deleting persisted data for peername 00:00:00:00:00:01",
  );
});

test("a damaged ring is reported and left alone", async () => {
  const before = alone();
  await allocate(before, "c1");
  const state = before.store.load()!;
  const [entry] = state.ring!.entries;
  const damaged = { ...state.ring!, entries: [entry!, entry!] };
  const store = new MemoryStore({ ...state, ring: damaged });
  expect(() => alone({ store })).toThrow("the stored IP allocation data is damaged");
  expect(store.changes).toEqual([]);
});

test("an address that cannot be stored is not given out", async () => {
  const peer = alone();
  await allocate(peer, "c1");
  peer.takeSent();
  peer.store.isFull = true;
  expect(await codeOf(allocate(peer, "c2"))).toBe("IPAM_STORE_FAILED");
  expect(peer.allocator.status().storeError).toContain("no space left on device");
  expect(held(peer)).toEqual({ c1: ["10.2.0.1/16"] });
  peer.store.isFull = false;
  expect(await allocate(peer, "c3")).toBe("10.2.0.2");
  expect(peer.allocator.status().storeError).toBeUndefined();
});

test("a range that cannot be stored as given away is not given away", async () => {
  const peers = [alone({ init: "consensus" }), alone({ name: "::2", init: "consensus=3" })];
  await peers[0]!.allocator.prime();
  connect(peers[0]!, peers[1]!);
  for (const peer of peers) peer.takeSent();
  peers[0]!.store.isFull = true;
  await codeOf(allocate(peers[0]!, "c1"));
  const wanted = allocate(peers[1]!, "d1");
  deliver(peers);
  expect(peers[0]!.allocator.channel.full()).toBeUndefined();
  expect(peers[0]!.allocator.status().ringEntries).toBe(1);
  peers[0]!.store.isFull = false;
  for (const peer of peers) peer.pass(5);
  deliver(peers);
  expect(await wanted).toBe("10.2.128.0");
});

test("one action is one transaction", async () => {
  const peer = alone();
  await allocate(peer, "c1");
  await allocate(peer, "c2");
  const before = peer.store.changes.length;
  const cidr = parseIpv4Cidr("192.168.1.5/24");
  await peer.allocator.claim("c1", cidr, { isContainer: true, noErrorOnUnknown: false });
  peer.allocator.delete("c1");
  expect(peer.store.changes.slice(before).map(({ removed }) => removed.length)).toEqual([0, 2]);
});

test("trackers hear of ranges as they come and go", async () => {
  const changes: OwnedRangesChange[] = [];
  const peers = [alone({ init: "consensus" }), alone({ name: "::2", init: "consensus" })];
  peers[0]!.allocator.onOwnedRangesChanged = (change) => changes.push(change);
  await peers[0]!.allocator.prime();
  connect(peers[0]!, peers[1]!);
  for (const peer of peers) peer.takeSent();
  const wanted = allocate(peers[1]!, "d1");
  deliver(peers);
  await wanted;
  peers[0]!.known.clear();
  peers[0]!.allocator.takeover("::2", { force: false });
  const shown = changes.map(({ previous, current, isLocal }) => [
    previous.map(formatRange).join(),
    current.map(formatRange).join(),
    isLocal,
  ]);
  expect(shown).toEqual([
    ["", "10.2.0.0/16", true],
    ["10.2.0.0/16", "10.2.0.0/17", true],
    ["10.2.128.0/17", "", false],
    ["10.2.0.0/17", "10.2.0.0/16", true],
  ]);
});

test("a peer that stopped has no timers and refuses requests", async () => {
  const peer = alone();
  peer.allocator.stop();
  expect(peer.world.timers).toBe(0);
  expect(await codeOf(allocate(peer, "c1"))).toBe("IPAM_CANCELLED");
});

test("what others are told is stored before, so that no version means two things", async () => {
  const peer = alone();
  await allocate(peer, "a");
  const told = decodeState(peer.allocator.channel.full()!.encode()[0]!).ring!.entries;
  expect(told[0]!.version).toBeGreaterThan(0);
  expect(peer.store.load()!.ring!.entries).toEqual([...told]);
});

test("a claim that could not be stored leaves nothing behind", async () => {
  const peer = alone();
  peer.store.isFull = true;
  const claim = peer.allocator.claim("a", parseIpv4Cidr("10.2.0.1/16"), {
    isContainer: true,
    noErrorOnUnknown: false,
  });
  expect(await claim.catch(errorCode)).toBe("IPAM_STORE_FAILED");
  expect(peer.allocator.lookup("a")).toEqual([]);
  peer.store.isFull = false;
  expect(await allocate(peer, "b")).toBe("10.2.0.1");
});
