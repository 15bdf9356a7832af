import { beforeEach, expect, test } from "bun:test";
import { type FakeHost, FakeNet, ipv4Frame, type Seal } from "./fake-net.ts";

const key = new Uint8Array(32).fill(7);
let net: FakeNet;
let a: FakeHost;
let b: FakeHost;

beforeEach(() => {
  net = new FakeNet();
  a = net.host(0xa, { family: 6 });
  b = net.host(0xb, { family: 6 });
});

for (const [cipher, seal, mtu] of [
  [undefined, undefined, 1418],
  ["secretbox", key, 1394],
  ["aes-256-gcm", { sessionKey: key }, 1394],
] as readonly (readonly [string | undefined, Seal | undefined, number])[]) {
  test(`a link over IPv6 ${cipher === undefined ? "in clear" : `under ${cipher}`} carries ${mtu} octets of 1500`, () => {
    net.connect(a, b, seal);
    net.announce();
    net.run(200);
    for (const { engine } of [a, b]) {
      expect(engine.links()).toMatchObject([{ cipher, mtu, searchingMtu: false }]);
    }
    expect(a.engine.links()).toMatchObject([{ endpoint: { ip: "fd00::2", port: 6783 } }]);
    const frame = ipv4Frame(0xffffffffffff, 0xfe4100000001, { packet: mtu });
    a.capture(frame);
    net.run(10);
    expect(b.injected).toContain(frame.toHex());
  });
}

test("a path that IPv6 takes smaller packets over is found out, silent or not", () => {
  net.connect(a, b);
  net.announce();
  net.run(200);
  net.wire(a, b).kernelMtu = 1280;
  net.wire(b, a).holeAbove = 1280;
  net.run(10 * 60_000);
  expect(a.engine.links()).toMatchObject([{ mtu: 1280 - 82 }]);
  expect(b.engine.links()).toMatchObject([{ mtu: 1280 - 82 }]);
});

test("the peer is followed to another address of the family, and to none of the other", () => {
  net.connect(a, b);
  net.announce();
  net.run(200);
  const heartbeat = a.sent.find(({ bytes }) => bytes.length === 42)!.bytes;
  net.run(2000);
  b.receive(heartbeat.slice(), { ip: 0x0a090001, port: 6783 });
  expect(b.engine.links()).toMatchObject([{ endpoint: { ip: "fd00::1" } }]);
  b.receive(heartbeat.slice(), { ip: "fd00::77", port: 7000 });
  expect(b.engine.links()).toMatchObject([{ endpoint: { ip: "fd00::77", port: 7000 } }]);
  expect(b.log.some((line) => line.includes("moved to [fd00::77]:7000"))).toBe(true);
});
