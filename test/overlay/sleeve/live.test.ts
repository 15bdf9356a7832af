import { describe, expect, test } from "bun:test";
import { fromHex } from "../../../lib/base/bytes.ts";
import { type PeerName, readPeerName } from "../../../lib/base/peer-name.ts";
import { portableSecretBox } from "../../../lib/base/secret-box.ts";
import {
  encryptedHeadSize,
  plainHeadSize,
  RecordReader,
} from "../../../lib/overlay/sleeve/datagram.ts";
import {
  type DatagramOpener,
  DecryptingOpener,
  plainOpener,
} from "../../../lib/overlay/sleeve/datagram-seal.ts";
import { specialKind } from "../../../lib/overlay/sleeve/special-frame.ts";
import encrypted from "../../vectors/live/two-peers-encrypted-known-keys.json";
import plain from "../../vectors/live/two-peers-plain.json";
import { vectorPeer } from "../vectors.ts";

/** What two original routers sent each other, captured between their hosts. */
interface LiveDatagram {
  from: string;
  len: number;
  hex: string;
  zero_tail?: number;
}

interface Live {
  peers: { label: string; name: string }[];
  udp: LiveDatagram[];
}

interface Decoded {
  from: string;
  source: PeerName;
  destination: PeerName;
  kind: string;
  frame: string;
}

/** The peer that dialled is `h2` in both recordings. */
const dialler = "h2";

function decode(live: Live, key: Uint8Array | undefined): Decoded[] {
  const names = new Map(live.peers.map(({ label, name }) => [label, vectorPeer(name)]));
  const openers = new Map<string, DatagramOpener>(
    live.peers.map(({ label }) => [
      label,
      key === undefined
        ? plainOpener
        : new DecryptingOpener({ box: portableSecretBox, key, outbound: label !== dialler }),
    ]),
  );
  const reader = new RecordReader();
  const decoded: Decoded[] = [];
  for (const { from, len, hex, zero_tail } of live.udp) {
    const datagram = new Uint8Array(len);
    datagram.set(fromHex(hex));
    expect(len).toBe(hex.length / 2 + (zero_tail ?? 0));
    expect(readPeerName(datagram)).toBe(names.get(from)!);
    expect(openers.get(from)!.open(datagram, 0, len)).toBeUndefined();
    reader.begin(datagram, key === undefined ? plainHeadSize : encryptedHeadSize, len);
    while (reader.next()) {
      const { source, destination, frameAt, frameLength } = reader;
      const kind = specialKind(datagram, frameAt, frameLength) ?? "ordinary";
      const frame = datagram.subarray(frameAt, frameAt + frameLength).toHex();
      decoded.push({ from, source, destination, kind, frame });
    }
    expect(reader.fault).toBeUndefined();
  }
  return decoded;
}

const key = fromHex(encrypted.keys.log[0]!.session_key);

for (const [name, live, liveKey] of [
  ["in clear", plain as Live, undefined],
  ["encrypted", encrypted as Live, key],
] as const) {
  describe(`two original routers in the wild, ${name}`, () => {
    const decoded = decode(live, liveKey);

    test("send datagrams that can all be opened and read to the end", () => {
      expect(decoded.length).toBeGreaterThanOrEqual(live.udp.length);
    });

    test("put their own name and the other's on every frame", () => {
      const names = live.peers.map((peer) => vectorPeer(peer.name));
      for (const { source, destination } of decoded) {
        expect([source, destination].toSorted()).toEqual(names.toSorted());
      }
    });

    test("use one uid in all heartbeats of both sides", () => {
      const beats = decoded.filter(({ kind }) => kind === "heartbeat");
      expect(new Set(beats.map(({ from }) => from)).size).toBe(2);
      expect(new Set(beats.map(({ frame }) => frame)).size).toBe(1);
    });

    test("each send one fragmentation test and one MTU test, and nothing spoilt", () => {
      const kinds = decoded.map(({ from, kind }) => `${from} ${kind}`);
      for (const { label } of live.peers) {
        expect(kinds.filter((kind) => kind === `${label} fragmentationTest`)).toHaveLength(1);
        expect(kinds.filter((kind) => kind === `${label} mtuTest`)).toHaveLength(1);
      }
      expect(kinds.filter((kind) => kind.endsWith("spoilt"))).toEqual([]);
    });

    test("carry ARP, IPv4 and IPv6 frames of containers, several to a datagram", () => {
      const types = new Set(
        decoded.filter(({ kind }) => kind === "ordinary").map(({ frame }) => frame.slice(24, 28)),
      );
      expect(types).toEqual(new Set(["0800", "0806", "86dd"]));
      expect(decoded.length).toBeGreaterThan(live.udp.length);
    });
  });
}

test("no datagram of the encrypted conversation can be replayed", () => {
  const from = (encrypted as Live).udp.filter((datagram) => datagram.from === dialler);
  const opener = new DecryptingOpener({ box: portableSecretBox, key, outbound: false });
  const open = ({ hex }: LiveDatagram) => {
    const bytes = fromHex(hex);
    return opener.open(bytes, 0, bytes.length) ?? "opened";
  };
  expect(new Set(from.map(open))).toEqual(new Set(["opened"]));
  expect(new Set(from.map(open))).toEqual(new Set(["replayed"]));
});
