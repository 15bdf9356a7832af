import { type Endpoint, formatEndpoint } from "../base/endpoint.ts";
import { assert, WeaveError } from "../base/errors.ts";
import { formatPeerName } from "../base/peer-name.ts";
import { randomUint64 } from "../base/random.ts";
import type { Cancel, World } from "../base/world.ts";
import {
  type ConnectionConfig,
  type ConnectionTerms,
  newIntroduction,
  overlaysExchanged,
  type RemoteIdentity,
} from "./connection-config.ts";
import {
  backlogExceeded,
  endedByRemote,
  heldExceeded,
  introductionDeadline,
  nameRefusal,
  refusedByRemote,
} from "./connection-errors.ts";
import { type NegotiatedExtensions, negotiateExtensions } from "./extensions.ts";
import { frameMaxBytes } from "./framing.ts";
import type { ProtocolVersion } from "./header.ts";
import type { Introduced, Introduction } from "./introduction.ts";
import { Liveness } from "./liveness.ts";
import {
  assertHarmless,
  decodeMessage,
  encodeMessage,
  extensionOf,
  type OutgoingMessage,
  type ProtocolMessage,
  type UnknownMessage,
} from "./protocol-message.ts";
import type { ByteStream } from "./transport.ts";

export type { ConnectionConfig, RemoteIdentity } from "./connection-config.ts";

/** The whole introduction, from the first octet to the last. */
export const introductionDeadlineMs = 10_000;
/** Octets that may wait for the kernel; two of the largest frames and more. */
export const sendBacklogMaxBytes = 32 * 1024 * 1024;
/** Octets that may arrive before the connection is accepted. */
export const heldMaxBytes = frameMaxBytes + 64 * 1024;
/** For how long a closed connection goes on flushing what was written. */
export const flushDeadlineMs = 5_000;
/** A remote that closes this soon after the introduction did not like what it heard there. */
const refusalWindowMs = 2_000;

/** What reaches the owner: life signs and what we do not understand end here. */
export type DeliveredMessage = Exclude<ProtocolMessage, { kind: "heartbeat" | "unknown" }>;

export interface ConnectionEvents {
  /** The remote is known. It is told nothing more until the owner sends or accepts or closes. */
  introduced(connection: Connection): void;
  /** Only after {@link Connection.accept}, in order. */
  message(connection: Connection, message: DeliveredMessage): void;
  /** All that was sent has been taken by the kernel. */
  drained(connection: Connection): void;
  /** Called exactly once, also after our own `close` and from within it. */
  closed(connection: Connection, error: WeaveError): void;
}

/**
 * One TCP connection to another peer, from the first octet to the last.
 *
 *   introducing ──▶ introduced ──accept──▶ running
 *        └───────────────┴── close, error ────┴──▶ closed
 */
export class Connection {
  readonly outbound: boolean;
  readonly localAddress: Endpoint;
  readonly remoteAddress: Endpoint;
  readonly #world: World;
  readonly #stream: ByteStream;
  readonly #config: ConnectionConfig;
  readonly #events: ConnectionEvents;
  readonly #terms: ConnectionTerms;
  readonly #introduction: Introduction;
  readonly #unknownTags = new Set<number>();
  #phase: "introducing" | "introduced" | "running" | "closed" = "introducing";
  #introduced: Introduced | undefined;
  #introducedAtMs = 0;
  #extensions: NegotiatedExtensions | undefined;
  #liveness: Liveness | undefined;
  #cancelDeadline: Cancel | undefined;
  #streamGone = false;
  #delivering = false;

  /** `outbound`: whether we dialled. */
  constructor(
    world: World,
    stream: ByteStream,
    outbound: boolean,
    config: ConnectionConfig,
    events: ConnectionEvents,
  ) {
    this.outbound = outbound;
    this.localAddress = stream.local;
    this.remoteAddress = stream.remote;
    this.#world = world;
    this.#stream = stream;
    this.#config = config;
    this.#events = events;
    const connectionId = randomUint64(world.random);
    this.#terms = { outbound, connectionId, trusted: config.trusts(stream.remote.host) };
    this.#introduction = newIntroduction(config, this.#terms, world.random);
  }

  /** Called once, before control returns to the machine. */
  start(): void {
    this.#stream.listen({
      data: (bytes) => this.#receive(bytes),
      closed: (error) => this.#lost(error),
      drained: () => this.#drained(),
    });
    this.#cancelDeadline = this.#world.after(introductionDeadlineMs, () => {
      this.close(this.#introduction.interrupted(introductionDeadline(introductionDeadlineMs)));
    });
    this.#stream.write(this.#introduction.start());
  }

  get version(): ProtocolVersion {
    return this.#result().version;
  }

  get remote(): RemoteIdentity {
    return this.#result().remote;
  }

  /** The same number at both ends: their connection ids combined. */
  get uid(): bigint {
    return this.#terms.connectionId ^ this.#result().remote.connectionId;
  }

  /** 32 octets; `undefined` without a password. */
  get sessionKey(): Uint8Array | undefined {
    return this.#result().sessionKey;
  }

  /** The session key, unless both sides trust the network between them. */
  get overlayKey(): Uint8Array | undefined {
    const { remote, sessionKey } = this.#result();
    return this.#terms.trusted && remote.trustsUs ? undefined : sessionKey;
  }

  /** Whether frames on the overlay are sealed. */
  get encrypted(): boolean {
    return this.overlayKey !== undefined;
  }

  /** Whether overlay messages carry an index (tag 7) or are bare (tags 1–3). */
  get overlaysExchanged(): boolean {
    const { version, remote } = this.#result();
    return overlaysExchanged(this.#config, version, remote.features);
  }

  /** What both sides can do beyond the original; nothing in version 1. */
  get extensions(): NegotiatedExtensions {
    this.#extensions ??= negotiateExtensions(this.#config.extensions ?? [], this.remote.features);
    return this.#extensions;
  }

  /** From here to the remote machine and back, where this one knows. */
  get roundTripMs(): number | undefined {
    return this.#stream.roundTripMs;
  }

  /** Octets sent and not yet taken by the kernel. */
  get backlogBytes(): number {
    return this.#stream.backlogBytes;
  }

  /** `->[address]` or `->[address|name(nickname)]`: how log lines about it begin. */
  get label(): string {
    const address = formatEndpoint(this.remoteAddress);
    if (this.#introduced === undefined) return `->[${address}]`;
    const { name, nickname } = this.#introduced.remote;
    // A remote must not write lines of its own into our log.
    const shown = nickname.replaceAll(/\p{Cc}/gu, "�");
    return `->[${address}|${formatPeerName(name)}(${shown})]:`;
  }

  /** The owner took it in: heartbeats begin, and messages are delivered, those that waited first. */
  accept(): void {
    assert(this.#phase === "introduced", "a connection is accepted once, after its introduction");
    this.#phase = "running";
    this.#liveness?.startHeartbeats();
    this.#deliver();
  }

  /**
   * Sends in order. False when nothing was sent: the connection is closed, or the message does not
   * fit a frame (which is logged; the connection stays).
   */
  send(message: OutgoingMessage): boolean {
    if (this.#phase === "closed") return false;
    const { codec } = this.#result();
    if (message.kind === "control") assertHarmless(message, this.overlaysExchanged);
    const needed = extensionOf(message);
    assert(
      needed === undefined || this.extensions.has(needed),
      `${needed} is for those who understand it`,
    );
    const bytes = encodeMessage(message);
    if (bytes.length > codec.messageMaxBytes) {
      const bound = codec.messageMaxBytes;
      this.#log(`not sent: a message of ${bytes.length} octets, at most ${bound} fit a frame`);
      return false;
    }
    const waiting = this.#stream.backlogBytes;
    if (waiting + bytes.length > sendBacklogMaxBytes) {
      this.close(backlogExceeded(waiting));
      return false;
    }
    this.#write(codec.encode(bytes));
    return true;
  }

  /** Flushes what was sent, then closes. `error` is the reason to log and report. */
  close(error: WeaveError): void {
    if (this.#phase === "closed") return;
    const during = this.#introduced === undefined ? " during handshake" : "";
    const remedy = error.remedy === undefined ? "" : ` (${error.remedy})`;
    this.#log(`connection shutting down due to error${during}: ${error.message}${remedy}`);
    this.#phase = "closed";
    this.#liveness?.stop();
    this.#cancelDeadline?.();
    this.#endStream();
    this.#events.closed(this, error);
  }

  #endStream(): void {
    if (this.#streamGone) return;
    this.#stream.end();
    if (this.#stream.backlogBytes === 0) return;
    this.#cancelDeadline = this.#world.after(flushDeadlineMs, () => this.#stream.reset());
  }

  #receive(bytes: Uint8Array): void {
    if (this.#phase === "closed") return;
    if (this.#introduced === undefined) this.#introduce(bytes);
    else this.#introduced.codec.push(bytes);
    this.#deliver();
  }

  #introduce(bytes: Uint8Array): void {
    const { send, introduced, failed } = this.#introduction.receive(bytes);
    if (send.length > 0) this.#stream.write(send);
    if (failed !== undefined) this.close(failed);
    if (introduced === undefined) return;
    this.#cancelDeadline?.();
    this.#introduced = introduced;
    this.#introducedAtMs = this.#world.monotonicMs();
    this.#phase = "introduced";
    this.#liveness = new Liveness(this.#world, this.#stream, {
      sendHeartbeat: () => this.send({ kind: "heartbeat" }),
      dead: (reason) => this.close(reason),
    });
    this.#log(`connection ready; using protocol version ${introduced.version}`);
    const { self: name, nickname, uid } = this.#config;
    const refusal = nameRefusal({ name, nickname, uid }, introduced.remote);
    if (refusal !== undefined) this.close(refusal);
    // What came with the features waits until the owner has returned.
    else this.#withoutDelivery(() => this.#events.introduced(this));
  }

  /** Hands over what arrived whole, as long as the owner wants it. */
  #deliver(): void {
    if (this.#delivering) return;
    this.#withoutDelivery(() => {
      while (this.#phase === "running") {
        const message = this.#nextMessage();
        if (message === undefined) return;
        this.#events.message(this, message);
      }
    });
    if (this.#phase === "introduced" && this.#result().codec.heldBytes > heldMaxBytes) {
      this.close(heldExceeded());
    }
  }

  /** Runs what calls the owner: should the owner call us in turn, no message overtakes another. */
  #withoutDelivery(action: () => void): void {
    this.#delivering = true;
    try {
      action();
    } finally {
      this.#delivering = false;
    }
  }

  /** The next message for the owner; closes the connection for what breaks the protocol. */
  #nextMessage(): DeliveredMessage | undefined {
    const { codec } = this.#result();
    try {
      for (let bytes = codec.next(); bytes !== undefined; bytes = codec.next()) {
        this.#liveness?.received();
        const message =
          bytes.length === 0 ? this.#ignoreEmpty() : decodeMessage(bytes, this.extensions);
        if (message.kind === "unknown") this.#ignoreUnknown(message);
        else if (message.kind !== "heartbeat") return message;
      }
    } catch (error) {
      if (!(error instanceof WeaveError)) throw error;
      this.close(error);
    }
    return undefined;
  }

  #ignoreEmpty(): ProtocolMessage {
    this.#world.log.debug(`${this.label} ignoring an empty message`);
    return { kind: "heartbeat" };
  }

  #ignoreUnknown({ tag, damage }: UnknownMessage): void {
    if (this.#unknownTags.has(tag)) return;
    this.#unknownTags.add(tag);
    this.#log(
      damage === undefined
        ? `ignoring messages with unknown tag ${tag}`
        : `ignoring damaged unicasts, which it may only pass on: ${damage}`,
    );
  }

  #write(bytes: Uint8Array): void {
    this.#stream.write(bytes);
    this.#liveness?.wrote(bytes.length);
  }

  #drained(): void {
    if (this.#introduced !== undefined && this.#phase !== "closed") this.#events.drained(this);
  }

  #lost(error: WeaveError | undefined): void {
    this.#streamGone = true;
    if (this.#phase === "closed") {
      this.#cancelDeadline?.();
      return;
    }
    this.close(this.#explain(error ?? endedByRemote()));
  }

  /** Adds the likely reason to what the network says of a lost connection. */
  #explain(cause: WeaveError): WeaveError {
    if (this.#introduced === undefined) return this.#introduction.interrupted(cause);
    const ageMs = this.#world.monotonicMs() - this.#introducedAtMs;
    return ageMs <= refusalWindowMs ? refusedByRemote(cause) : cause;
  }

  #result(): Introduced {
    assert(this.#introduced !== undefined, "the remote has introduced itself");
    return this.#introduced;
  }

  #log(line: string): void {
    this.#world.log.info(`${this.label} ${line}`);
  }
}
