import { netlinkError } from "../../../ffi/libnl.ts";
import { WeaveError } from "../../base/errors.ts";
import {
  attributesBehind,
  decodeMessages,
  encodeMessage,
  flags,
  headerBytes,
  malformed,
  messageType,
  type NetlinkMessage,
  viewOf,
} from "./message.ts";

/** How often a dump is repeated when the kernel's lists changed under it. */
const dumpTriesMax = 8;

/** One request of a {@link Netlink.transaction}. */
export interface NetlinkRequest {
  readonly type: number;
  readonly flags: number;
  readonly body: Uint8Array;
  /** What the request is about, for error messages. */
  readonly about: string;
}

/** Whole datagrams to the kernel and back: a `NetlinkSocket`, or a test in the kernel's place. */
export interface NetlinkPort {
  send(datagram: Uint8Array): void;
  /** `undefined` when none came in time. */
  receive(): Uint8Array | undefined;
  /** @param afterChanges whether the kernel may let whoever closes it wait */
  close(afterChanges?: boolean): void;
}

/**
 * Requests and answers on one netlink socket, one after the other:
 *
 *   change ──▶            ◀── error 0 (done) or error n (refused, with an explanation)
 *   get    ──▶  ◀── message…  ◀── error 0
 *   dump   ──▶  ◀── message (multi)…  ◀── done, or again when the list changed meanwhile
 */
export class Netlink {
  readonly #socket: NetlinkPort;
  #sequence = 0;
  #hasTransacted = false;

  /** The socket belongs to this conversation from now on. */
  constructor(socket: NetlinkPort) {
    this.#socket = socket;
  }

  /** Sends a request and returns the messages it was answered with. @throws SystemError */
  request(type: number, requestFlags: number, body: Uint8Array, about: string): NetlinkMessage[] {
    const sequence = this.#next();
    this.#socket.send(
      encodeMessage(type, requestFlags | flags.request | flags.ack, sequence, body),
    );
    return this.#collect(sequence, about).messages;
  }

  /** Everything of one kind, as one consistent list. @throws SystemError */
  dump(type: number, body: Uint8Array, about: string): NetlinkMessage[] {
    for (let left = dumpTriesMax; left > 0; left--) {
      const sequence = this.#next();
      this.#socket.send(encodeMessage(type, flags.request | flags.dump, sequence, body));
      const { messages, interrupted } = this.#collect(sequence, about);
      if (!interrupted) return messages;
    }
    throw new WeaveError("NETLINK_BUSY", `the kernel's list of ${about} keeps changing`, {
      remedy: "try again when fewer interfaces come and go",
    });
  }

  /**
   * Everything of one kind as the kernel hands it over, a datagram at a time: for lists that are long,
   * and need not be consistent. Nothing else may be asked on this socket before the end; who stops
   * earlier closes it.
   *
   * @throws SystemError
   */
  *pages(type: number, body: Uint8Array, about: string): Generator<readonly NetlinkMessage[]> {
    const sequence = this.#next();
    this.#socket.send(encodeMessage(type, flags.request | flags.dump, sequence, body));
    for (let isOver = false; !isOver; ) {
      const messages: NetlinkMessage[] = [];
      for (const message of this.#receive(about)) {
        if (message.sequence !== sequence) continue;
        if (message.type === messageType.error) throwIfRefused(message, about);
        isOver ||= message.type === messageType.done || message.type === messageType.error;
        if (!isOver) messages.push(message);
      }
      yield messages;
    }
  }

  /**
   * Sends several requests in one datagram between `begin` and `end`, as nf_tables wants them: all
   * take effect or none. The kernel says of the last that it has come to it, and of others only what
   * is wrong with them: there may be more than it would keep answers for.
   *
   * @throws SystemError for the first that was refused
   */
  transaction(
    begin: NetlinkRequest,
    requests: readonly NetlinkRequest[],
    end: NetlinkRequest,
  ): void {
    if (requests.length === 0) return;
    const first = this.#next();
    const abouts = new Map<number, string>([[first, begin.about]]);
    const parts = [this.#encode(begin, first, 0)];
    let last = first;
    for (const [index, request] of requests.entries()) {
      last = this.#next();
      abouts.set(last, request.about);
      parts.push(this.#encode(request, last, index === requests.length - 1 ? flags.ack : 0));
    }
    parts.push(this.#encode(end, this.#next(), 0));
    this.#hasTransacted = true;
    this.#socket.send(Buffer.concat(parts));
    this.#awaitEnd(abouts, first, last);
  }

  close(): void {
    this.#socket.close(this.#hasTransacted);
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #encode(request: NetlinkRequest, sequence: number, extraFlags: number): Uint8Array {
    return encodeMessage(
      request.type,
      request.flags | flags.request | extraFlags,
      sequence,
      request.body,
    );
  }

  #next(): number {
    this.#sequence = (this.#sequence + 1) >>> 0;
    return this.#sequence;
  }

  #collect(sequence: number, about: string): { messages: NetlinkMessage[]; interrupted: boolean } {
    const messages: NetlinkMessage[] = [];
    let interrupted = false;
    for (;;) {
      for (const message of this.#receive(about)) {
        // An answer to an earlier request that failed half-way is of no interest any more.
        if (message.sequence !== sequence) continue;
        interrupted ||= (message.flags & flags.dumpInterrupted) !== 0;
        if (message.type === messageType.error) {
          throwIfRefused(message, about);
          return { messages, interrupted };
        }
        if (message.type === messageType.done) return { messages, interrupted };
        messages.push(message);
      }
    }
  }

  /** Reads until there is an answer to the last request, or to the batch as a whole. */
  #awaitEnd(abouts: ReadonlyMap<number, string>, first: number, last: number): void {
    let refusal: unknown;
    for (let hasEnded = false; !hasEnded; ) {
      for (const message of this.#receive("transaction")) {
        const about = abouts.get(message.sequence);
        if (message.type !== messageType.error || about === undefined) continue;
        hasEnded ||= message.sequence === first || message.sequence === last;
        try {
          throwIfRefused(message, about);
        } catch (error) {
          refusal ??= error;
        }
      }
    }
    if (refusal !== undefined) throw refusal;
  }

  #receive(about: string): NetlinkMessage[] {
    const datagram = this.#socket.receive();
    if (datagram !== undefined) return decodeMessages(datagram);
    throw new WeaveError("NETLINK_TIMEOUT", `the kernel did not answer a request about ${about}`);
  }
}

const errnoBytes = 4;

/**
 *   error message: nlmsgerr
 *   +----------+---------------------------+------------------------------------+
 *   | -errno 4 | header of the request 16  | attributes: 1 = text, 2 = offset … |
 *   +----------+---------------------------+------------------------------------+
 */
function throwIfRefused(message: NetlinkMessage, about: string): void {
  if (message.body.length < errnoBytes) throw malformed("error", 0);
  const errno = -viewOf(message.body).getInt32(0, true);
  if (errno === 0) return;
  const explanationAttribute = 1;
  const extendedAck = 0x200;
  const explanation =
    (message.flags & extendedAck) === 0
      ? undefined
      : attributesBehind(errnoBytes + headerBytes, message.body).text(explanationAttribute);
  throw netlinkError(errno, about, explanation ?? "");
}
