import { describe, expect, test } from "bun:test";
import { fromHex, readUint16, readUint64, toHex, writeUint16 } from "../../../lib/base/bytes.ts";
import { parseIpv4 } from "../../../lib/base/ip.ts";
import { type PeerName, readPeerName, writePeerName } from "../../../lib/base/peer-name.ts";
import { portableSecretBox } from "../../../lib/base/secret-box.ts";
import { silentLog } from "../../../lib/base/world.ts";
import { type PathMtuPlan, prudentPlan } from "../../../lib/overlay/path-mtu-plan.ts";
import {
  encryptedHeadSize,
  plainHeadSize,
  RecordReader,
  writeRecord,
} from "../../../lib/overlay/sleeve/datagram.ts";
import { DecryptingOpener, EncryptingSealer } from "../../../lib/overlay/sleeve/datagram-seal.ts";
import { SleeveEngine } from "../../../lib/overlay/sleeve/engine.ts";
import { ipv4Seal } from "../../../lib/wire/ipv4.ts";
import specials from "../../vectors/sleeve/special-frames.json";
import blackhole from "../../vectors/sleeve/trace-blackhole.json";
import encrypted from "../../vectors/sleeve/trace-encrypted.json";
import plain from "../../vectors/sleeve/trace-plain.json";
import { type VectorBytes, vectorBytes, vectorPeer } from "../vectors.ts";
import { referencePlan } from "./reference-plan.ts";

/**
 * Two original routers were recorded for some seconds. Here one of them is replaced by our engine:
 * it hears the recorded datagrams and control messages of the other, is given the recorded frames
 * of its containers, and must say what the original said.
 */
interface TraceEvent {
  event: string;
  t_ms: number;
  from?: string;
  at?: string;
  len?: string;
  ip_df?: boolean;
  payload?: string;
  first_octets?: string;
  udp_payload?: VectorBytes;
  udp_payload_head?: string;
  udp_payload_len?: number;
  frames?: { src: string; dst: string; frame: VectorBytes; special?: string }[];
}

interface Trace {
  description: string;
  conn_uid_hex: string;
  session_key: string;
  peers: { ip: string; name: string; outbound: boolean }[];
  events: TraceEvent[];
}

interface Script {
  readonly trace: Trace;
  readonly plan: PathMtuPlan;
  /** IP packets above this are dropped before they are received. */
  readonly holeAbove: number;
}

/** What one side said, in order, each kind by itself: their interleaving is a matter of luck. */
interface Said {
  readonly frames: string[];
  readonly controls: string[];
  readonly injected: string[];
}

/** Ours, but for the questions whether a size in use still passes: no original answers those here. */
const unhurriedPlan: PathMtuPlan = {
  ...prudentPlan,
  recheckReliedMs: Number.POSITIVE_INFINITY,
};

const scripts: Record<string, Script> = {
  "in clear": { trace: plain as Trace, plan: unhurriedPlan, holeAbove: 65_535 },
  encrypted: { trace: encrypted as Trace, plan: unhurriedPlan, holeAbove: 65_535 },
  "through a black hole": { trace: blackhole as Trace, plan: referencePlan, holeAbove: 1428 },
};

function keyOf({ session_key }: Trace): Uint8Array | undefined {
  return session_key === "none" ? undefined : fromHex(session_key);
}

function describeFrame(df: boolean, frame: Uint8Array): string {
  const text = toHex(frame);
  return `${df ? "DF" : "  "} ${frame.length} ${text.slice(0, 200)}`;
}

function recorded(trace: Trace, ip: string): Said {
  const events = trace.events;
  return {
    frames: events
      .filter(({ event, from }) => event === "datagram" && from === ip)
      .flatMap(({ ip_df, frames }) =>
        frames!.map(({ frame }) => describeFrame(ip_df!, vectorBytes(frame))),
      ),
    controls: events
      .filter(({ event, from }) => event === "control message sent" && from === ip)
      .map(({ payload }) => payload!),
    injected: events
      .filter(({ event, at }) => event.startsWith("frame injected") && at === ip)
      .map(({ len, first_octets }) => `${len} ${first_octets}`),
  };
}

/** The octets of a recorded datagram; long encrypted ones are made again from their content. */
function datagramOf(trace: Trace, event: TraceEvent): Uint8Array<ArrayBuffer> {
  if (event.udp_payload !== undefined) return vectorBytes(event.udp_payload);
  const head = fromHex(event.udp_payload_head!);
  const { outbound } = trace.peers.find(({ ip }) => ip === event.from)!;
  const datagram = new Uint8Array(event.udp_payload_len!);
  writePeerName(datagram, 0, readPeerName(head));
  let at = encryptedHeadSize;
  for (const { src, dst, frame } of event.frames!) {
    const bytes = vectorBytes(frame);
    const route = { source: vectorPeer(src), destination: vectorPeer(dst) };
    at = writeRecord(datagram, at, route, { bytes, at: 0, length: bytes.length });
  }
  const sequence = Number(readUint64(head, 6) & 0x7fff_ffff_ffff_ffffn);
  new EncryptingSealer({ box: portableSecretBox, key: keyOf(trace)!, outbound }).sealAs(
    { sequence, df: (head[6]! & 0x80) !== 0 },
    datagram,
    at,
  );
  expect(at).toBe(datagram.length);
  expect(toHex(datagram.subarray(0, head.length))).toBe(toHex(head));
  return datagram;
}

/** The frames that containers of `ip` sent. The trace gives lengths; contents are found elsewhere. */
function capturedFrames(trace: Trace, ip: string): Uint8Array[] {
  const carried = trace.events
    .filter(({ event, from }) => event === "datagram" && from === ip)
    .flatMap(({ frames }) => frames!)
    .filter(({ special }) => special === undefined)
    .map(({ frame }) => vectorBytes(frame));
  const replies = trace.events
    .filter(({ event, at, len }) => event.startsWith("frame injected") && at === ip && len === "70")
    .map(({ first_octets }) => fromHex(first_octets!));
  const spanningTree = specials.cases.find(({ description }) => description.includes("LLC"))!;
  return trace.events
    .filter(({ event, at }) => event.startsWith("frame captured") && at === ip)
    .map(({ len }) => {
      const length = Number(len);
      const index = carried.findIndex((frame) => frame.length === length);
      if (index >= 0) return carried.splice(index, 1)[0]!;
      if (length === 60) return vectorBytes(spanningTree.frame as VectorBytes);
      return length === 1514 ? refused(replies[0]!, length) : joined(carried.splice(0, 3), length);
    });
}

/** The frame about which an ICMP error was sent, as far as the error quotes it. */
function refused(reply: Uint8Array, length: number): Uint8Array {
  const frame = new Uint8Array(length);
  frame.set(reply.subarray(6, 12), 0);
  frame.set(reply.subarray(0, 6), 6);
  frame.set(reply.subarray(12, 14), 12);
  frame.set(reply.subarray(42), 14);
  return frame;
}

/** The frame of which these are the fragments. */
function joined(fragments: Uint8Array[], length: number): Uint8Array {
  const frame = new Uint8Array(length);
  frame.set(fragments[0]!.subarray(0, 34));
  let at = 34;
  for (const fragment of fragments) {
    frame.set(fragment.subarray(34), at);
    at += fragment.length - 34;
  }
  expect(at).toBe(length);
  writeUint16(frame, 16, length - 14);
  writeUint16(frame, 20, 0);
  ipv4Seal(frame, 14);
  return frame;
}

function replay({ trace, plan, holeAbove }: Script, ip: string): Said {
  const self = trace.peers.find((peer) => peer.ip === ip)!;
  const other = trace.peers.find((peer) => peer.ip !== ip)!;
  const key = keyOf(trace);
  const said: Said = { frames: [], controls: [], injected: [] };
  const reader = new RecordReader();
  let nowMs = 0;
  const opener =
    key && new DecryptingOpener({ box: portableSecretBox, key, outbound: !self.outbound });
  const answers = trace.events
    .filter(({ from, payload }) => from === other.ip && payload?.startsWith("0003"))
    .map(({ payload }) => payload!);
  const due: string[] = [];

  const engine = new SleeveEngine({
    world: { monotonicMs: () => nowMs, log: silentLog },
    local: vectorPeer(self.name),
    plan,
    secretBox: portableSecretBox,
    events: {
      established() {},
      mtuChanged() {},
      remoteMoved() {},
      failed: (_link, code) => said.controls.push(code),
      controlOut: (_link, tag, body) =>
        said.controls.push(`00${toHex(Uint8Array.of(tag, ...body))}`),
    },
    ports: {
      send(_link, to, df, datagram, length) {
        expect(to).toEqual({ ip: parseIpv4(other.ip), port: 6783 });
        if (df && length + 28 > 1500) {
          // The kernel keeps it, but it has used up its number.
          opener?.open(datagram.slice(0, length), 0, length);
          return { pathMtu: 1500 };
        }
        const copy = datagram.slice(0, length);
        expect(opener?.open(copy, 0, length)).toBeUndefined();
        reader.begin(copy, key === undefined ? plainHeadSize : encryptedHeadSize, length);
        while (reader.next()) {
          const frame = copy.subarray(reader.frameAt, reader.frameAt + reader.frameLength);
          expect(reader.source).toBe(vectorPeer(self.name));
          expect(reader.destination).toBe(vectorPeer(other.name));
          said.frames.push(describeFrame(df, frame));
          due.push(`0003${(frame.length - 14).toString(16).padStart(4, "0")}`);
        }
        return "sent";
      },
      flush() {},
      inject: (bytes, at, length) => {
        const frame = toHex(bytes.subarray(at, at + length));
        const shown = trace.events.find(({ first_octets }) =>
          frame.startsWith(first_octets ?? "-"),
        );
        said.injected.push(`${length} ${shown?.first_octets}`);
      },
    },
  });
  const advance = (untilMs: number): void => {
    for (let next = engine.nextDeadlineMs(); next <= untilMs; next = engine.nextDeadlineMs()) {
      nowMs = Math.max(nowMs, next);
      engine.tick(nowMs);
      answer();
    }
    nowMs = untilMs;
  };
  // The other side answers a test as soon as it comes, if the recorded one did.
  const answer = (): void => {
    for (let test = due.shift(); test !== undefined; test = due.shift()) {
      if (answers[0] !== test) continue;
      answers.shift();
      engine.control(1, 3, fromHex(test.slice(4)));
    }
  };

  const names = [self, other].map(({ name }) => vectorPeer(name)) as [PeerName, PeerName];
  engine.setTopology({
    peers: names.map((name) => ({ name, nickname: "", shortId: undefined })),
    links: [names],
  });
  engine.prepare(1, {
    remote: vectorPeer(other.name),
    connectionUid: BigInt(`0x${trace.conn_uid_hex}`),
    outbound: self.outbound,
    localIp: parseIpv4(self.ip),
    remoteIp: parseIpv4(other.ip),
    remotePort: 6783,
    key,
  });
  engine.confirm(1);

  // The acknowledgement was read only when the tests of the path began.
  const testsMs = trace.events.find(({ from, ip_df }) => from === ip && ip_df === false)!.t_ms;
  const containers = capturedFrames(trace, ip);
  const happenings = trace.events.map((event): [number, () => void] => {
    if (event.event === "datagram" && event.from === other.ip) {
      return [event.t_ms, () => hear(datagramOf(trace, event))];
    }
    if (event.event === "control message sent" && event.from === other.ip) {
      const [tag, body] = [Number(event.payload!.slice(2, 4)), fromHex(event.payload!.slice(4))];
      const say = (): void => (tag === 3 ? undefined : engine.control(1, tag, body));
      return [tag === 1 ? testsMs : Math.max(event.t_ms, testsMs), say];
    }
    if (event.event.startsWith("frame captured") && event.at === ip) {
      return [event.t_ms, () => capture(containers.shift()!)];
    }
    return [event.t_ms, () => {}];
  });
  const hear = (datagram: Uint8Array): void => {
    if (datagram.length + 28 > holeAbove) return;
    engine.received(datagram, 0, datagram.length, parseIpv4(other.ip), 6783);
    engine.flush();
  };
  const capture = (frame: Uint8Array): void => {
    engine.captured(frame, 0, frame.length);
    engine.flush();
  };
  for (const [atMs, happen] of happenings.sort(([x], [y]) => x - y)) {
    advance(atMs);
    happen();
    answer();
  }
  return said;
}

for (const [name, script] of Object.entries(scripts)) {
  describe(`a recorded conversation ${name}`, () => {
    for (const { ip, outbound } of script.trace.peers) {
      const side = outbound ? "dialled" : "accepted";
      const expected = recorded(script.trace, ip);
      const said = replay(script, ip);

      test(`the side that ${side} sends the same frames, with and without DF`, () => {
        expect(said.frames).toEqual(expected.frames);
      });
      test(`the side that ${side} sends the same control messages`, () => {
        expect(said.controls).toEqual(expected.controls);
      });
      test(`the side that ${side} injects the same frames`, () => {
        expect(said.injected).toEqual(expected.injected);
      });
    }
  });
}

test("the refused frame is rebuilt from what its ICMP error quotes", () => {
  for (const { trace } of Object.values(scripts)) {
    const frame = capturedFrames(trace, "10.9.0.1").find(({ length }) => length === 1514)!;
    expect(readUint16(frame, 12)).toBe(0x0800);
    expect(readUint16(frame, 16)).toBe(1500);
  }
});
