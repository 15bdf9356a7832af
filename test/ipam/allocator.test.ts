import { expect, test } from "bun:test";
import { errorCode, errorText } from "../../lib/base/errors.ts";
import { formatIpv4Cidr, type Ipv4Cidr, parseIpv4, parseIpv4Cidr } from "../../lib/base/ip.ts";
import { connect, deliver, TestPeer } from "./test-peer.ts";

const container = { isContainer: true };
const other = { isContainer: false };

function alone(options: Partial<ConstructorParameters<typeof TestPeer>[0]> = {}): TestPeer {
  return new TestPeer({ name: "::1", universe: "10.2.0.0/16", init: "seed=::1", ...options });
}

async function allocate(peer: TestPeer, ident: string, subnet = "10.2.0.0/16"): Promise<string> {
  const cidr = await peer.allocator.allocate(ident, parseIpv4Cidr(subnet), container);
  return formatIpv4Cidr(cidr);
}

function claim(
  peer: TestPeer,
  ident: string,
  cidr: string,
  noErrorOnUnknown = false,
): Promise<void> {
  return peer.allocator.claim(ident, parseIpv4Cidr(cidr), { ...other, noErrorOnUnknown });
}

function lookup(peer: TestPeer, ident: string, subnet?: string): string[] {
  const held = peer.allocator.lookup(
    ident,
    subnet === undefined ? undefined : parseIpv4Cidr(subnet),
  );
  return held.map(formatIpv4Cidr);
}

/** The error that a request ends with. */
async function failure(request: Promise<unknown>): Promise<{ code: string; text: string }> {
  try {
    await request;
  } catch (error) {
    return { code: errorCode(error), text: errorText(error) };
  }
  throw new Error("the request succeeded");
}

/** `waiting`, or how the request ended. */
async function stateOf(request: Promise<unknown>): Promise<string> {
  const turns = (async () => {
    for (let turn = 0; turn < 10; turn++) await Promise.resolve();
    return "waiting";
  })();
  return Promise.race([request.then(() => "done", errorCode), turns]);
}

test("containers get the lowest addresses, keep them, and give them back", async () => {
  const peer = alone();
  expect(await allocate(peer, "c1")).toBe("10.2.0.1/16");
  expect(await allocate(peer, "c2")).toBe("10.2.0.2/16");
  expect(await allocate(peer, "c1")).toBe("10.2.0.1/16");
  expect(lookup(peer, "c1")).toEqual(["10.2.0.1/16"]);
  peer.allocator.delete("c1");
  expect(await allocate(peer, "c3")).toBe("10.2.0.1/16");
});

test("one ident holds addresses in several subnets, found by each and by the universe", async () => {
  const peer = alone();
  await allocate(peer, "c1", "10.2.7.0/24");
  await allocate(peer, "c1", "10.2.3.0/24");
  expect(lookup(peer, "c1", "10.2.3.0/24")).toEqual(["10.2.3.1/24"]);
  expect(lookup(peer, "c1", "10.2.7.0/24")).toEqual(["10.2.7.1/24"]);
  expect(lookup(peer, "c1", "10.2.0.0/16")).toEqual(["10.2.7.1/24", "10.2.3.1/24"]);
});

test("the first peer of a cluster is primed at once", async () => {
  const peer = alone({ init: "consensus" });
  await peer.allocator.prime();
  expect(peer.allocator.status().ranges).toHaveLength(1);
});

test("a request waits for the quorum and is served when the votes are there", async () => {
  const [first, second] = ["::1", "::2"].map((name) => alone({ name, init: "consensus=2" }));
  const wanted = allocate(first!, "c1");
  expect(await stateOf(wanted)).toBe("waiting");
  first!.takeSent();
  connect(first!, second!);
  first!.pass(5);
  deliver([first!, second!]);
  expect(await wanted).toBe("10.2.0.1/16");
  expect(await allocate(second!, "d1")).toBe("10.2.128.0/16");
});

test("an observer makes others elect and then asks for space", async () => {
  const peers = ["::1", "::2"].map((name) => alone({ name, init: "consensus=2" }));
  const observer = alone({ name: "::3", init: "observer" });
  const all = [...peers, observer];
  for (const a of all) for (const b of all) if (a !== b) connect(a, b);
  deliver(all);
  for (const { allocator } of all) expect(allocator.status().ranges).toBeUndefined();
  const wanted = allocate(observer, "c1");
  deliver(all);
  // Both electors called the election, so the first round may not have been the last.
  for (let tick = 0; tick < 2; tick++) {
    for (const peer of all) peer.pass(5);
    deliver(all);
  }
  expect(await stateOf(wanted)).toBe("done");
  expect(observer.allocator.status().ranges?.length).toBeGreaterThan(2);
});

test("the quorum counts the targets at the moment when the election starts", () => {
  const peer = alone({ init: "consensus", targets: 4 });
  void peer.allocator.prime();
  expect(peer.allocator.status().election).toEqual({ isElector: true, knownNodes: 1, quorum: 3 });
});

test("a client that goes away is noticed at once, and nothing is left behind", async () => {
  const peer = alone({ init: "consensus=3" });
  const client = new AbortController();
  const options = { ...container, signal: client.signal };
  const requests = [
    peer.allocator.allocate("c1", parseIpv4Cidr("10.2.0.0/16"), options),
    peer.allocator.claim("c2", parseIpv4Cidr("10.2.0.9/16"), {
      ...options,
      noErrorOnUnknown: false,
    }),
    peer.allocator.prime(client.signal),
  ];
  client.abort();
  for (const request of requests) expect((await failure(request)).code).toBe("IPAM_CANCELLED");
  const { pendingAllocations, pendingClaims, pendingPrimes } = peer.allocator.status();
  expect([pendingAllocations, pendingClaims, pendingPrimes]).toEqual([[], [], 0]);
});

test("a client that is gone before it asks gets nothing", async () => {
  const peer = alone();
  const options = { ...container, signal: AbortSignal.abort() };
  const wanted = peer.allocator.allocate("c1", parseIpv4Cidr("10.2.0.0/16"), options);
  expect((await failure(wanted)).code).toBe("IPAM_CANCELLED");
  expect(peer.allocator.list()).toEqual([]);
});

test("a client that goes away after its answer changes nothing", async () => {
  const peer = alone();
  const client = new AbortController();
  const options = { ...container, signal: client.signal };
  await peer.allocator.allocate("c1", parseIpv4Cidr("10.2.0.0/16"), options);
  client.abort();
  expect(lookup(peer, "c1")).toEqual(["10.2.0.1/16"]);
});

test("a claim outside the universe needs no ring, one inside waits for it", async () => {
  const peer = alone({ init: "consensus=3" });
  await claim(peer, "c1", "192.168.1.5/24");
  expect(await stateOf(claim(peer, "c1", "10.2.0.5/16"))).toBe("waiting");
  await claim(peer, "c2", "10.2.0.6/16", true);
  expect(peer.allocator.status().pendingClaims).toHaveLength(2);
});

test("a claim that waits for a ring gets its address when the other peer is there", async () => {
  const [early, late] = ["::1", "::2"].map((name) => alone({ name, init: "consensus=2" }));
  const wanted = claim(early!, "c1", "10.2.200.5/16");
  for (let tick = 0; tick < 10; tick++) early!.pass(5);
  expect(await stateOf(wanted)).toBe("waiting");
  early!.takeSent();
  connect(early!, late!);
  // The first question for the address overtakes the ring, and is asked again with the next tick.
  for (let tick = 0; tick < 2; tick++) {
    early!.pass(5);
    deliver([early!, late!]);
  }
  expect(await stateOf(wanted)).toBe("done");
  expect(lookup(early!, "c1")).toEqual(["10.2.200.5/16"]);
  expect(await allocate(late!, "d1", "10.2.200.4/30")).toBe("10.2.200.6/30");
});

test("a claim whose owner cannot be reached is given up after five tries", async () => {
  const peer = alone({ init: "seed=::1,::2" });
  const wanted = claim(peer, "c1", "10.2.200.1/16");
  for (let tick = 0; tick < 3; tick++) peer.pass(5);
  expect(await stateOf(wanted)).toBe("waiting");
  peer.pass(5);
  expect((await failure(wanted)).text).toBe(
    "address 10.2.200.1/16 is owned by other peer 00:00:00:00:00:02 () - there is no route to it",
  );
});

test("a claim that must not fail is answered and tried until the owner gives the address", async () => {
  const peers = ["::1", "::2"].map((name) => alone({ name, init: "seed=::1,::2" }));
  await claim(peers[0]!, "c1", "10.2.200.1/16", true);
  connect(peers[0]!, peers[1]!);
  peers[0]!.pass(5);
  for (const peer of peers) peer.sent = peer.sent.filter(({ kind }) => kind === "unicast");
  deliver(peers);
  expect(lookup(peers[0]!, "c1")).toEqual(["10.2.200.1/16"]);
  expect(await allocate(peers[1]!, "d1", "10.2.200.0/30")).not.toBe("10.2.200.1/30");
});

test("an address that another peer uses is refused with its name and nickname", async () => {
  const peers = ["::1", "::2"].map((name) => alone({ name, init: "seed=::1,::2" }));
  connect(peers[0]!, peers[1]!);
  for (const peer of peers) peer.takeSent();
  await claim(peers[1]!, "d1", "10.2.200.1/16");
  const wanted = claim(peers[0]!, "c1", "10.2.200.1/16");
  deliver(peers);
  expect((await failure(wanted)).text).toBe(
    "address 10.2.200.1/16 is owned by other peer 00:00:00:00:00:02 (host2)",
  );
});

test("a subnet that is exhausted is served as soon as an address is freed", async () => {
  const peer = alone();
  for (const ident of ["c1", "c2"]) await allocate(peer, ident, "10.2.0.0/30");
  const wanted = allocate(peer, "c3", "10.2.0.0/30");
  expect(await stateOf(wanted)).toBe("waiting");
  peer.allocator.free("c1", parseIpv4("10.2.0.1"));
  expect(await wanted).toBe("10.2.0.1/30");
});

test("after a denial the next donor is asked", async () => {
  const peers = ["::1", "::2", "::3"].map((name) =>
    alone({ name, universe: "10.2.0.0/24", init: "seed=::1,::2,::3" }),
  );
  const [first, second, third] = [peers[0]!, peers[1]!, peers[2]!];
  for (const [a, b] of [
    [first, second],
    [first, third],
    [second, third],
  ] as const)
    connect(a, b);
  for (const peer of peers) peer.takeSent();
  // The donors have used up what they have, but the first has not heard of it.
  for (let n = 0; n < 64; n++) await allocate(second, `b${n}`, "10.2.0.0/24");
  for (let n = 0; n < 62; n++) await allocate(third, `c${n}`, "10.2.0.0/24");
  for (let n = 0; n < 127; n++) await allocate(first, `a${n}`, "10.2.0.0/24");
  const wanted = allocate(first, "last", "10.2.0.0/24");
  deliver(peers);
  expect(await wanted).toBe("10.2.0.254/24");
});

test("a donor that denied is not asked again at once, but when it has more to give", async () => {
  const peers = ["::1", "::2"].map((name) =>
    alone({ name, universe: "10.2.0.0/28", init: "seed=::1,::2" }),
  );
  const [first, second] = [peers[0]!, peers[1]!];
  connect(first, second);
  for (let n = 0; n < 7; n++) await allocate(second, `b${n}`, "10.2.0.0/28");
  for (let n = 0; n < 7; n++) await allocate(first, `a${n}`, "10.2.0.0/28");
  for (const peer of peers) peer.takeSent();
  const wanted = allocate(first, "last", "10.2.0.0/28");
  deliver(peers);
  // The edge of the subnet is free there, so the ring alone would have us ask at every tick.
  let questions = 0;
  for (let tick = 0; tick < 12; tick++) {
    first.pass(5);
    questions += first.sent.length;
    deliver(peers);
  }
  expect(questions).toBeGreaterThan(0);
  expect(questions).toBeLessThan(12);
  second.allocator.delete("b3");
  connect(first, second);
  deliver(peers);
  expect(await stateOf(wanted)).toBe("done");
});

test("many requests for one subnet ask one question", () => {
  const peers = ["::1", "::2"].map((name) => alone({ name, init: "seed=::1,::2" }));
  connect(peers[0]!, peers[1]!);
  peers[0]!.takeSent();
  for (let n = 0; n < 50; n++) void allocate(peers[0]!, `c${n}`, "10.2.200.0/24");
  expect(peers[0]!.takeSent()).toHaveLength(1);
});

test("an untouched universe is halved by the second peer that asks", async () => {
  const peers = ["::1", "::2", "::3"].map((name) =>
    alone({ name, universe: "10.32.0.0/12", init: "consensus=1" }),
  );
  await peers[0]!.allocator.prime();
  connect(peers[0]!, peers[1]!);
  connect(peers[0]!, peers[2]!);
  connect(peers[1]!, peers[2]!);
  for (const peer of peers) peer.takeSent();
  const wanted = allocate(peers[1]!, "c1", "10.32.0.0/12");
  deliver(peers);
  expect(await wanted).toBe("10.40.0.0/12");
  const halves = peers[0]!.allocator.status().ranges!.map(({ size, peer }) => [size, Number(peer)]);
  expect(halves).toEqual([
    [2 ** 19, 1],
    [2 ** 19, 2],
  ]);
  const third = allocate(peers[2]!, "d1", "10.32.0.0/12");
  deliver(peers);
  await third;
  expect(peers[0]!.allocator.status().ringEntries).toBeLessThan(6);
});

test("with addresses at rest, a freed one is not the next given out", async () => {
  const peer = alone({ reuse: "rested" });
  await allocate(peer, "c1");
  await allocate(peer, "c2");
  peer.allocator.delete("c1");
  expect(await allocate(peer, "c3")).toBe("10.2.0.3/16");
  peer.pass(65);
  expect(await allocate(peer, "c4")).toBe("10.2.0.1/16");
});

test("with addresses at rest, the one that has rested longest is given out when there is no other", async () => {
  const peer = alone({ reuse: "rested" });
  for (const ident of ["c1", "c2"]) await allocate(peer, ident, "10.2.0.0/30");
  peer.allocator.delete("c2");
  peer.allocator.delete("c1");
  expect(await allocate(peer, "c3", "10.2.0.0/30")).toBe("10.2.0.2/30");
});

test("more requests than can wait are turned away", async () => {
  const peer = alone({ init: "consensus=3" });
  const requests = Array.from({ length: 16_385 }, (_, n) => allocate(peer, `c${n}`));
  expect((await failure(requests.at(-1)!)).code).toBe("IPAM_BUSY");
  for (const request of requests) request.catch(() => {});
  peer.allocator.stop();
});

test("messages that mean nothing are logged and ignored", () => {
  const peer = alone();
  peer.allocator.channel.onUnicast(peer.name, new Uint8Array());
  peer.allocator.channel.onUnicast(peer.name, new Uint8Array([7, 1, 2]));
  const warnings = peer.world.lines.filter((line) => line.startsWith("warn"));
  expect(warnings).toHaveLength(2);
  expect(peer.takeSent().filter(({ kind }) => kind === "unicast")).toEqual([]);
});

test("an address range that cannot be written in 32 bits is refused at start", () => {
  expect(() => alone({ universe: "0.0.0.0/0" })).toThrow("invalid IPAM range");
  expect(() => alone({ universe: "240.0.0.0/4" })).toThrow("invalid IPAM range");
  expect(() => alone({ universe: "10.2.0.0/31" })).toThrow("invalid IPAM range");
});

test("the ten thousandth allocation stores what the first does: one address", async () => {
  const peer = alone({ universe: "10.32.0.0/12" });
  await allocate(peer, "c0", "10.32.0.0/12");
  const before = peer.store.changes.length;
  for (let n = 1; n < 10_000; n++) await allocate(peer, `c${n}`, "10.32.0.0/12");
  const changes = peer.store.changes.slice(before);
  expect(changes).toHaveLength(9999);
  const sizes = changes.map(({ added, removed }) => [added.length, removed.length].join());
  expect(new Set(sizes)).toEqual(new Set(["1,0"]));
  expect(changes.filter(({ ring }) => ring !== undefined).length).toBeLessThan(3);
});

test("tells who comes to hold an address, and gives it up, each once", async () => {
  const told: string[] = [];
  const note = (what: string) => (ident: string, cidr: Ipv4Cidr) =>
    void told.push(`${what} ${ident} ${formatIpv4Cidr(cidr)}`);
  const peer = alone({
    news: { allocated: note("allocated"), claimed: note("claimed"), released: note("released") },
  });
  await allocate(peer, "c1");
  await allocate(peer, "c1");
  await claim(peer, "c2", "10.2.0.7/16");
  await claim(peer, "c2", "10.2.0.7/16");
  await failure(claim(peer, "c3", "10.2.0.7/16"));
  peer.allocator.free("c2", parseIpv4("10.2.0.7"));
  peer.allocator.containerDestroyed("c1");
  expect(told).toEqual([
    "allocated c1 10.2.0.1/16",
    "claimed c2 10.2.0.7/16",
    "released c2 10.2.0.7/16",
    "released c1 10.2.0.1/16",
  ]);
});
