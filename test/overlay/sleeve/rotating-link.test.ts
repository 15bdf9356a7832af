import { beforeEach, describe, expect, test } from "bun:test";
import { portableSecretBox } from "../../../lib/base/secret-box.ts";
import { silentLog } from "../../../lib/base/world.ts";
import { SleeveEngine } from "../../../lib/overlay/sleeve/engine.ts";
import { generationSecrets } from "../../../lib/overlay/sleeve/key-ratchet.ts";
import { epochMaxMs } from "../../../lib/overlay/sleeve/rotating-seal.ts";
import { type Connection, type FakeHost, FakeNet, frameOf } from "./fake-net.ts";

/** Links under AES-256-GCM as a whole, on a network in memory. */
const everybody = 0xffffffffffff;
const [m1, m2] = [0xfe4100000001, 0xfe4100000002];
const sessionKey = new Uint8Array(32).fill(9);

let net: FakeNet;
let a: FakeHost;
let b: FakeHost;
let connection: Connection;

beforeEach(() => {
  net = new FakeNet();
  [a, b] = [net.host(0xa), net.host(0xb)];
  connection = net.connect(a, b, { sessionKey });
  net.announce();
  net.run(200);
});

function faults(host: FakeHost) {
  const { decryptFailures, datagramFaults, replays, unknownEpochs } = host.engine.counters().total;
  return { decryptFailures, datagramFaults, replays, unknownEpochs };
}
const none = { decryptFailures: 0, datagramFaults: 0, replays: 0, unknownEpochs: 0 };

/** First numbers of the epochs in which a host has sealed, in order. */
function epochsOf(host: FakeHost): string[] {
  return [...new Set(host.sent.map(({ bytes }) => bytes.subarray(6, 10).toHex()))];
}

function frame(count: number): Uint8Array {
  return frameOf(everybody, m1, { length: 100 + count });
}

describe("frames under rotating keys", () => {
  test("all arrive, once each, while keys change under them", () => {
    const rounds = Math.ceil((5 * epochMaxMs) / 1000);
    for (let round = 0; round < rounds; round++) {
      a.capture(frame(round));
      net.run(1000);
    }
    expect(b.injected).toEqual(Array.from({ length: rounds }, (_, at) => frame(at).toHex()));
    expect(epochsOf(a).length).toBeGreaterThanOrEqual(5);
    expect([faults(a), faults(b)]).toEqual([none, none]);
  });

  test("arrive once each when the network reorders and repeats them across a change of keys", () => {
    for (const wire of [net.wire(a, b), net.wire(b, a)]) wire.delayMs = 5;
    net.run(epochMaxMs - 300);
    for (let round = 0; round < 500; round++) {
      a.capture(frame(round));
      net.run(1);
      // Every third is overtaken by the next ones, every fourth comes twice.
      net.wire(a, b).delayMs = round % 3 === 0 ? 40 : 5;
      const again = a.sent.at(-1)!.bytes.slice();
      if (round % 4 === 0) net.at(net.nowMs + 20, () => b.receive(again, { ip: a.ip, port: 6783 }));
    }
    net.run(1000);
    expect(b.injected.toSorted()).toEqual(
      Array.from({ length: 500 }, (_, at) => frame(at).toHex()).toSorted(),
    );
    expect(epochsOf(a).length).toBeGreaterThan(1);
    expect(faults(b)).toEqual({ ...none, replays: 125 });
  });

  test("go on after so much silence that the other side had to catch up", () => {
    net.wire(a, b).up = false;
    for (let second = 0; second < 55; second++) {
      a.capture(frame(0));
      net.run(1000);
    }
    net.wire(a, b).up = true;
    a.capture(frame(1));
    net.run(10);
    expect(b.injected).toEqual([frame(1).toHex()]);
  });
});

describe("a new generation of keys", () => {
  /** What the control planes of both ends do when the engine of one was started anew. */
  function renew(generation: number): void {
    for (const [host, peer, link] of [
      [a, b, connection.diallerLink],
      [b, a, connection.acceptorLink],
    ] as const) {
      const identity = { sessionKey, local: host.name, remote: peer.name };
      host.engine.renew(link, generationSecrets(identity, generation));
    }
  }

  test("leaves the link as it is and loses nothing on the way", () => {
    a.capture(frame(1));
    b.capture(frameOf(m1, m2));
    renew(1);
    a.capture(frame(2));
    net.run(100);
    expect(b.injected).toEqual([frame(1).toHex(), frame(2).toHex()]);
    expect(a.injected).toEqual([frameOf(m1, m2).toHex()]);
    expect([faults(a), faults(b)]).toEqual([none, none]);
    net.run(60_000);
    expect([...a.events, ...b.events].join()).not.toContain("failed");
    expect(epochsOf(a)).toEqual(["00000000", "01000000"]);
  });

  test("that only one end knows yet costs what was sent until then, and is counted", () => {
    const identity = { sessionKey, local: a.name, remote: b.name };
    a.engine.renew(connection.diallerLink, generationSecrets(identity, 1));
    a.capture(frame(1));
    net.run(100);
    expect(b.injected).toEqual([]);
    expect(faults(b)).toEqual({ ...none, unknownEpochs: 1 });
  });
});

test("a stopped link sends nothing more, however it was stopped", () => {
  a.engine.captured(frame(1), 0, 101);
  a.engine.stop(connection.diallerLink);
  const before = a.sent.length;
  a.engine.flush();
  net.run(60_000);
  expect(a.sent).toHaveLength(before);
});

test("keys for a link are refused on a machine without AES", () => {
  const secrets = generationSecrets({ sessionKey, local: a.name, remote: b.name }, 0);
  const stranger = { remote: b.name, connectionUid: 1n, outbound: true, key: undefined, secrets };
  const engine = new SleeveEngine({
    world: { monotonicMs: () => 0, log: silentLog },
    local: a.name,
    ports: a,
    events: a,
    secretBox: portableSecretBox,
  });
  expect(() => engine.prepare(5, { ...stranger, localIp: 1, remoteIp: 2, remotePort: 3 })).toThrow(
    "AES-256-GCM needs a machine",
  );
});
