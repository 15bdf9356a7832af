import { expect, test } from "bun:test";
import { errorText, WeaveError } from "../../lib/base/errors.ts";
import { formatIpv4, parseIpv4Cidr } from "../../lib/base/ip.ts";
import { noPeer, parsePeerName } from "../../lib/base/peer-name.ts";
import { MemoryStore } from "./memory-store.ts";
import { acquaint, connect, deliver, TestPeer } from "./test-peer.ts";

type Options = ConstructorParameters<typeof TestPeer>[0];

const universe = "10.2.0.0/16";
const subnet = parseIpv4Cidr(universe);

function peerOf(name: string, options: Partial<Options> = {}): TestPeer {
  return new TestPeer({ name, universe, init: "seed=::1,::2", ...options });
}

async function allocate(peer: TestPeer, ident: string): Promise<string> {
  const { address } = await peer.allocator.allocate(ident, subnet, { isContainer: true });
  return formatIpv4(address);
}

/** Connected peers that have told each other everything. */
function cluster(...peers: TestPeer[]): TestPeer[] {
  for (const a of peers) for (const b of peers) if (a !== b) connect(a, b);
  for (const peer of peers) peer.takeSent();
  return peers;
}

function owners(peer: TestPeer): number[] {
  return peer.allocator.status().ranges?.map((range) => range.peer) ?? [];
}

test("peers with the same seeds allocate apart and agree when they meet", async () => {
  const peers = [peerOf("::1"), peerOf("::2")];
  expect(await allocate(peers[0]!, "c1")).toBe("10.2.0.1");
  expect(await allocate(peers[1]!, "d1")).toBe("10.2.128.0");
  cluster(...peers);
  expect(owners(peers[0]!)).toEqual(owners(peers[1]!));
});

test("a new peer without a ring is told one when it says that it has none", async () => {
  const [old, fresh] = [peerOf("::1"), peerOf("::3", { init: "consensus=3" })];
  acquaint(old, fresh);
  old.takeSent();
  const wanted = allocate(fresh, "c1");
  deliver([fresh, old]);
  expect(await wanted).toBe("10.2.64.0");
});

test("clusters that were seeded apart refuse each other, keep working and say what to do", async () => {
  const [ours, theirs] = [peerOf("::1"), peerOf("::3", { init: "seed=::3" })];
  expect(() => connect(theirs, ours)).toThrow("IP allocation was seeded by different peers");
  const [conflict] = ours.allocator.status().conflicts;
  expect(conflict).toMatchObject({ peer: theirs.name, code: "IPAM_RING_SEEDS" });
  expect(conflict?.remedy).toContain("weave reset");
  expect(await allocate(ours, "c1")).toBe("10.2.0.1");
});

test("a conflict is over when its peer is gone", () => {
  const [ours, theirs] = [peerOf("::1"), peerOf("::3", { init: "seed=::3" })];
  expect(() => connect(theirs, ours)).toThrow();
  ours.allocator.peerGone(theirs.name);
  expect(ours.allocator.status().conflicts).toEqual([]);
});

test("a conflict is over when the rings agree again", () => {
  const ours = peerOf("::1");
  const wrong = peerOf("::2", { init: "seed=::2" });
  expect(() => connect(wrong, ours)).toThrow();
  cluster(ours, peerOf("::2"));
  expect(ours.allocator.status().conflicts).toEqual([]);
});

test("a repeated conflict is logged once", () => {
  const ours = peerOf("::1");
  const wrong = peerOf("::2", { init: "seed=::2" });
  for (let n = 0; n < 5; n++) expect(() => connect(wrong, ours)).toThrow();
  expect(ours.world.lines.filter((line) => line.startsWith("error"))).toHaveLength(1);
});

test("peers with different ranges refuse each other", () => {
  const other = peerOf("::2", { universe: "10.3.0.0/16" });
  expect(() => connect(other, peerOf("::1"))).toThrow(
    "Incompatible IP allocation ranges (received: 10.3.0.0/16, ours: 10.2.0.0/16)",
  );
});

test("a peer that leaves for good hands everything to an owner that is known", async () => {
  const peers = cluster(peerOf("::1"), peerOf("::2"));
  await allocate(peers[0]!, "c1");
  const waiting = peers[0]!.allocator.claim("c2", parseIpv4Cidr("10.2.200.1/16"), {
    isContainer: true,
    noErrorOnUnknown: false,
  });
  const versions = peers[0]!.allocator.status().ranges!.map(({ version }) => version);
  peers[0]!.allocator.shutdown();
  expect(await waiting.catch(errorText)).toBe("cancelled");
  expect(await allocate(peers[0]!, "c3").catch(errorText)).toBe("cancelled");
  peers[0]!.sent = peers[0]!.sent.filter(({ kind }) => kind === "broadcast");
  deliver(peers);
  expect(owners(peers[1]!)).toEqual([2, 2]);
  const after = peers[1]!.allocator.status().ranges![0]!.version;
  expect(after).toBeGreaterThanOrEqual(versions[0]! + 100);
});

test("the last peer that leaves keeps its ranges: there is nobody to have them", async () => {
  const peer = peerOf("::1", { init: "seed=::1" });
  await allocate(peer, "c1");
  peer.takeSent();
  peer.allocator.shutdown();
  expect(owners(peer)).toEqual([1]);
  expect(owners(peer)).not.toContain(noPeer);
  expect(peer.takeSent()).toEqual([]);
});

test("the ranges of a dead peer are taken over, all of them, and serve those who wait", async () => {
  const peers = cluster(peerOf("::1"), peerOf("::2"), peerOf("::3", { init: "consensus=3" }));
  const [, second, third] = [peers[0]!, peers[1]!, peers[2]!];
  second.known.delete(parsePeerName("::1"));
  third.known.delete(parsePeerName("::1"));
  const wanted = allocate(third, "c1");
  third.takeSent();
  expect(third.allocator.takeover("host1", { force: false })).toBe(2 ** 15);
  expect(await wanted).toBe("10.2.0.1");
  deliver([third, second]);
  expect(owners(second)).toEqual([3, 2]);
});

test("there is nothing to take over from strangers, from ourselves, and from peers without ranges", () => {
  const peers = cluster(peerOf("::1"), peerOf("::2"), peerOf("::3", { init: "consensus=3" }));
  const takeover = (text: string): number => peers[0]!.allocator.takeover(text, { force: true });
  expect(takeover("::9")).toBe(0);
  expect(takeover("no such peer")).toBe(0);
  expect(takeover("::1")).toBe(0);
  expect(takeover("host1")).toBe(0);
  expect(takeover("::3")).toBe(0);
});

test("a peer that is alive is not robbed unless that is asked for twice", () => {
  const peers = cluster(peerOf("::1"), peerOf("::2"));
  const { allocator } = peers[0]!;
  expect(() => allocator.takeover("::2", { force: false })).toThrow("still part of the network");
  expect(owners(peers[0]!)).toEqual([1, 2]);
  expect(allocator.takeover("::2", { force: true })).toBe(2 ** 15);
});

test("a nickname of several peers is refused with their names", () => {
  const peers = cluster(
    peerOf("::1"),
    peerOf("::2", { nickname: "twin" }),
    peerOf("::3", { nickname: "twin", init: "consensus=3" }),
  );
  expect(() => peers[0]!.allocator.takeover("twin", { force: true })).toThrow(
    "several peers are called twin: 00:00:00:00:00:02, 00:00:00:00:00:03",
  );
});

test("a peer that was removed while it was away gives up what it has not used", async () => {
  const store = new MemoryStore();
  const peers = cluster(peerOf("::1", { store }), peerOf("::2"));
  peers[1]!.known.clear();
  peers[1]!.allocator.takeover("::1", { force: false });
  const back = peerOf("::1", { store });
  connect(peers[1]!, back);
  expect(owners(back)).toEqual([2, 2]);
  const { activeAddresses, heldOutside } = back.allocator.status();
  expect([activeAddresses, heldOutside]).toEqual([0, 0]);
  acquaint(back, peers[1]!);
  for (const peer of [back, peers[1]!]) peer.takeSent();
  const wanted = allocate(back, "c1");
  deliver([back, peers[1]!]);
  expect(await wanted).toMatch(/^10\.2\./);
});

test("a peer that was removed while its containers ran refuses, and still hears the rest", async () => {
  const store = new MemoryStore();
  const first = peerOf("::1", { store, init: "seed=::1,::2,::3" });
  const others = ["::2", "::3"].map((name) => peerOf(name, { init: "seed=::1,::2,::3" }));
  const peers = cluster(first, ...others);
  await allocate(first, "c1");
  peers[1]!.known.delete(first.name);
  peers[1]!.allocator.takeover("::1", { force: false });
  await allocate(peers[1]!, "d1");
  peers[1]!.takeSent();
  const before = first.allocator.status().ranges!.find(({ peer }) => peer === peers[1]!.name);
  expect(() => connect(peers[1]!, first)).toThrow("Received update for IP range I own at 10.2.0.0");
  const { ranges, conflicts, activeAddresses } = first.allocator.status();
  expect(ranges?.[0]?.peer).toBe(first.name);
  expect(activeAddresses).toBe(1);
  expect(conflicts[0]).toMatchObject({ code: "IPAM_RING_CONFLICT", peer: peers[1]!.name });
  expect(before?.peer).toBe(peers[1]!.name);
  expect(await allocate(first, "c2")).toBe("10.2.0.2");
});

test("the nickname of a peer that left is forgotten unless it owns something", () => {
  const peers = cluster(peerOf("::1"), peerOf("::2"), peerOf("::3", { init: "consensus=3" }));
  const { allocator } = peers[0]!;
  allocator.peerGone(parsePeerName("::2"));
  allocator.peerGone(parsePeerName("::3"));
  expect(allocator.status().ranges?.map(({ nickname }) => nickname)).toEqual(["host1", "host2"]);
  expect(allocator.takeover("host3", { force: true })).toBe(0);
});

test("no message of ours is of a kind that older peers do not know", async () => {
  const peers = cluster(peerOf("::1"), peerOf("::2"));
  const tags = new Set<number>();
  for (let n = 0; n < 40; n++) {
    const peer = peers[n % 2]!;
    void peer.allocator.allocate(`c${n}`, parseIpv4Cidr("10.2.127.0/28"), { isContainer: false });
    const claim = parseIpv4Cidr(`10.2.200.${n}/24`);
    peer.allocator
      .claim(`d${n}`, claim, { isContainer: false, noErrorOnUnknown: false })
      .catch(() => {});
    for (const { sent } of peers) {
      for (const message of sent) {
        if (message.kind === "unicast") tags.add(message.payload[0]!);
      }
    }
    deliver(peers);
  }
  expect([...tags].every((tag) => tag <= 2)).toBe(true);
  expect(tags.size).toBeGreaterThan(0);
});

test("every refusal says what to do next", () => {
  const ours = peerOf("::1");
  for (const wrong of [
    peerOf("::2", { init: "seed=::2" }),
    peerOf("::2", { universe: "10.3.0.0/16" }),
  ]) {
    try {
      connect(wrong, ours);
    } catch (error) {
      expect(error).toBeInstanceOf(WeaveError);
      expect((error as WeaveError).remedy).toBeDefined();
    }
  }
  expect(ours.allocator.status().conflicts[0]?.remedy).toBeDefined();
});
