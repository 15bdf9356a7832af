import { describe, expect, test } from "bun:test";
import { parseIpv4Cidr } from "../../lib/base/ip.ts";
import type { PeerName } from "../../lib/base/peer-name.ts";
import { Electorate, seenMax, voteMaxMs } from "../../lib/ipam/electorate.ts";
import { acquaint, connect, deliver, TestPeer } from "./test-peer.ts";

const self = 1 as PeerName;
const [second, third, fourth] = [2, 3, 4] as PeerName[] as [PeerName, PeerName, PeerName];

/** An election that was called at 1000 by a peer that was told of `configured - 1` others. */
function electorate(configured: number, known: readonly PeerName[], callers = 0): Electorate {
  const all = [self, ...known];
  const made = new Electorate({
    isKnown: (peer) => all.includes(peer),
    inSight: () => all.length + callers,
  });
  made.called(configured, 1000);
  return made;
}

const before = 1000 + voteMaxMs - 1;
const after = 1000 + voteMaxMs;

describe("a peer that wants a first ring counts", () => {
  test("itself alone where nobody else is", () => {
    expect(electorate(1, []).size([self], 1000)).toBe(1);
  });

  test("those that it was told of, whether they are there or not", () => {
    expect(electorate(4, []).size([self], before)).toBe(4);
    expect(electorate(4, []).size([self], after)).toBe(4);
  });

  test("all that it sees, and whoever is about to say its name", () => {
    expect(electorate(1, [second, third]).size([self], before)).toBe(3);
    expect(electorate(1, [second], 1).size([self], before)).toBe(3);
  });

  test("after a while only those of them that have voted", () => {
    const three = electorate(1, [second, third], 1);
    expect(three.size([self, second], after)).toBe(2);
    expect(three.size([self], after)).toBe(1);
  });

  test("nobody twice, and nobody who is gone", () => {
    expect(electorate(1, [second]).size([self, second, second, fourth], after)).toBe(2);
  });

  test("all that it sees, however many strangers are said not to vote", () => {
    const three = electorate(1, [second, third]);
    for (let name = 100; name < 200; name++) three.observes(name as PeerName);
    expect(three.size([self], before)).toBe(3);
  });

  test("no neighbour that shows that it does not vote, until that is another one", () => {
    const three = electorate(1, [second, third]);
    three.observes(third);
    three.observes(third);
    expect(three.size([self], before)).toBe(2);
    three.gone(third);
    expect(three.size([self], before)).toBe(3);
  });

  test("no more of those that it was not told of than an election can bear", () => {
    const crowd = Array.from({ length: 100 }, (_, at) => (at + 2) as PeerName);
    expect(electorate(1, crowd).size([self, ...crowd], before)).toBe(seenMax);
    expect(electorate(1, crowd).size([self, ...crowd], after)).toBe(seenMax);
    expect(electorate(50, crowd).size([self], before)).toBe(50);
  });
});

describe("a peer that was told of no other", () => {
  const universe = "10.2.0.0/16";
  const subnet = parseIpv4Cidr(universe);
  const peer = (name: string, options: { init?: string; targets?: number } = {}): TestPeer =>
    new TestPeer({ name, universe, ...options });
  const owners = ({ allocator }: TestPeer): number[] =>
    (allocator.status().ranges ?? []).map((range) => range.peer);
  const want = ({ allocator }: TestPeer): void => {
    allocator.allocate("c1", subnet, { isContainer: true }).catch(() => {});
  };

  test("allocates at once where nobody is", () => {
    const alone = peer("::1");
    want(alone);
    expect(owners(alone)).toEqual([1]);
  });

  test("shares the range with a neighbour that votes as well", () => {
    const peers = [peer("::1"), peer("::2", { targets: 1 })] as const;
    connect(...peers);
    want(peers[0]);
    expect(owners(peers[0])).toEqual([]);
    deliver(peers);
    expect(peers.map(owners)).toEqual([
      [1, 2],
      [1, 2],
    ]);
  });

  test("takes what two others agree on without it", () => {
    const [alone, ...others] = [
      peer("::1"),
      peer("::2", { targets: 1 }),
      peer("::3", { targets: 1 }),
    ] as const;
    acquaint(alone, ...others);
    want(others[0]);
    want(others[1]);
    deliver(others);
    const agreed = owners(others[0]);
    expect(agreed).toEqual([2, 3]);
    // What they said is still on its way to it.
    want(alone);
    expect(owners(alone)).toEqual([]);
    for (const payload of others[0].allocator.channel.full()?.encode() ?? []) {
      alone.allocator.channel.onGossip(others[0].name, payload);
    }
    expect(owners(alone)).toEqual(agreed);
  });

  test("waits for whoever is about to say its name, and shares the range with it", () => {
    const [alone, other] = [peer("::1"), peer("::2", { targets: 1 })] as const;
    alone.callers = 1;
    want(alone);
    expect(owners(alone)).toEqual([]);
    alone.takeSent();
    alone.callers = 0;
    connect(alone, other);
    deliver([alone, other]);
    expect(owners(alone)).toEqual([1, 2]);
  });

  test("does not wait for ever for a caller that says nothing, or a peer that never votes", () => {
    const [called, beside] = [peer("::1"), peer("::1")];
    called.callers = 1;
    beside.known.add(second);
    for (const each of [called, beside]) {
      want(each);
      each.pass(8);
      expect(owners(each)).toEqual([1]);
    }
  });

  test("does not wait for a neighbour that observes", () => {
    const [alone, observer] = [peer("::1"), peer("::2", { init: "observer" })] as const;
    connect(alone, observer);
    want(alone);
    expect(owners(alone)).toEqual([1]);
  });
});
