import { concatBytes, fromHex, toHex } from "../base/bytes.ts";
import { assert, errorText, WeaveError } from "../base/errors.ts";
import type { SecretBox } from "../base/secret-box.ts";
import {
  decodeFeatures,
  encodeFeatures,
  type Features,
  featuresGob,
  featuresMaxBytes,
  parseFeatures,
  publicKeyFeature,
  type RemoteFeatures,
} from "./features.ts";
import { GobFraming, LengthFraming } from "./framing.ts";
import {
  chooseVersion,
  decodeHeader,
  encodeHeader,
  headerSize,
  incompleteHeader,
  type OwnVersionRange,
  type ProtocolVersion,
  refuseOtherProtocol,
} from "./header.ts";
import { MessageCodec } from "./message-codec.ts";
import { ReceiveBuffer } from "./receive-buffer.ts";
import { type KeyPair, publicKeySize, sessionKey } from "./session.ts";

/**
 * The opening of a connection, the same for both sides (mesh-protocol §4). No sockets and no
 * clock: octets in, octets out.
 *
 *   start() ──▶ header ──version 2──▶ flag ──00──▶ features ──▶ introduced
 *                  │                    └──01──▶ key ──▲
 *                  └─────version 1─────▶ gob features ─────────▶ introduced
 *
 *   sent on start:                  header
 *   sent when the header came:      version 1: features, in clear, with the public key if any
 *                                   version 2: flag `00`, or `01` and the public key
 *   sent when flag (and key) came:  version 2: features, sealed with a password
 *
 * A remote that wants the other mode thus learns nothing of us in version 2. Where a remote may have
 * to be turned away, our features wait until its own have been judged: whoever has read features
 * counts the connection as made and tells everybody, and takes it back when it is closed.
 */
export interface IntroductionOptions {
  /** Whether we dialled. */
  readonly outbound: boolean;
  readonly versions: OwnVersionRange;
  /** Empty or missing: nothing is sealed. */
  readonly password: Uint8Array | undefined;
  /** Called once, and only when a peer with a password is at the other end. */
  newKeyPair(): KeyPair;
  /** Ours for this version, without the public key. */
  features(version: ProtocolVersion): Features;
  readonly secretBox?: SecretBox | undefined;
  /** Judges the remote before it hears who we are; missing when it is taken in whoever it is. */
  readonly admission?: Admission | undefined;
}

/** `undefined` for who may come in. */
export type Admission = (remote: RemoteFeatures) => TurnedAway | undefined;

/** A remote that is not taken in. */
export interface TurnedAway {
  /** For our log. */
  readonly error: WeaveError;
  /** What is said in our features beside who we are; missing when a remote would not understand. */
  readonly says?: Features | undefined;
}

/** The result of a successful introduction. */
export interface Introduced {
  readonly version: ProtocolVersion;
  readonly remote: RemoteFeatures;
  /** 32 octets; `undefined` without a password. */
  readonly sessionKey: Uint8Array | undefined;
  /** Carries the messages from here on; already holds what came after the features. */
  readonly codec: MessageCodec;
}

export interface IntroductionStep {
  /** Octets to write now, perhaps none; also before closing, so that the remote sees why. */
  readonly send: Uint8Array;
  readonly introduced?: Introduced;
  /** The reason to close the connection. */
  readonly failed?: WeaveError;
}

type Stage = "header" | "flag" | "key" | "features" | "gob features" | "introduced";

const flagClear = 0;
const flagPassword = 1;

export class Introduction {
  readonly #options: IntroductionOptions;
  readonly #password: Uint8Array | undefined;
  readonly #received = new ReceiveBuffer();
  #stage: Stage = "header";
  #keyPair: KeyPair | undefined;
  #sessionKey: Uint8Array | undefined;
  #gobFraming: GobFraming | undefined;
  #codec: MessageCodec | undefined;
  readonly #send: Uint8Array[] = [];

  constructor(options: IntroductionOptions) {
    this.#options = options;
    this.#password = options.password?.length === 0 ? undefined : options.password;
  }

  /** The octets with which we begin. */
  start(): Uint8Array {
    return encodeHeader(this.#options.versions);
  }

  /** Takes what arrived. After a step with `introduced` or `failed` it is not called again. */
  receive(chunk: Uint8Array): IntroductionStep {
    assert(this.#stage !== "introduced", "an introduction ends once");
    this.#received.push(chunk);
    try {
      const introduced = this.#advance();
      return introduced === undefined ? { send: this.#take() } : { send: this.#take(), introduced };
    } catch (failed) {
      if (!(failed instanceof WeaveError)) throw failed;
      return { send: this.#take(), failed };
    }
  }

  /**
   * The reason to show when the connection ended or the time ran out before the introduction was
   * complete: it names the likely cause, since the remote says nothing.
   */
  interrupted(cause: WeaveError): WeaveError {
    if (this.#stage === "header") {
      return incompleteHeader(this.#received.peek(headerSize), cause);
    }
    return new WeaveError(
      "INTRODUCTION_INTERRUPTED",
      `introduction not completed: ${cause.message}; ${this.#likelyCause()}`,
      { cause, remedy: "the log of the remote states its reason" },
    );
  }

  #likelyCause(): string {
    if (this.#stage === "gob features") return "the remote may have refused our features";
    if (this.#password === undefined) {
      return this.#stage === "flag"
        ? "the remote may require a password"
        : "the remote may have refused our features";
    }
    return this.#stage === "features"
      ? "the remote may have a different password"
      : "the remote may have no password";
  }

  /** Goes from stage to stage until one waits for more octets. */
  #advance(): Introduced | undefined {
    for (;;) {
      const before = this.#stage;
      const introduced = this.#enter(before);
      if (introduced !== undefined || this.#stage === before) return introduced;
    }
  }

  #enter(stage: Stage): Introduced | undefined {
    switch (stage) {
      case "header":
        this.#takeHeader();
        return undefined;
      case "flag":
        this.#takeFlag();
        return undefined;
      case "key":
        this.#takeKey();
        return undefined;
      case "features":
        return this.#takeFeatures();
      case "gob features":
        return this.#takeGobFeatures();
      case "introduced":
        return undefined;
    }
  }

  /** What is to be sent since last asked. */
  #take(): Uint8Array {
    return concatBytes(...this.#send.splice(0));
  }

  #takeHeader(): void {
    refuseOtherProtocol(this.#received.peek(headerSize));
    if (this.#received.length < headerSize) return;
    const theirs = decodeHeader(this.#received.take(headerSize));
    const version = chooseVersion(this.#options.versions, theirs);
    if (this.#password !== undefined) this.#keyPair = this.#options.newKeyPair();
    if (version === 1) {
      this.#gobFraming = new GobFraming(this.#received);
      if (this.#options.admission === undefined) this.#sendFeatures(1);
      this.#stage = "gob features";
    } else {
      this.#send.push(Uint8Array.of(this.#keyPair === undefined ? flagClear : flagPassword));
      if (this.#keyPair !== undefined) this.#send.push(this.#keyPair.publicKey);
      this.#stage = "flag";
    }
  }

  #takeFlag(): void {
    if (this.#received.length === 0) return;
    const flag = this.#received.take(1)[0]!;
    if (flag !== flagClear && flag !== flagPassword) {
      throw new WeaveError("FLAG_UNKNOWN", `Bad encryption flag ${flag}`, {
        remedy: "the remote is no peer, or something on the path alters the connection",
      });
    }
    this.#requireSameMode(flag === flagPassword);
    if (flag === flagPassword) this.#stage = "key";
    else this.#beginFrames();
  }

  #takeKey(): void {
    if (this.#received.length < publicKeySize) return;
    this.#agree(this.#received.take(publicKeySize));
    this.#beginFrames();
  }

  /** From here on everything travels in frames, our features first. */
  #beginFrames(): void {
    this.#codec = this.#newCodec(new LengthFraming(this.#received));
    if (this.#options.admission === undefined) this.#sendFeatures(2);
    this.#stage = "features";
  }

  #takeFeatures(): Introduced | undefined {
    assert(this.#codec !== undefined, "frames have begun");
    const message = this.#codec.next(featuresMaxBytes);
    if (message === undefined) return undefined;
    return this.#conclude(
      2,
      readable(() => decodeFeatures(message)),
      this.#codec,
    );
  }

  #takeGobFeatures(): Introduced | undefined {
    const framing = this.#gobFraming;
    assert(framing !== undefined, "version 1 was chosen");
    const read = readable(() => framing.read(featuresGob, featuresMaxBytes));
    if (read === undefined) return undefined;
    const features: Features = new Map(read.value);
    const theirKey = features.get(publicKeyFeature);
    this.#requireSameMode(theirKey !== undefined);
    if (theirKey !== undefined) this.#agree(parsePublicKey(theirKey));
    return this.#conclude(1, features, this.#newCodec(framing));
  }

  #conclude(version: ProtocolVersion, features: Features, codec: MessageCodec): Introduced {
    const remote = parseFeatures(features, version);
    this.#admit(remote, version);
    this.#stage = "introduced";
    return { version, remote, sessionKey: this.#sessionKey, codec };
  }

  /** Says who we are now, where that had to wait. @throws the reason to turn `remote` away */
  #admit(remote: RemoteFeatures, version: ProtocolVersion): void {
    const { admission } = this.#options;
    if (admission === undefined) return;
    const refused = admission(remote);
    if (refused === undefined || refused.says !== undefined) {
      this.#sendFeatures(version, refused?.says);
    }
    if (refused !== undefined) throw refused.error;
  }

  #sendFeatures(version: ProtocolVersion, besides: Features = new Map()): void {
    if (version === 1) {
      this.#send.push(encodeFeatures(this.#featuresOfVersion1()));
      return;
    }
    assert(this.#codec !== undefined, "frames have begun");
    const features = new Map([...this.#options.features(2), ...besides]);
    this.#send.push(this.#codec.encode(encodeFeatures(features)));
  }

  #featuresOfVersion1(): Features {
    const features = this.#options.features(1);
    if (this.#keyPair === undefined) return features;
    return new Map([...features, [publicKeyFeature, toHex(this.#keyPair.publicKey)]]);
  }

  #newCodec(framing: LengthFraming | GobFraming): MessageCodec {
    const { outbound, secretBox } = this.#options;
    const key = this.#sessionKey;
    const sealing = key === undefined ? undefined : { key, outbound, secretBox };
    return new MessageCodec(this.#received, framing, sealing);
  }

  #agree(theirPublicKey: Uint8Array): void {
    assert(this.#keyPair !== undefined && this.#password !== undefined, "we have a password");
    this.#sessionKey = sessionKey(this.#keyPair, theirPublicKey, this.#password);
  }

  #requireSameMode(theyEncrypt: boolean): void {
    const weEncrypt = this.#password !== undefined;
    if (theyEncrypt === weEncrypt) return;
    throw new WeaveError(
      "PASSWORD_ONE_SIDED",
      weEncrypt
        ? "password specified, but peer requested an unencrypted connection"
        : "no password specificed, but peer requested an encrypted connection",
      { remedy: "give all peers the same password (--password or WEAVE_PASSWORD), or none" },
    );
  }
}

/** Runs a reader of features; says what was being read when it fails. */
function readable<T>(read: () => T): T {
  try {
    return read();
  } catch (cause) {
    if (!(cause instanceof WeaveError)) throw cause;
    throw new WeaveError(
      "FEATURES_FORMAT",
      `cannot read the features of the remote: ${errorText(cause)}`,
      { cause, remedy: "the remote is no peer of this network, or of a release not known here" },
    );
  }
}

/** Hex digits; a short key is filled with zeros at its end, as the original does. */
function parsePublicKey(text: string): Uint8Array {
  if (text.length > 2 * publicKeySize || !/^([0-9a-fA-F]{2})*$/.test(text)) {
    throw new WeaveError("FEATURE_VALUE", `field ${publicKeyFeature} is not a key in hex digits`, {
      remedy: "the remote is no peer, or something on the path alters the connection",
    });
  }
  return concatBytes(fromHex(text), new Uint8Array(publicKeySize - text.length / 2));
}
