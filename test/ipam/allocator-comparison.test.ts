import { describe, expect, test } from "bun:test";
import { emptyBytes } from "../../lib/base/bytes.ts";
import { parseIpv4Cidr } from "../../lib/base/ip.ts";
import { acquaint, connect, TestPeer } from "./test-peer.ts";

const init = "seed=00:00:00:00:00:01,00:00:00:00:00:02";

interface Options {
  readonly reclaimAfterMs?: number;
}

/** Two peers that have told each other all. */
function pair(options: Options = {}): [TestPeer, TestPeer] {
  const [a, b] = [1, 2].map(
    (number) => new TestPeer({ name: `00:00:00:00:00:0${number}`, init, ...options }),
  ) as [TestPeer, TestPeer];
  connect(a, b);
  connect(b, a);
  return [a, b];
}

/** Whether `to` wants the state of `from` after its digest. */
function asks(from: TestPeer, to: TestPeer): boolean {
  const digest = from.allocator.channel.comparison.digest()!;
  const inquiry = to.allocator.channel.comparison.inquire(from.name, digest);
  if (inquiry !== undefined) expect(inquiry).toEqual(emptyBytes);
  return inquiry !== undefined;
}

function tell(from: TestPeer, to: TestPeer): void {
  for (const payload of from.allocator.channel.comparison.answer()!.encode()) {
    to.allocator.channel.onGossip(from.name, payload);
  }
}

describe("peers with the same ring", () => {
  test("need not tell each other, at whatever time", () => {
    const [a, b] = pair();
    a.clock.run(3_600_000);
    expect(asks(a, b)).toBe(false);
    expect(asks(b, a)).toBe(false);
  });

  test("need not have heard of the same peers without ranges", () => {
    const [a, b] = pair();
    const other = new TestPeer({ name: "00:00:00:00:00:03", nickname: "guest", init: "observer" });
    acquaint(a, other);
    tell(other, a);
    expect(asks(a, b)).toBe(false);
  });

  test("end what they disagreed about", () => {
    const [a, b] = pair();
    const stranger = new TestPeer({
      name: b.name === 2 ? "00:00:00:00:00:02" : "",
      init: "seed=::9",
    });
    expect(() => tell(stranger, a)).toThrow();
    expect(a.allocator.status().conflicts).toHaveLength(1);
    expect(asks(b, a)).toBe(false);
    expect(a.allocator.status().conflicts).toEqual([]);
  });
});

describe("a peer asks", () => {
  test("when somebody used an address, and not again when it knows how many are left", async () => {
    const [a, b] = pair();
    await a.allocator.allocate("c1", parseIpv4Cidr("10.32.0.0/12"), { isContainer: false });
    expect(asks(a, b)).toBe(true);
    tell(a, b);
    expect(asks(a, b)).toBe(false);
  });

  test("when it has no ring and others have one, and the other way round", () => {
    const [a] = pair();
    const fresh = new TestPeer({ name: "00:00:00:00:00:03" });
    expect(asks(a, fresh)).toBe(true);
    expect(asks(fresh, a)).toBe(true);
    tell(a, fresh);
    expect(asks(a, fresh)).toBe(false);
  });

  test("not while nobody wants a ring; elections are never left to digests", () => {
    const [a, b] = [1, 2].map((n) => new TestPeer({ name: `::${n}`, init: "consensus=2" })) as [
      TestPeer,
      TestPeer,
    ];
    expect(asks(a, b)).toBe(false);
    a.allocator
      .allocate("c1", parseIpv4Cidr("10.32.0.0/12"), { isContainer: false })
      .catch(() => {});
    expect(a.allocator.channel.comparison.digest()).toBeUndefined();
    expect(asks(b, a)).toBe(true);
    const observer = new TestPeer({ name: "::3", init: "observer" });
    expect(observer.allocator.channel.comparison.digest()).toBeUndefined();
  });

  test("when it has not heard what a neighbour says of itself to the council", () => {
    const [a, b] = pair({ reclaimAfterMs: 3_600_000 });
    expect(asks(a, b)).toBe(false);
    const [again] = pair();
    expect(asks(again, b)).toBe(true);
  });
});
