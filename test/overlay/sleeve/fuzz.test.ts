import { expect, test } from "bun:test";
import { concatBytes, fromHex, toHex } from "../../../lib/base/bytes.ts";
import { peerNameBytes } from "../../../lib/base/peer-name.ts";
import { RecordReader } from "../../../lib/overlay/sleeve/datagram.ts";
import { epochMaxMs } from "../../../lib/overlay/sleeve/rotating-seal.ts";
import { fuzz } from "../../fuzz/mutate.ts";
import specials from "../../vectors/sleeve/special-frames.json";
import { type VectorBytes, vectorBytes } from "../vectors.ts";
import { type FakeHost, FakeNet, frameOf, ipv4Frame, type Seal } from "./fake-net.ts";

const everybody = 0xffffffffffff;
const [m1, m2] = [0xfe4100000001, 0xfe4100000002];
const key = new Uint8Array(32).fill(9);
const from = { ip: 0x0a090001, port: 6783 };

/** Two connected hosts, and what the first sent: heartbeat, tests, single and packed frames. */
function talked(seal?: Seal): { net: FakeNet; a: FakeHost; b: FakeHost } {
  const net = new FakeNet();
  const [a, b] = [net.host(0xa1b2c3d4e5f6), net.host(0x0badc0ffee00)];
  net.connect(a, b, seal);
  net.announce();
  net.run(300);
  b.capture(frameOf(everybody, m2));
  net.run(10);
  a.capture(frameOf(everybody, m1), ipv4Frame(m2, m1, { packet: 300, df: true }));
  a.capture(frameOf(m2, m1, { length: 14 }), frameOf(m2, m1, { length: 200 }));
  a.capture(ipv4Frame(m2, m1, { packet: 120 }));
  net.run(10);
  return { net, a, b };
}

/** Small ones only, for speed; their parsing is the same. */
function corpusOf(host: FakeHost): Uint8Array[] {
  return host.sent.map(({ bytes }) => bytes).filter(({ length }) => length < 2000);
}

/** The two can still talk. */
function stillWork({ net, a, b }: { net: FakeNet; a: FakeHost; b: FakeHost }): void {
  b.injected.length = 0;
  const frame = frameOf(everybody, m1, { length: 77 });
  a.capture(frame);
  net.run(10);
  expect(b.injected).toEqual([toHex(frame)]);
  expect(b.engine.links()).toMatchObject([{ state: "established" }]);
}

test("150000 damaged encrypted datagrams: none is accepted, none disturbs", () => {
  const hosts = talked(key);
  const { a, b } = hosts;
  const before = [b.injected.length, b.controlSent.length, JSON.stringify(b.engine.links())];
  fuzz(1, corpusOf(a), 150_000, (mutant) => {
    b.engine.received(mutant.slice(), 0, mutant.length, from.ip, from.port);
  });
  b.engine.flush();
  expect([b.injected.length, b.controlSent.length, JSON.stringify(b.engine.links())]).toEqual(
    before,
  );
  expect(b.engine.counters().total.decryptFailures).toBeGreaterThan(50_000);
  stillWork(hosts);
}, 60_000);

test("150000 damaged datagrams under a key that rotates: none is accepted, none moves its epoch", () => {
  const hosts = talked({ sessionKey: key });
  const { net, a, b } = hosts;
  const before = [b.injected.length, b.controlSent.length, JSON.stringify(b.engine.links())];
  fuzz(2, corpusOf(a), 150_000, (mutant) => {
    b.engine.received(mutant.slice(), 0, mutant.length, from.ip, from.port);
  });
  b.engine.flush();
  expect([b.injected.length, b.controlSent.length, JSON.stringify(b.engine.links())]).toEqual(
    before,
  );
  const { decryptFailures, unknownEpochs } = b.engine.counters().total;
  expect(decryptFailures).toBeGreaterThan(50_000);
  expect(unknownEpochs).toBeGreaterThan(1000);
  net.run(epochMaxMs);
  stillWork(hosts);
}, 60_000);

test("150000 damaged plain datagrams: whatever is delivered is a frame between known peers", () => {
  const hosts = talked();
  const { a, b } = hosts;
  const inject = b.inject.bind(b);
  b.inject = (bytes, at, length, mark) => {
    expect(length).toBeGreaterThanOrEqual(14);
    expect(at + length).toBeLessThanOrEqual(bytes.length);
    if (b.injected.length < 10) inject(bytes, at, length, mark);
  };
  const { log } = b;
  fuzz(2, corpusOf(a), 150_000, (mutant) => {
    b.engine.received(mutant.slice(), 0, mutant.length, from.ip, from.port);
    b.engine.flush();
  });
  expect(log.length).toBeLessThan(10);
  const { total } = b.engine.counters();
  expect(total.datagramFaults).toBeGreaterThan(10_000);
  expect(total.framesIn).toBeGreaterThan(10_000);
  b.inject = inject;
  hosts.net.run(2_000);
  stillWork(hosts);
}, 60_000);

test("100000 damaged frames of containers: all that leaves is well formed and within its bounds", () => {
  const hosts = talked();
  const { net, a, b } = hosts;
  net.wire(a, b).holeAbove = 1428;
  net.wire(b, a).holeAbove = 1428;
  net.run(6 * 60_000);
  b.capture(frameOf(everybody, m2));
  net.run(10);
  const limit = a.engine.links()[0]!.mtu + 34;
  expect(limit).toBe(1400);
  const reader = new RecordReader();
  a.send = (_link, _to, df, datagram, length) => {
    if (df) expect(length).toBeLessThanOrEqual(limit);
    reader.begin(datagram, 6, length);
    while (reader.next()) expect(reader.source).toBe(a.name);
    expect(reader.fault).toBeUndefined();
    return "sent";
  };
  a.inject = (_bytes, _at, length) => expect(length).toBeLessThanOrEqual(14 + 1280);
  const corpus = [
    ...specials.cases.map(({ frame }) => vectorBytes(frame as VectorBytes)),
    ...[false, true].flatMap((df) => [
      ipv4Frame(m2, m1, { packet: 100, df }),
      ipv4Frame(m2, m1, { packet: 1500, df }),
      ipv4Frame(m2, m1, { packet: 1500, df, claims: 4000 }),
    ]),
    concatBytes(fromHex("fe4100000002fe410000000186dd60"), new Uint8Array(1500)),
  ].filter(({ length }) => length < 2000);
  fuzz(3, corpus, 100_000, (mutant) => {
    a.engine.captured(mutant, 0, mutant.length);
    a.engine.flush();
  });
  const { total } = a.engine.counters();
  expect(total.fragmentsOut).toBeGreaterThan(1_000);
  expect(total.tooBigReplies).toBeGreaterThan(100);
  expect(total.dropIndivisible).toBeGreaterThan(100);
}, 60_000);

test("a minute of noise under the right name leaves the connection established", () => {
  const hosts = talked(key);
  const { net, a, b } = hosts;
  const name = peerNameBytes(a.name);
  for (let second = 0; second < 60; second++) {
    fuzz(second, [name, new Uint8Array(100), new Uint8Array(1400)], 50, (noise) => {
      const datagram = concatBytes(name, noise);
      b.receive(datagram.slice(), from);
    });
    net.run(1_000);
  }
  stillWork(hosts);
});
