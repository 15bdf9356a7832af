import { describe, expect, test } from "bun:test";
import { concatBytes, emptyBytes, fromHex, toHex, utf8 } from "../../lib/base/bytes.ts";
import { WeaveError } from "../../lib/base/errors.ts";
import { formatPeerName } from "../../lib/base/peer-name.ts";
import { seededRandom } from "../../lib/base/random.ts";
import {
  decodeFeatures,
  encodeFeatures,
  type Features,
  parseFeatures,
  publicKeyFeature,
} from "../../lib/mesh/features.ts";
import { headerSize } from "../../lib/mesh/header.ts";
import {
  type Introduced,
  Introduction,
  type IntroductionOptions,
} from "../../lib/mesh/introduction.ts";
import type { MessageCodec } from "../../lib/mesh/message-codec.ts";
import { keyPairOf, TcpSealer } from "../../lib/mesh/session.ts";
import { chunks, fuzz } from "../fuzz/mutate.ts";
import vectors from "../vectors/mesh/intro.json";

type Transcript = (typeof vectors.transcripts)[number];
type Side = Transcript["outbound"] | Transcript["inbound"];
type Role = "outbound" | "inbound";

/** One call of the recorded process that wrote to the connection. */
interface Write {
  readonly hex: string;
  /** The protocol message in it, in clear. */
  readonly messageHex?: string;
  /** The gob messages of the features in it, in clear. */
  readonly gobMessages?: ReadonlyArray<{ readonly hex: string }>;
}

/** Everything that came of an introduction, and what was sent for it. */
interface Result {
  readonly sent: Uint8Array;
  readonly introduced?: Introduced;
  readonly failed?: WeaveError;
}

function run(options: IntroductionOptions, pieces: Iterable<Uint8Array>): Result {
  const introduction = new Introduction(options);
  const sent = [introduction.start()];
  let introduced: Introduced | undefined;
  for (const piece of pieces) {
    if (introduced !== undefined) {
      introduced.codec.push(piece);
      continue;
    }
    const step = introduction.receive(piece);
    sent.push(step.send);
    if (step.failed !== undefined) return { sent: concatBytes(...sent), failed: step.failed };
    introduced = step.introduced;
  }
  if (introduced !== undefined) return { sent: concatBytes(...sent), introduced };
  const ended = new WeaveError("STREAM_ENDED", "EOF");
  return { sent: concatBytes(...sent), failed: introduction.interrupted(ended) };
}

function messagesOf(codec: MessageCodec): string[] {
  const messages: string[] = [];
  for (let next = codec.next(); next !== undefined; next = codec.next()) messages.push(toHex(next));
  return messages;
}

/** The plain gob stream with one side's features, as the original wrote it. */
function recordedFeatures(side: Side, version: number): Uint8Array {
  const writes: readonly Write[] = side.writes;
  if (version === 1) return fromHex(writes[1]!.hex + writes[2]!.hex);
  return concatBytes(...writes[2]!.gobMessages!.map((message) => fromHex(message.hex)));
}

function optionsFor(transcript: Transcript, role: Role): IntroductionOptions {
  const side = transcript[role];
  const features = new Map(decodeFeatures(recordedFeatures(side, transcript.version)));
  features.delete(publicKeyFeature);
  const [min, max] = transcript.headers[role];
  return {
    outbound: role === "outbound",
    versions: { min: min === 2 ? 2 : 1, max: max === 1 ? 1 : 2 },
    password: transcript.password === null ? undefined : utf8(transcript.password),
    newKeyPair: () => keyPairOf(fromHex("privateKeyHex" in side ? (side.privateKeyHex ?? "") : "")),
    features: () => features,
  };
}

/**
 * What the side sent up to its features, with our gob type id in place of the one that the recorded
 * process happened to use, and, in version 1, the public key last.
 */
function expectedIntroduction(transcript: Transcript, role: Role, key: Uint8Array | undefined) {
  const side = transcript[role];
  const recorded = recordedFeatures(side, transcript.version);
  expect(toHex(recorded)).toStartWith("0eff87040102ff88");
  const features = new Map(decodeFeatures(recorded));
  const publicKey = features.get(publicKeyFeature);
  if (publicKey !== undefined && features.delete(publicKeyFeature)) {
    features.set(publicKeyFeature, publicKey);
  }
  const plain = encodeFeatures(features);
  expect(plain.length).toBe(recorded.length);
  if (transcript.version === 1) return concatBytes(fromHex(side.writes[0]!.hex), plain);
  const sealed = key === undefined ? plain : new TcpSealer(key, role === "outbound").seal(plain);
  const length = fromHex(side.writes[2]!.hex.slice(0, 8));
  return concatBytes(fromHex(side.writes[0]!.hex + side.writes[1]!.hex), length, sealed);
}

describe("introductions recorded from the original", () => {
  for (const transcript of vectors.transcripts) {
    for (const role of ["outbound", "inbound"] as const) {
      const theirs = transcript[role === "outbound" ? "inbound" : "outbound"];
      const key =
        "sessionKeyHex" in transcript ? fromHex(transcript.sessionKeyHex ?? "") : undefined;

      test(`${transcript.name}, we are ${role}: the same octets, features, key and messages`, () => {
        const { sent, introduced } = run(optionsFor(transcript, role), [fromHex(theirs.stream)]);
        expect(introduced).toBeDefined();
        if (introduced === undefined) return;
        expect(toHex(sent)).toBe(toHex(expectedIntroduction(transcript, role, key)));
        expect(introduced.version).toBe(transcript.version === 1 ? 1 : 2);
        const recorded = new Map(decodeFeatures(recordedFeatures(theirs, transcript.version)));
        recorded.delete(publicKeyFeature);
        const stated = parseFeatures(new Map(Object.entries(theirs.features)), introduced.version);
        expect(Object.fromEntries(recorded)).toEqual(Object.fromEntries(stated.features));
        expect(introduced.sessionKey).toEqual(key);
        const seen: Record<string, string> = Object.fromEntries(introduced.remote.features);
        expect(seen).toEqual({ ...theirs.featuresSeenByRemote });
        const theirMessages = theirs.writes.flatMap((write) => write.messageHex ?? []);
        expect(messagesOf(introduced.codec)).toEqual(theirMessages);
        for (const { messageHex, hex } of transcript[role].writes) {
          if (messageHex === undefined) continue;
          expect(toHex(introduced.codec.encode(fromHex(messageHex)))).toBe(hex);
        }
      });

      test(`${transcript.name}, we are ${role}: the same however the stream is cut`, () => {
        const options = optionsFor(transcript, role);
        const stream = fromHex(theirs.stream);
        const whole = run(options, [stream]);
        const messages = messagesOf(whole.introduced!.codec);
        for (let seed = 0; seed < 10; seed++) {
          const cut = run(options, chunks(seededRandom(seed), stream));
          expect(cut.sent).toEqual(whole.sent);
          expect(cut.introduced!.remote).toEqual(whole.introduced!.remote);
          expect(messagesOf(cut.introduced!.codec)).toEqual(messages);
        }
      });
    }
  }
});

const ownFeatureMap: Features = new Map([
  ["PeerNameFlavour", "mac"],
  ["Name", "7a:9f:eb:b6:0c:6e"],
  ["NickName", "host1"],
  ["UID", "1234567890123456789"],
  ["ConnID", "9833440827789222417"],
]);

function acceptor(password: string | undefined): IntroductionOptions {
  return {
    outbound: false,
    versions: { min: 1, max: 2 },
    password: password === undefined ? undefined : utf8(password),
    newKeyPair: () => keyPairOf(seededRandom(9).fill(new Uint8Array(32))),
    features: () => ownFeatureMap,
  };
}

/** Texts that operators search for: ours contain them word by word. */
const keptTexts = [
  "failed to receive remote protocol header: ",
  "received incomplete remote protocol header (5 octets instead of 7): ",
  "remote protocol header not recognised: [71 69 84 32 47]",
  "no password specificed, but peer requested an encrypted connection",
  "password specified, but peer requested an unencrypted connection",
  "Bad encryption flag 2",
  "incoming message exceeds maximum size: 10485761 > 10485760",
  "field PeerNameFlavour is missing",
  "field Name is missing",
  "field NickName is missing",
  "field UID is missing",
  "field ConnID is missing",
  "Peer name flavour mismatch (ours: 'mac', theirs: 'hash')",
  'invalid peer name format: "host2"',
];

describe("what a remote may open with", () => {
  for (const vector of vectors.remoteMisbehaviour) {
    const stream = fromHex(vector.remoteStreamHex);
    const cuts = { whole: [stream], "octet by octet": Array.from(stream, (o) => Uint8Array.of(o)) };
    for (const [cut, pieces] of Object.entries(cuts)) {
      test(`${vector.name}, ${cut}: ${vector.parsed === undefined ? "refused" : "accepted"}`, () => {
        const options = acceptor(vector.weHavePassword ? "wEaVe-pa55" : undefined);
        const { introduced, failed } = run(options, pieces);
        const parsed = vector.parsed;
        if (parsed === undefined) {
          expect(failed).toBeInstanceOf(WeaveError);
          const original = vector.goError ?? vector.goFeatureError ?? "";
          const kept = keptTexts.find((text) => original.includes(text));
          expect(failed!.message).toContain(kept ?? "");
          expect(failed!.remedy).toBeDefined();
          return;
        }
        const remote = introduced!.remote;
        expect({
          name: formatPeerName(remote.name),
          hasShortID: remote.shortId !== undefined,
          nickName: remote.nickname,
          shortID: remote.shortId ?? 0,
          trustedByRemote: remote.trustsUs,
          uid: remote.uid.toString(),
        }).toEqual(parsed);
      });
    }
  }

  test("every text that operators search for occurs", () => {
    const originals = vectors.remoteMisbehaviour.map((v) => v.goError ?? v.goFeatureError ?? "");
    for (const kept of keptTexts) {
      expect(originals.some((original) => original.includes(kept))).toBe(true);
    }
  });
});

test("a remote that wants the other mode hears our mode but not who we are", () => {
  const header = "77656176650102";
  const clear = run(acceptor("secret"), [fromHex(`${header}00`)]);
  expect(clear.failed?.code).toBe("PASSWORD_ONE_SIDED");
  expect(clear.sent.length).toBe(headerSize + 1 + 32);
  const encrypted = run(acceptor(undefined), [fromHex(`${header}01`)]);
  expect(encrypted.failed?.code).toBe("PASSWORD_ONE_SIDED");
  expect(toHex(encrypted.sent)).toBe(`${header}00`);
});

test("an empty password is no password", () => {
  const { sent } = run(acceptor(""), [fromHex("7765617665010200")]);
  expect(toHex(sent)).toStartWith("7765617665010200");
});

test("no key is made for a stranger", () => {
  let made = 0;
  const options = {
    ...acceptor("secret"),
    newKeyPair: () => keyPairOf(new Uint8Array(32).fill(++made)),
  };
  run(options, [utf8("GET / HTTP/1.1\r\n\r\n")]);
  run(options, [fromHex("77656176650909")]);
  expect(made).toBe(0);
});

test("a public key of low order is refused", () => {
  const stream = concatBytes(fromHex("7765617665020201"), new Uint8Array(32));
  expect(run(acceptor("secret"), [stream]).failed?.code).toBe("KEY_WEAK");
});

test("features of more than 64 KiB are refused by their length alone", () => {
  const stream = fromHex("776561766501020000010001");
  expect(run(acceptor(undefined), [stream]).failed?.message).toBe(
    "incoming message exceeds maximum size: 65537 > 65536",
  );
});

describe("an introduction that breaks off names the likely cause", () => {
  const cases: ReadonlyArray<[string, string | undefined, string, string]> = [
    ["before the flag, without a password", undefined, "77656176650102", "may require a password"],
    ["before the flag, with a password", "secret", "77656176650102", "may have no password"],
    [
      "before sealed features",
      "secret",
      `7765617665010201${toHex(keyPairOf(new Uint8Array(32).fill(3)).publicKey)}`,
      "may have a different password",
    ],
    ["before clear features", undefined, "7765617665010200", "may have refused our features"],
    ["in version 1", undefined, "77656176650101", "may have refused our features"],
  ];
  for (const [name, password, hex, text] of cases) {
    test(name, () => {
      const { failed } = run(acceptor(password), [fromHex(hex)]);
      expect(failed?.message).toContain("introduction not completed: EOF");
      expect(failed?.message).toContain(text);
      expect(failed?.remedy).toBeDefined();
    });
  }
});

describe("damaged openings are accepted or refused, never fatal", () => {
  const streams = [
    ...vectors.transcripts.flatMap(({ outbound, inbound }) => [outbound.stream, inbound.stream]),
    ...vectors.remoteMisbehaviour.map((vector) => vector.remoteStreamHex),
  ].map((hex) => fromHex(hex));

  function open(options: IntroductionOptions, mutant: Uint8Array): void {
    const pieces = mutant.length === 0 ? [emptyBytes] : chunks(seededRandom(mutant.length), mutant);
    const { introduced } = run(options, pieces);
    if (introduced === undefined) return;
    try {
      messagesOf(introduced.codec);
    } catch (error) {
      if (!(error instanceof WeaveError)) throw error;
    }
  }

  test("without a password", () => fuzz(51, streams, 40_000, (m) => open(acceptor(undefined), m)));

  test("with a password", () => {
    const pair = acceptor("wEaVe-pa55").newKeyPair();
    const options = { ...acceptor("wEaVe-pa55"), newKeyPair: () => pair };
    fuzz(52, streams, 4000, (mutant) => open(options, mutant));
  });
});
