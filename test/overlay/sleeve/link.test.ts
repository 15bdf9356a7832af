import { beforeEach, describe, expect, test } from "bun:test";
import { fromHex } from "../../../lib/base/bytes.ts";
import { fragmentationTestSize } from "../../../lib/overlay/sleeve/special-frame.ts";
import { type Connection, type FakeHost, FakeNet, ipv4Frame } from "./fake-net.ts";

const [m1, m2] = [0xfe4100000001, 0xfe4100000002];
const key = new Uint8Array(32).fill(7);
const heartbeatLength = 42;

let net: FakeNet;
let a: FakeHost;
let b: FakeHost;

beforeEach(() => {
  net = new FakeNet();
  a = net.host(0xa);
  b = net.host(0xb);
});

function established(): Connection {
  const connection = net.connect(a, b);
  net.announce();
  net.run(200);
  expect(a.events).toContain(`established ${connection.diallerLink}`);
  expect(b.events).toContain(`established ${connection.acceptorLink}`);
  return connection;
}

function heartbeats(host: FakeHost) {
  return host.sent.filter(({ bytes }) => bytes.length === heartbeatLength);
}

describe("starting", () => {
  test("a prepared link is silent and deaf", () => {
    const { diallerLink } = net.prepare(a, b);
    net.announce();
    a.engine.control(diallerLink, 1, new Uint8Array(0));
    net.run(120_000);
    expect([...a.sent, ...a.events, ...a.controlSent]).toEqual([]);
  });

  test("a peer that answers its heartbeat late is not asked about the path again and again", () => {
    const lateMs = 150;
    for (const [from, to] of [
      [a, b],
      [b, a],
    ] as const) {
      net.wire(from, to).delayMs = lateMs;
    }
    net.connect(a, b);
    net.announce();
    net.run(3000);
    expect(a.controlSent.filter((line) => line === "3:059e")).toHaveLength(1);
    expect(a.engine.links()).toMatchObject([{ mtu: 1438, searchingMtu: false }]);
  });

  test("the side that dialled speaks at once, the other when it knows the address", () => {
    net.connect(a, b);
    expect(heartbeats(a)).toMatchObject([{ df: true, to: { ip: b.ip, port: 6783 } }]);
    expect(b.sent).toEqual([]);
    net.run(1);
    expect(heartbeats(b)).toMatchObject([{ df: true, to: { ip: a.ip, port: 6783 } }]);
  });

  test("a heartbeat is sent every 500 ms until it is acknowledged, then every 10 s on the beat", () => {
    net.wire(a, b).up = false;
    net.connect(a, b);
    net.announce();
    net.run(2100);
    expect(heartbeats(a).map(({ atMs }) => atMs - 1000)).toEqual([0, 500, 1000, 1500, 2000]);
    net.wire(a, b).up = true;
    net.run(30_000);
    const times = heartbeats(a).map(({ atMs }) => atMs - 1000);
    expect(times.slice(5)).toEqual([2500, 10_502, 19_000, 29_000]);
  });

  test("each side acknowledges the other's first heartbeat exactly once", () => {
    established();
    net.run(60_000);
    for (const host of [a, b]) {
      expect(host.controlSent.filter((line) => line === "1:")).toHaveLength(1);
    }
  });

  test("tests of the path follow: fragments, then the trigger that the kernel refuses, then a probe", () => {
    established();
    expect(a.sent.map(({ df, bytes }) => [df, bytes.length])).toEqual([
      [true, heartbeatLength],
      [false, fragmentationTestSize + 20],
      [true, 1472],
    ]);
    expect(a.refused.map(({ df, bytes }) => [df, bytes.length])).toEqual([[true, 60_020]]);
    expect(a.controlSent).toEqual(["1:", "2:", "3:059e"]);
    expect(a.engine.links()).toMatchObject([
      { state: "established", mtu: 1438, stackFragments: true, searchingMtu: false },
    ]);
  });

  for (const [cipher, seal] of [
    ["secretbox", key],
    ["aes-256-gcm", { sessionKey: key }],
  ] as const) {
    test(`a link encrypted by ${cipher} finds the smaller MTU of encryption`, () => {
      net.connect(a, b, seal);
      net.announce();
      net.run(200);
      expect(a.engine.links()).toMatchObject([{ cipher, mtu: 1414 }]);
      expect(a.sent.every(({ bytes }) => !bytes.toHex().includes("00".repeat(40)))).toBe(true);
    });
  }

  test("peers with different keys never become established, and say why", () => {
    const { diallerLink, acceptorLink } = net.prepare(a, b, key);
    b.engine.stop(acceptorLink);
    b.engine.prepare(99, {
      remote: a.name,
      connectionUid: BigInt(diallerLink) * 0x0123456789abcdn,
      outbound: false,
      localIp: b.ip,
      remoteIp: a.ip,
      remotePort: 1,
      key: new Uint8Array(32),
    });
    a.engine.confirm(diallerLink);
    b.engine.confirm(99);
    net.announce();
    net.run(59_000);
    expect(b.engine.counters().total.decryptFailures).toBe(118);
    expect(b.log).toHaveLength(6);
    expect(b.log[0]).toContain("cannot open a datagram: notAuthentic");
    net.run(2_000);
    expect(a.events).toEqual([`failed ${diallerLink} SLEEVE_HEARTBEAT_TIMEOUT`]);
  });
});

describe("staying", () => {
  test("a peer not heard for 60 s is given up, on both sides", () => {
    const { diallerLink, acceptorLink } = established();
    net.wire(a, b).up = false;
    net.wire(b, a).up = false;
    net.run(55_000);
    expect([...a.events, ...b.events].join()).not.toContain("failed");
    net.run(16_000);
    expect(a.events.at(-1)).toBe(`failed ${diallerLink} SLEEVE_HEARTBEAT_TIMEOUT`);
    expect(b.events.at(-1)).toBe(`failed ${acceptorLink} SLEEVE_HEARTBEAT_TIMEOUT`);
    expect(a.engine.links()).toEqual([]);
  });

  test("every heartbeat starts the 60 s anew", () => {
    established();
    net.run(10 * 60_000);
    expect([...a.events, ...b.events].join()).not.toContain("failed");
  });

  test("a heartbeat with another uid is ignored completely", () => {
    established();
    net.run(2_000);
    const stray = heartbeats(b)[0]!.bytes.slice();
    stray[41]! ^= 1;
    const before = a.engine.links();
    a.receive(stray, { ip: 1, port: 1 });
    expect(a.engine.links()).toEqual(before);
    expect(a.engine.counters().total.specialIgnored).toBe(1);
  });

  test("a path in use that shrinks without a word is found out in a second or two, fragments too", () => {
    established();
    for (const wire of [net.wire(a, b), net.wire(b, a)]) wire.holeAbove = 1280;
    let lost = 0;
    for (let round = 0; round < 500; round++) {
      b.injected.length = 0;
      a.capture(ipv4Frame(m2, m1, { packet: 3000 }));
      net.run(10);
      if (b.injected.length === 0) lost = round;
    }
    expect(a.engine.links()).toMatchObject([{ mtu: 1218, stackFragments: false }]);
    expect(lost * 10).toBeLessThan(2000);
  });

  test("the path is tested again every five minutes, and fragments stay in use meanwhile", () => {
    established();
    net.run(5 * 60_000 - 300);
    const tests = () => a.sent.filter(({ bytes }) => bytes.length > 60_000).length;
    expect(tests()).toBe(1);
    net.wire(a, b).delayMs = 300;
    net.run(400);
    expect(tests()).toBe(2);
    expect(a.engine.links()[0]!.stackFragments).toBe(true);
    net.wire(a, b).holeAbove = 1500;
    net.run(5 * 60_000);
    expect(a.engine.links()[0]!.stackFragments).toBe(true);
    net.run(5_000);
    expect(a.engine.links()[0]!.stackFragments).toBe(false);
  });

  test("transient send errors are losses, not the end", () => {
    established();
    net.run(2000);
    for (let i = 0; i < 3; i++) a.results.push({ error: "ENETUNREACH" });
    net.run(120_000);
    expect(a.events.join()).not.toContain("failed");
    expect(a.engine.counters().total.sendErrors).toBe(3);
    expect(a.log.filter((line) => line.includes("ENETUNREACH")).length).toBeGreaterThan(0);
  });

  test("a stopped link sends and hears nothing", () => {
    const { diallerLink } = established();
    a.engine.stop(diallerLink);
    a.engine.stop(diallerLink);
    const sent = a.sent.length;
    net.run(60_000);
    expect(a.sent).toHaveLength(sent);
    expect(a.engine.counters().engine.datagramsFromStrangers).toBeGreaterThan(0);
    expect(a.engine.counters().total.datagramsIn).toBeGreaterThan(0);
  });

  test("a new connection to the same peer replaces the old one", () => {
    established();
    const second = net.connect(a, b);
    net.run(1_000);
    expect(a.events).toContain(`established ${second.diallerLink}`);
    net.connections.splice(0, 1);
    a.engine.stop(1);
    net.run(30_000);
    expect(a.engine.links()).toMatchObject([{ link: second.diallerLink, state: "established" }]);
  });
});

describe("the peer's address", () => {
  const translated = { ip: 0xc0a80001, port: 31_000 };

  test("behind a translation is learned from its first heartbeat", () => {
    net.translated.set(a, translated);
    const { acceptorLink } = established();
    expect(b.events).toContain(`moved ${acceptorLink} ${translated.ip}:${translated.port}`);
    expect(b.engine.links()[0]!.endpoint).toEqual(translated);
  });

  test("is followed when a heartbeat comes from elsewhere, within one slow heartbeat", () => {
    net.translated.set(a, translated);
    established();
    net.translated.set(a, { ...translated, port: 32_000 });
    net.run(10_100);
    expect(b.engine.links()[0]!.endpoint).toEqual({ ...translated, port: 32_000 });
    expect(b.log.join()).toContain("moved to 192.168.0.1:32000");
  });

  test("is shown out of turn where a container sends and nothing comes back", () => {
    net.translated.set(a, translated);
    established();
    net.translated.set(a, { ...translated, port: 32_000 });
    a.capture(ipv4Frame(m2, m1, { packet: 100 }));
    net.run(2_100);
    expect(b.engine.links()[0]!.endpoint).toEqual({ ...translated, port: 32_000 });
  });

  test("is not shown out of turn where a peer is heard, nor where nothing is sent", () => {
    established();
    net.run(60_000);
    const before = heartbeats(a).length;
    for (let second = 0; second < 60; second++) {
      a.capture(ipv4Frame(m2, m1, { packet: 100 }));
      b.capture(ipv4Frame(m1, m2, { packet: 100 }));
      net.run(1_000);
    }
    expect(heartbeats(a).length - before).toBe(6);
  });

  test("is shown at most once more in ten seconds by who sends to one that is silent", () => {
    established();
    net.run(60_000);
    const before = heartbeats(a).length;
    for (let second = 0; second < 60; second++) {
      a.capture(ipv4Frame(m2, m1, { packet: 100 }));
      net.run(1_000);
    }
    const sent = heartbeats(a).length - before;
    expect(sent).toBeGreaterThan(6);
    expect(sent).toBeLessThanOrEqual(2 * 6 + 2);
  });

  test("is not moved by data", () => {
    established();
    const data = b.sent.find(({ bytes }) => bytes.length === 1472)!;
    a.receive(data.bytes.slice(), translated);
    expect(a.engine.links()[0]!.endpoint).toEqual({ ip: b.ip, port: 6783 });
  });

  test("does not flap faster than once a second, whoever repeats heartbeats", () => {
    established();
    net.run(2_000);
    const heartbeat = heartbeats(b)[0]!.bytes;
    for (let i = 0; i < 50; i++) a.receive(heartbeat.slice(), { ip: 1, port: 1000 + i });
    expect(a.engine.links()[0]!.endpoint).toEqual({ ip: 1, port: 1000 });
    expect(a.log).toHaveLength(1);
  });
});

describe("control messages", () => {
  const controls = (host: FakeHost, link: number, ...messages: [number, string][]): void => {
    for (const [tag, body] of messages) host.engine.control(link, tag, fromHex(body));
  };

  test("that are too short or unknown change nothing", () => {
    const { diallerLink } = established();
    const before = [a.engine.links(), a.sent.length];
    controls(a, diallerLink, [3, ""], [3, "05"], [0, ""], [4, "00"], [255, "ffff"]);
    expect([a.engine.links(), a.sent.length]).toEqual(before);
    expect(a.engine.counters().total.specialIgnored).toBe(5);
  });

  test("for a link that is not there are ignored", () => {
    controls(a, 17, [1, ""], [3, "0000"]);
    expect(a.sent).toEqual([]);
  });

  test("acknowledging again and again does not make us send 60 kB each time", () => {
    const { diallerLink } = established();
    const sent = a.sent.length;
    for (let i = 0; i < 100; i++) controls(a, diallerLink, [1, ""]);
    expect(a.sent).toHaveLength(sent);
    net.run(2_000);
    controls(a, diallerLink, [1, ""]);
    expect(a.sent).toHaveLength(sent + 1);
    expect(a.events.filter((event) => event.startsWith("established"))).toHaveLength(1);
  });

  test("in answer to tests are limited to a burst and a trickle", () => {
    established();
    net.run(10_000);
    const before = b.controlSent.length;
    const probe = a.sent.find(({ bytes }) => bytes.length === 1472)!.bytes;
    for (let i = 0; i < 1000; i++) b.receive(probe.slice(), { ip: a.ip, port: 6783 });
    expect(b.controlSent.length - before).toBe(64);
    net.run(1_000);
    for (let i = 0; i < 1000; i++) b.receive(probe.slice(), { ip: a.ip, port: 6783 });
    expect(b.controlSent.length - before).toBe(84);
  });
});

describe("a path that drops large packets silently", () => {
  test("is found out without losing what fits", () => {
    net.wire(a, b).holeAbove = 1428;
    net.wire(b, a).holeAbove = 1428;
    established();
    net.run(3_000);
    expect(a.engine.links()).toMatchObject([{ mtu: 1366, stackFragments: false }]);
    expect(a.events.filter((event) => event.startsWith("mtu")).at(-1)).toBe("mtu 1 1366");
  });

  test("and everything else is an error in the log, once", () => {
    net.wire(a, b).holeAbove = 100;
    established();
    net.run(5_000);
    expect(a.engine.links()).toMatchObject([{ pathSilent: true, mtu: 552 }]);
    net.run(5 * 60_000);
    expect(a.log).toEqual([
      "error: sleeve to 00:00:00:00:00:0b: no test of the path was answered, not even for small packets",
    ]);
  });
});

test("a size that the kernel refuses only when the batch is sent starts the search as well", () => {
  net.wire(a, b).kernelMtu = 65_535;
  const { diallerLink } = established();
  expect(a.engine.links()[0]!.mtu).toBe(65_535);
  a.engine.sendFailed(diallerLink, { pathMtu: 1500 });
  a.engine.sendFailed(99, { pathMtu: 500 });
  net.run(100);
  expect(a.engine.links()[0]!.mtu).toBe(1438);
});
