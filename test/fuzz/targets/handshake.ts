import { concatBytes, emptyBytes, fromHex, utf8 } from "../../../lib/base/bytes.ts";
import { WeaveError } from "../../../lib/base/errors.ts";
import { seededRandom } from "../../../lib/base/random.ts";
import { encodeFeatures, type Features } from "../../../lib/mesh/features.ts";
import { LengthFraming } from "../../../lib/mesh/framing.ts";
import {
  type Introduced,
  Introduction,
  type IntroductionOptions,
} from "../../../lib/mesh/introduction.ts";
import type { MessageCodec } from "../../../lib/mesh/message-codec.ts";
import { decodeMessage } from "../../../lib/mesh/protocol-message.ts";
import { ReceiveBuffer } from "../../../lib/mesh/receive-buffer.ts";
import { keyPairOf, sessionKey, TcpSealer } from "../../../lib/mesh/session.ts";
import { chunks } from "../mutate.ts";
import { recordedBytes } from "../recorded.ts";
import { assertDeclared, type FuzzTarget, fingerprint, hold, refusable } from "../target.ts";

const password = utf8("wEaVe-pa55");
const ownKeys = keyPairOf(seededRandom(9).fill(new Uint8Array(32)));
const theirKeys = keyPairOf(seededRandom(8).fill(new Uint8Array(32)));
const key = sessionKey(ownKeys, theirKeys.publicKey, password);

const features: Features = new Map([
  ["PeerNameFlavour", "mac"],
  ["Name", "7a:9f:eb:b6:0c:6e"],
  ["NickName", "host1"],
  ["UID", "1234567890123456789"],
  ["ConnID", "9833440827789222417"],
]);
const moreFeatures: Features = new Map([
  ...features,
  ["ShortID", "4095"],
  ["Trusted", "true"],
  ["Overlays", "fastdp sleeve"],
  ["UID", "18446744073709551615"],
]);

/** Why a remote may be shown the door, before and after it has introduced itself. */
const refusals = [
  "HEADER_UNKNOWN",
  "VERSION_INCOMPATIBLE",
  "FLAG_UNKNOWN",
  "PASSWORD_ONE_SIDED",
  "KEY_WEAK",
  "FRAME_TOO_LARGE",
  "FEATURES_FORMAT",
  "FEATURE_MISSING",
  "FEATURE_VALUE",
  "FEATURE_FLAVOUR",
  "PEER_NAME_FORMAT",
  "DECRYPT_FAILED",
  "MESSAGE_FORMAT",
  "GOB_*",
];
const interruptions = ["HEADER_INCOMPLETE", "INTRODUCTION_INTERRUPTED"];

/** All that we ever send in an introduction: a header, a key and a few features. */
const sentMaxBytes = 2048;

function optionsFor(choice: number, sealed: boolean): IntroductionOptions {
  const versions = [
    { min: 1, max: 2 },
    { min: 1, max: 2 },
    { min: 1, max: 1 },
    { min: 2, max: 2 },
  ] as const;
  return {
    outbound: (choice & 1) === 1,
    versions: versions[(choice >> 1) & 3]!,
    password: sealed ? password : undefined,
    newKeyPair: () => ownKeys,
    features: () => features,
  };
}

/** Lets a remote say `stream`, cut in pieces, and reads on behind its introduction. */
function listen(options: IntroductionOptions, stream: Uint8Array): boolean {
  const introduction = new Introduction(options);
  let sentBytes = introduction.start().length;
  let introduced: Introduced | undefined;
  const pieces = stream.length === 0 ? [emptyBytes] : chunks(seededRandom(stream.length), stream);
  for (const piece of pieces) {
    if (introduced !== undefined) {
      introduced.codec.push(piece);
      continue;
    }
    const step = introduction.receive(piece);
    sentBytes += step.send.length;
    hold(sentBytes <= sentMaxBytes, "a stranger makes us talk");
    if (step.failed !== undefined) {
      assertDeclared(refusals, step.failed);
      return false;
    }
    introduced = step.introduced;
  }
  if (introduced === undefined) {
    const ended = introduction.interrupted(new WeaveError("STREAM_ENDED", "EOF"));
    assertDeclared(interruptions, ended);
    return false;
  }
  checkIntroduced(introduced, options);
  readMessages(introduced.codec);
  return true;
}

function checkIntroduced(
  { remote, version, sessionKey: agreed }: Introduced,
  options: IntroductionOptions,
): void {
  hold(remote.name > 0 && remote.name < 2 ** 48, "a remote without a name");
  hold(remote.nickname.length <= 256, "a nickname without end");
  hold(version >= options.versions.min && version <= options.versions.max, "a foreign version");
  hold((agreed !== undefined) === (options.password !== undefined), "sealed by one side alone");
}

function readMessages(codec: MessageCodec): void {
  refusable(refusals, () => {
    for (let bytes = codec.next(); bytes !== undefined; bytes = codec.next()) {
      if (bytes.length > 0) decodeMessage(bytes);
    }
  });
}

/** What introduces itself well stands for as much as what does not. */
const streams = (): Uint8Array[] => {
  const good = [
    ...recordedBytes(["mesh/intro"], /^stream$/),
    openingInClear(features),
    openingInClear(moreFeatures),
  ];
  const odd = recordedBytes(["mesh/intro"], /^remoteStreamHex$/);
  return [
    ...odd,
    ...Array.from({ length: Math.ceil(odd.length / good.length) }, () => good).flat(),
  ];
};

function openingInClear(all: Features): Uint8Array {
  const framing = new LengthFraming(new ReceiveBuffer());
  const heartbeat = framing.wrap(Uint8Array.of(0));
  return concatBytes(fromHex("7765617665010200"), framing.wrap(encodeFeatures(all)), heartbeat);
}

/** The opening of a connection, both versions and both roles, in any pieces. */
export const handshakeTarget: FuzzTarget = {
  name: "handshake",
  corpus: streams,
  begin: () => ({
    consume: (bytes) => listen(optionsFor(fingerprint(bytes), false), bytes),
  }),
};

/**
 * The same with a password. Damage to what is sealed never gets past the cipher, so half of the
 * inputs are what a remote that knows the password seals: its features, then its messages.
 */
export const sealedHandshakeTarget: FuzzTarget = {
  name: "handshake-sealed",
  corpus: () => [
    ...streams(),
    ...recordedBytes(["mesh/intro"], /^messageHex$/),
    encodeFeatures(features),
    encodeFeatures(moreFeatures),
  ],
  begin: () => ({
    consume(bytes) {
      const choice = fingerprint(bytes);
      const options = optionsFor(choice, true);
      if ((choice & 0x100) === 0) return listen(options, bytes);
      return listen({ ...options, versions: { min: 1, max: 2 } }, sealedOpening(bytes, options));
    },
  }),
};

const goodFeatures = encodeFeatures(moreFeatures);

/** `plain` as the features, or as the message after good ones. */
function sealedOpening(plain: Uint8Array, { outbound }: IntroductionOptions): Uint8Array {
  const framing = new LengthFraming(new ReceiveBuffer());
  const sealer = new TcpSealer(key, !outbound);
  const contents = (fingerprint(plain) & 0x200) === 0 ? [plain] : [goodFeatures, plain];
  return concatBytes(
    fromHex("7765617665020201"),
    theirKeys.publicKey,
    ...contents.map((content) => framing.wrap(sealer.seal(content))),
  );
}
