import { describe, expect, test } from "bun:test";
import { concatBytes, fromHex, toHex, utf8 } from "../../lib/base/bytes.ts";
import { parsePeerName } from "../../lib/base/peer-name.ts";
import { seededRandom } from "../../lib/base/random.ts";
import { decodeFeatures, parseFeatures } from "../../lib/mesh/features.ts";
import {
  type Introduced,
  Introduction,
  type IntroductionOptions,
} from "../../lib/mesh/introduction.ts";
import { decodeMessage, encodeMessage } from "../../lib/mesh/protocol-message.ts";
import { keyPairOf } from "../../lib/mesh/session.ts";
import { decodeTopology } from "../../lib/mesh/topology-codec.ts";
import { chunks } from "../fuzz/mutate.ts";
import plainVersion1 from "../vectors/live/protocol-v1.json";
import encryptedVersion1 from "../vectors/live/protocol-v1-encrypted.json";
import differentPasswords from "../vectors/live/refused-different-passwords.json";
import differentRange from "../vectors/live/refused-different-range.json";
import differentRings from "../vectors/live/refused-different-rings.json";
import oneSide from "../vectors/live/refused-password-one-side.json";
import otherSide from "../vectors/live/refused-password-other-side.json";
import sameName from "../vectors/live/refused-same-name.json";
import trustedSubnets from "../vectors/live/trusted-subnets.json";
import encrypted from "../vectors/live/two-peers-encrypted-known-keys.json";
import plain from "../vectors/live/two-peers-plain.json";
import live from "../vectors/mesh/live-sessions.json";
import { plainMessage, readRecorded } from "./recorded-stream.ts";
import { recordOf, type VectorPeer } from "./records.ts";

interface Keys {
  readonly password: string;
  readonly log: ReadonlyArray<{
    readonly remote_public_key: string;
    readonly local_private_key: string;
    readonly session_key: string;
    readonly peer: string;
  }>;
}

interface Segment {
  readonly hex: string;
}

interface Capture {
  readonly scenario: string;
  readonly keys?: Keys;
  readonly tcp: ReadonlyArray<{
    readonly client: string;
    readonly server: string;
    readonly client_to_server: readonly Segment[];
    readonly client_to_server_messages: readonly string[];
    readonly server_to_client: readonly Segment[];
    readonly server_to_client_messages: readonly string[];
  }>;
}

const captures: readonly Capture[] = [
  plain,
  encrypted,
  plainVersion1,
  encryptedVersion1,
  differentPasswords,
  differentRange,
  differentRings,
  oneSide,
  otherSide,
  sameName,
  trustedSubnets,
];

const directions = ["client_to_server", "server_to_client"] as const;

function join(segments: readonly Segment[]): Uint8Array {
  return concatBytes(...segments.map((segment) => fromHex(segment.hex)));
}

describe("every octet between two originals is understood", () => {
  for (const capture of captures) {
    const version = capture.scenario.startsWith("protocol-v1") ? 1 : 2;
    const key = capture.keys && fromHex(capture.keys.log[0]!.session_key);
    for (const [number, connection] of capture.tcp.entries()) {
      for (const direction of directions) {
        test(`${capture.scenario}, connection ${number}, ${direction}`, () => {
          const senderOutbound = direction === "client_to_server";
          const stream = join(connection[direction]);
          const read = readRecorded(stream, { version, senderOutbound, key });
          expect(read.restBytes).toBe(0);
          const index = connection[`${direction}_messages`];
          if (version === 1) {
            expect(read.index.length).toBeGreaterThan(6);
          } else if (key === undefined) {
            expect(read.index).toEqual([...index]);
          } else {
            const blurred = read.index.map((line, at) =>
              at < 3 ? line : line.replace(/ .*/, " sealed"),
            );
            expect(blurred).toEqual([...index]);
          }
          for (const message of read.messages) expect(message.kind).not.toBe("unknown");
          if (read.features !== undefined) parseFeatures(read.features, version);
        });
      }
    }
  }
});

test("bare overlay messages are those of version 1, indexed ones those of version 2", () => {
  for (const capture of [plain, plainVersion1]) {
    const version = capture === plainVersion1 ? 1 : 2;
    const stream = join(capture.tcp[0]!.client_to_server);
    const { messages } = readRecorded(stream, { version, senderOutbound: true });
    const tags = messages.flatMap((message) => (message.kind === "control" ? message.tag : []));
    expect(tags.length).toBeGreaterThan(2);
    expect(tags.every((tag) => (tag === 7) === (version === 2))).toBe(true);
  }
});

describe("in the place of one original we understand the other", () => {
  for (const capture of [encrypted, encryptedVersion1]) {
    for (const log of capture.keys.log) {
      test(`${capture.scenario}, as ${log.peer}`, () => {
        const { client, ...connection } = capture.tcp[0]!;
        const outbound = log.peer === client;
        const theirs = join(connection[outbound ? "server_to_client" : "client_to_server"]);
        const version = capture === encryptedVersion1 ? 1 : 2;
        const key = fromHex(log.session_key);
        const heard = readRecorded(theirs, { version, senderOutbound: !outbound, key });
        const options: IntroductionOptions = {
          outbound,
          versions: { min: 1, max: 2 },
          password: utf8(capture.keys.password),
          newKeyPair: () => keyPairOf(fromHex(log.local_private_key)),
          features: () => new Map(),
        };
        const introduction = new Introduction(options);
        let introduced: Introduced | undefined;
        for (const chunk of chunks(seededRandom(1), theirs)) {
          if (introduced === undefined) introduced = introduction.receive(chunk).introduced;
          else introduced.codec.push(chunk);
        }
        expect(introduced?.version).toBe(version);
        expect(introduced?.sessionKey).toEqual(key);
        for (const message of heard.messages) {
          expect(decodeMessage(introduced!.codec.next()!)).toEqual(message);
        }
        expect(introduced!.codec.next()).toBeUndefined();
      });
    }
  }
});

describe("sessions recorded event by event", () => {
  for (const session of live.sessions) {
    for (const from of ["outbound", "inbound"] as const) {
      test(`${session.name}, ${from} side: every event means what is stated`, () => {
        const events = session.events.filter((event) => event.from === from);
        const stream = concatBytes(...events.map((event) => fromHex(event.hex)));
        const { sessionKeyHex } = session;
        const key = sessionKeyHex === null ? undefined : fromHex(sessionKeyHex);
        const senderOutbound = from === "outbound";
        const read = readRecorded(stream, { version: 2, senderOutbound, key });
        expect(read.restBytes).toBe(0);
        const stated = events.find((event) => event.what === "features")!.features;
        expect<unknown>(Object.fromEntries(read.features!)).toEqual({ ...stated });
        const decoded = events.flatMap((event) => event.decoded ?? []);
        expect<unknown>(read.messages.map(plainMessage)).toEqual(decoded.map(statedMessage));
        for (const { payloadHex, topology, bodyHex, mtu } of decoded as readonly Stated[]) {
          if (topology !== undefined) {
            const { records } = decodeTopology(fromHex(payloadHex!));
            expect(records).toEqual(topology.map(recordOf));
          }
          if (mtu !== undefined) expect(Number.parseInt(bodyHex!, 16)).toBe(mtu);
        }
      });
    }
  }

  test("a message is written as the original writes it", () => {
    const session = live.sessions[0]!;
    for (const event of session.events.filter((each) => each.what === "message")) {
      const message = decodeMessage(fromHex(event.hex.slice(8)));
      if (message.kind === "unknown") throw new Error("unknown message");
      expect(toHex(encodeMessage(message))).toBe(event.hex.slice(8));
    }
  });

  test("sealed features are message number zero", () => {
    const session = live.sessions[1]!;
    const events: readonly RecordedEvent[] = session.events;
    for (const event of events.filter((each) => each.what === "features")) {
      expect(event.nonceHex).toEndWith("0".repeat(16));
      const stated = event.features;
      const features = decodeFeatures(fromHex(event.plaintextHex ?? ""));
      expect<unknown>(Object.fromEntries(features)).toEqual({ ...stated });
    }
  });
});

interface RecordedEvent {
  readonly what: string;
  readonly nonceHex?: string;
  readonly plaintextHex?: string;
  readonly features?: object;
}

interface Stated {
  readonly tag: number;
  readonly channel?: string;
  readonly source?: string;
  readonly payloadHex?: string;
  readonly overlayIndex?: number;
  readonly innerTag?: number;
  readonly bodyHex?: string;
  readonly topology?: readonly VectorPeer[];
  readonly mtu?: number;
}

/** A message as the recording states it, in our words. */
function statedMessage(stated: Stated): Record<string, unknown> {
  const { tag, channel, payloadHex: payload, source = "::1" } = stated;
  const name = parsePeerName(source);
  switch (tag) {
    case 0:
      return { kind: "heartbeat" };
    case 4:
      return { kind: "gossip", channel, sender: name, payload };
    case 6:
      return { kind: "broadcast", channel, origin: name, payload };
    default: {
      const head = toHex(Uint8Array.of(stated.overlayIndex!, stated.innerTag!));
      return { kind: "control", tag, body: head + (stated.bodyHex ?? "") };
    }
  }
}
