import { concatBytes, fromHex } from "../../../lib/base/bytes.ts";
import { noPeer, type PeerName, peerNameBytes } from "../../../lib/base/peer-name.ts";
import { portableSecretBox } from "../../../lib/base/secret-box.ts";
import {
  datagramMax,
  encryptedHeadSize,
  plainHeadSize,
  RecordReader,
  senderSize,
  writeRecord,
} from "../../../lib/overlay/sleeve/datagram.ts";
import { EncryptingSealer } from "../../../lib/overlay/sleeve/datagram-seal.ts";
import { type FakeHost, FakeNet, frameOf, ipv4Frame } from "../../overlay/sleeve/fake-net.ts";
import { recordedBytes } from "../recorded.ts";
import { type FuzzLife, type FuzzTarget, fingerprint, hold } from "../target.ts";

const everybody = 0xffffffffffff;
const [m1, m2] = [0xfe4100000001, 0xfe4100000002];
/** Nobody's address until the end of a life. */
const m3 = 0xfe4100000003;
const key = new Uint8Array(32).fill(9);
const [nameA, nameB] = [0xa1b2c3d4e5f6 as PeerName, 0x0badc0ffee00 as PeerName];
const from = { ip: 0x0a090001, port: 6783 };
const ethernetHeaderSize = 14;
/** One input may be passed on, answered, and cause a heartbeat: never a storm. */
const sentMaxDatagrams = 64;
const headSize = { plain: plainHeadSize, sealed: encryptedHeadSize };

interface Pair {
  readonly net: FakeNet;
  readonly a: FakeHost;
  readonly b: FakeHost;
  readonly linkOfB: number;
}

/** Two connected hosts that have exchanged a few frames. */
function talked(withKey?: Uint8Array): Pair {
  const net = new FakeNet();
  const [a, b] = [net.host(nameA), net.host(nameB)];
  const { acceptorLink } = net.connect(a, b, withKey);
  net.announce();
  net.run(300);
  b.capture(frameOf(everybody, m2));
  net.run(10);
  a.capture(frameOf(everybody, m1), ipv4Frame(m2, m1, { packet: 300, df: true }));
  a.capture(frameOf(m2, m1, { length: 14 }), frameOf(m2, m1, { length: 200 }));
  a.capture(ipv4Frame(m2, m1, { packet: 120 }));
  net.run(10);
  return { net, a, b, linkOfB: acceptorLink };
}

/** Watches what leaves `host`: well formed, within its bounds, and not out of proportion. */
class Watch {
  sent = 0;
  injected = 0;
  readonly #reader = new RecordReader();

  constructor(host: FakeHost, datagramHead: number) {
    const { send, inject } = { send: host.send.bind(host), inject: host.inject.bind(host) };
    host.send = (link, to, df, datagram, length) => {
      this.sent++;
      hold(length > senderSize && length <= datagramMax, `a datagram of ${length} octets`);
      if (datagramHead === plainHeadSize) this.#check(datagram, length);
      return send(link, to, df, datagram, length);
    };
    host.inject = (bytes, at, length, mark) => {
      this.injected++;
      hold(length >= ethernetHeaderSize, `a frame of ${length} octets`);
      hold(at >= 0 && at + length <= bytes.length, "a frame outside of its buffer");
      inject(bytes, at, length, mark);
    };
  }

  /** What one input brought about. */
  reset(): void {
    hold(this.sent <= sentMaxDatagrams, `${this.sent} datagrams for one input`);
    this.sent = 0;
    this.injected = 0;
  }

  #check(datagram: Uint8Array, length: number): void {
    this.#reader.begin(datagram, plainHeadSize, length);
    while (this.#reader.next()) hold(this.#reader.source !== noPeer, "a frame from nobody");
    hold(this.#reader.fault === undefined, `sent a datagram with ${this.#reader.fault}`);
  }
}

/** The two can still talk, and what was learnt keeps its bounds. */
function stillWork({ net, a, b }: Pair): void {
  net.run(2000);
  b.injected.length = 0;
  const frame = frameOf(everybody, m3, { length: 77 });
  a.capture(frame);
  net.run(10);
  hold(b.injected.includes(frame.toHex()), "a frame does not arrive any more");
  hold(b.engine.links()[0]?.state === "established", "the link is not established any more");
  for (const host of [a, b]) hold(host.log.length <= 100, "a log line for every input");
}

/** A receiver of datagrams, and of what the sleeve of the other host says over TCP. */
function receiver(
  pair: Pair,
  datagramOf: (bytes: Uint8Array) => Uint8Array,
  head: number,
): FuzzLife {
  const { net, b, linkOfB } = pair;
  const watch = new Watch(b, head);
  return {
    consume(bytes) {
      const choice = fingerprint(bytes);
      if ((choice & 7) === 0) {
        b.engine.control(linkOfB, choice >>> 28, bytes);
        net.run(1);
        watch.reset();
        return true;
      }
      const before = b.engine.counters().total;
      const datagram = datagramOf(bytes);
      b.engine.received(datagram, 0, datagram.length, from.ip, from.port);
      b.engine.flush();
      net.run(1);
      watch.reset();
      const after = b.engine.counters().total;
      return (
        after.datagramsIn > before.datagramsIn &&
        after.datagramFaults === before.datagramFaults &&
        after.decryptFailures === before.decryptFailures
      );
    },
    end: () => stillWork(pair),
  };
}

const controlBodies = ["", "00", "05c2", "ffff", "0592aabb"].map(fromHex);

const plainDatagrams = (): Uint8Array[] => [
  ...talked()
    .a.sent.map(({ bytes }) => bytes)
    .filter(({ length }) => length < 2000),
  ...recordedBytes(["sleeve/plain-datagrams", "sleeve/trace-plain"], /^(datagram|udp_payload)$/),
  ...controlBodies,
];

export const plainSleeveTarget: FuzzTarget = {
  name: "sleeve",
  corpus: plainDatagrams,
  begin: () => receiver(talked(), underRightName, headSize.plain),
};

/** A datagram is looked at only under the name of a neighbour: most mutants get it back. */
function underRightName(bytes: Uint8Array): Uint8Array {
  const datagram = bytes.slice();
  if (datagram.length >= senderSize && (fingerprint(bytes) & 0x38) !== 0) {
    datagram.set(peerNameBytes(nameA));
  }
  return datagram;
}

/**
 * With a password, half of the inputs are damaged where they are sealed, and are thrown away for
 * it; the others are damaged first and sealed well.
 */
export const sealedSleeveTarget: FuzzTarget = {
  name: "sleeve-sealed",
  corpus: () => [
    ...talked(key)
      .a.sent.map(({ bytes }) => bytes)
      .filter(({ length }) => length < 2000),
    ...plainDatagrams().map((datagram) => datagram.subarray(plainHeadSize)),
  ],
  begin() {
    const pair = talked(key);
    const sealer = new EncryptingSealer({ box: portableSecretBox, key, outbound: true });
    // Beyond what the other host numbers itself, within the same replay window.
    let sequence = 1 << 19;
    const sealed = (records: Uint8Array): Uint8Array => {
      const head = new Uint8Array(encryptedHeadSize);
      head.set(peerNameBytes(nameA));
      const datagram = concatBytes(head, records);
      const df = (fingerprint(records) & 0x400) !== 0;
      sealer.sealAs({ sequence: sequence++, df }, datagram, datagram.length);
      return datagram;
    };
    const datagramOf = (bytes: Uint8Array): Uint8Array =>
      (fingerprint(bytes) & 0x200) === 0 ? sealed(bytes) : underRightName(bytes);
    return receiver(pair, datagramOf, headSize.sealed);
  },
};

/** Frames of containers, towards a path that takes small ones only. */
export const framesTarget: FuzzTarget = {
  name: "frames",
  corpus: () => [
    ...recordedBytes(["sleeve/fragments", "sleeve/special-frames"], /^frame$/),
    ...[false, true].flatMap((df) => [
      ipv4Frame(m2, m1, { packet: 100, df }),
      ipv4Frame(m2, m1, { packet: 1500, df }),
      ipv4Frame(m2, m1, { packet: 1500, df, claims: 4000 }),
    ]),
    ...[1200, 1500].map((size) =>
      concatBytes(fromHex("fe4100000002fe410000000186dd60"), new Uint8Array(size)),
    ),
    frameOf(everybody, m1, { length: 1600 }),
    recordIn(frameOf(m2, m1)),
  ],
  begin() {
    const pair = talked();
    const { net, a, b } = pair;
    for (const wire of [net.wire(a, b), net.wire(b, a)]) wire.holeAbove = 1428;
    net.run(6 * 60_000);
    b.capture(frameOf(everybody, m2));
    net.run(10);
    const watch = new Watch(a, plainHeadSize);
    return {
      consume(bytes) {
        const dropped = a.engine.counters().engine.dropRunt;
        a.engine.captured(bytes, 0, bytes.length);
        a.engine.flush();
        net.run(1);
        watch.reset();
        return a.engine.counters().engine.dropRunt === dropped;
      },
      end: () => stillWork(pair),
    };
  },
};

/** A frame that looks like sleeve itself. */
function recordIn(frame: Uint8Array): Uint8Array {
  const record = new Uint8Array(frame.length + 14);
  writeRecord(
    record,
    0,
    { source: nameA, destination: nameB },
    { bytes: frame, at: 0, length: frame.length },
  );
  return record;
}
