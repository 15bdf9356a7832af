import { beforeEach, describe, expect, test } from "bun:test";
import { toHex } from "../../../lib/base/bytes.ts";
import { handoverMark } from "../../../lib/overlay/fastdp/ports.ts";
import { type FakeHost, FakeNet, frameOf, ipv4Frame } from "./fake-net.ts";

const everybody = 0xffffffffffff;
const [m1, m2] = [0xfe4100000001, 0xfe4100000002];

/** In a line: a captures at its bridge, b and c stand behind datapaths; short ids 1, 2, 3. */
describe("sleeve behind a datapath", () => {
  let net: FakeNet;
  let a: FakeHost;
  let b: FakeHost;
  let c: FakeHost;

  beforeEach(() => {
    net = new FakeNet();
    a = net.host(0xa1);
    b = net.host(0xa2, { datapathMtu: 1376 });
    c = net.host(0xa3, { datapathMtu: 1376 });
    for (const [index, host] of net.hosts.entries()) host.shortId = index + 1;
    net.connect(a, b);
    net.connect(b, c);
    net.announce();
    net.run(60_000);
    for (const host of net.hosts) host.injected.length = 0;
  });

  function hand(host: FakeHost, mark: number, frame: Uint8Array): void {
    host.engine.captured(frame, 0, frame.length, mark);
    host.engine.flush();
    net.run(10);
  }

  test("sends a frame to whom its mark says, and hands in what comes with its mark", () => {
    const frame = frameOf(m2, m1);
    hand(b, handoverMark(2, 3), frame);
    expect([c.injected, c.marks]).toEqual([[toHex(frame)], [handoverMark(2, 3)]]);
    hand(b, handoverMark(2, 1), frame);
    expect(a.injected).toEqual([toHex(frame)]);
  });

  test("hands in what it received for others as well, once", () => {
    const frame = frameOf(m2, m1);
    hand(c, handoverMark(3, 1), frame);
    expect([b.injected, b.marks]).toEqual([[toHex(frame)], [handoverMark(3, 1)]]);
    expect(a.injected).toEqual([]);
    hand(b, handoverMark(3, 1), frame);
    expect(a.injected).toEqual([toHex(frame)]);
  });

  test("floods nothing by itself", () => {
    a.capture(frameOf(everybody, m1));
    net.run(10);
    expect(b.marks).toEqual([handoverMark(1, 2)]);
    expect(c.injected).toEqual([]);
  });

  test("drops and counts what it cannot name", () => {
    const frame = frameOf(m2, m1);
    for (const mark of [0, 0x00001002, 0x02001002, handoverMark(9, 3), handoverMark(2, 9)]) {
      hand(b, mark, frame);
    }
    const { dropUnmarked, dropNoShortId } = b.engine.counters().engine;
    expect([dropUnmarked, dropNoShortId]).toEqual([3, 2]);
    c.shortId = undefined;
    net.announce();
    hand(c, handoverMark(3, 2), frame);
    expect(c.engine.counters().engine.dropNoShortId).toBe(1);
    expect([a.injected, b.injected, c.injected]).toEqual([[], [], []]);
  });

  test("never bounces a frame back to the neighbour it came from", () => {
    hand(c, handoverMark(3, 1), frameOf(everybody, m2));
    hand(b, handoverMark(3, 1), frameOf(everybody, m2));
    b.injected.length = 0;
    // a sends to c by b; as b sees it, c is behind a.
    b.engine.setTopology({
      peers: net.hosts.map(({ name, shortId }) => ({ name, nickname: "", shortId })),
      links: [
        [a.name, b.name],
        [a.name, c.name],
      ],
    });
    a.capture(frameOf(m2, m1));
    net.run(10);
    expect(b.engine.counters().engine.dropWouldReturn).toBe(1);
    expect(b.injected).toEqual([]);
  });

  test("lets nobody send it packets that its datapath would not take", () => {
    a.injected.length = 0;
    hand(b, handoverMark(2, 1), frameOf(everybody, m2));
    a.injected.length = 0;
    // Larger than the datapath carries, smaller than the path does.
    a.capture(ipv4Frame(m2, m1, { packet: 1400, df: true }));
    net.run(10);
    expect(b.injected).toEqual([]);
    const refusal = a.injected[0]!;
    expect(Number.parseInt(refusal.slice(2 * 40, 2 * 42), 16)).toBe(1376);
    a.capture(ipv4Frame(m2, m1, { packet: 1376, df: true }));
    a.capture(ipv4Frame(m2, m1, { packet: 5000 }));
    net.run(10);
    const packets = b.injected.map((frame) => frame.length / 2 - 14);
    expect(packets[0]).toBe(1376);
    expect(packets.length).toBe(1 + 4);
    expect(Math.max(...packets)).toBeLessThanOrEqual(1376);
  });

  test("sends nobody packets that the other's datapath is known not to take", () => {
    hand(b, handoverMark(2, 1), frameOf(everybody, m2));
    a.injected.length = 0;
    b.engine.limit(net.connections[0]!.acceptorLink, 1000);
    const size = (frame: string): number => frame.length / 2 - 14;
    hand(b, handoverMark(2, 1), ipv4Frame(m1, m2, { packet: 1000, df: true }));
    hand(b, handoverMark(2, 1), ipv4Frame(m1, m2, { packet: 1400 }));
    expect(a.injected.map(size)).toEqual([1000, 996, 424]);
    b.injected.length = 0;
    hand(b, handoverMark(2, 1), ipv4Frame(m1, m2, { packet: 1001, df: true }));
    expect(a.injected.length).toBe(3);
    expect(Number.parseInt(b.injected[0]!.slice(2 * 40, 2 * 42), 16)).toBe(1000);
  });

  test("tells senders at once what the path was found to carry by others", () => {
    hand(b, handoverMark(2, 1), frameOf(everybody, m2));
    b.injected.length = 0;
    b.engine.narrow(net.connections[0]!.acceptorLink, 1000);
    hand(b, handoverMark(2, 1), ipv4Frame(m1, m2, { packet: 1400, df: true }));
    expect(Number.parseInt(b.injected[0]!.slice(2 * 40, 2 * 42), 16)).toBe(1000 - 62);
  });
});
