import type { Socket } from "bun";
import type { Cancel, World } from "../base/world.ts";
import { DnsStream, withLength } from "../wire/dns-stream.ts";

/** Wait for the first query, and between queries. */
const firstQueryMs = 2000;
const idleMs = 8000;

/** Queries on one connection: whoever has more opens another one. */
export const queriesPerClientMax = 128;

/** Replies that a client does not fetch; beyond, it is cut off. */
const unsentOctetsMax = 256 * 1024;

/** Answers one query now or later; the cancel stops what is under way. */
export type Answer = (query: Uint8Array, reply: (bytes: Uint8Array | undefined) => void) => Cancel;

/**
 * One client over TCP.
 *
 *   open ──▶ reading ──┬── its queries are used up, or it sends no more ──▶ draining ──▶ closed
 *                      └── silent too long, or does not read ─────────────────────────▶ closed
 */
export class DnsTcpClient {
  readonly #world: Pick<World, "after">;
  readonly #socket: Socket<DnsTcpClient | undefined>;
  readonly #answer: Answer;
  readonly #stream = new DnsStream();
  readonly #underWay = new Set<{ cancel: Cancel }>();
  #unsent: Uint8Array[] = [];
  #unsentOctets = 0;
  #queries = 0;
  #draining = false;
  #stopTimer: Cancel;

  constructor(
    world: Pick<World, "after">,
    socket: Socket<DnsTcpClient | undefined>,
    answer: Answer,
  ) {
    this.#world = world;
    this.#socket = socket;
    this.#answer = answer;
    this.#stopTimer = world.after(firstQueryMs, () => socket.terminate());
  }

  data(chunk: Uint8Array): void {
    if (this.#draining) return;
    for (const query of this.#stream.push(chunk)) {
      if (this.#queries >= queriesPerClientMax) break;
      this.#queries++;
      this.#start(query);
    }
    if (this.#queries >= queriesPerClientMax) this.noMoreQueries();
  }

  /** The client has sent its last query; replies under way still go out. */
  noMoreQueries(): void {
    this.#draining = true;
    this.#endWhenDone();
  }

  /** The socket takes octets again. */
  drain(): void {
    const waiting = this.#unsent;
    this.#unsent = [];
    this.#unsentOctets = 0;
    for (const bytes of waiting) this.#write(bytes);
    this.#endWhenDone();
  }

  /** The connection is gone: nothing is left running. */
  closed(): void {
    this.#stopTimer();
    for (const each of this.#underWay) each.cancel();
    this.#underWay.clear();
  }

  #start(query: Uint8Array): void {
    const underWay = { cancel: () => {} };
    this.#underWay.add(underWay);
    this.#restartTimer();
    underWay.cancel = this.#answer(query, (bytes) => {
      this.#underWay.delete(underWay);
      if (bytes !== undefined) this.#write(withLength(bytes));
      this.#restartTimer();
      this.#endWhenDone();
    });
  }

  #write(bytes: Uint8Array): void {
    const sent = this.#unsentOctets > 0 ? 0 : Math.max(0, this.#socket.write(bytes));
    if (sent === bytes.length) return;
    this.#unsent.push(bytes.subarray(sent));
    this.#unsentOctets += bytes.length - sent;
    if (this.#unsentOctets > unsentOctetsMax) this.#socket.terminate();
  }

  #restartTimer(): void {
    this.#stopTimer();
    this.#stopTimer = this.#world.after(idleMs, () => this.#socket.terminate());
  }

  #endWhenDone(): void {
    if (this.#draining && this.#underWay.size === 0 && this.#unsentOctets === 0) {
      this.#socket.end();
    }
  }
}
