import { readUint16, readUint32, writeUint32 } from "../base/bytes.ts";
import type { World } from "../base/world.ts";
import { flag, rcode, rcodeMask, recordType } from "../wire/dns-message.ts";
import { recordPlaces } from "./truncation.ts";

export const cachedAnswersMax = 2048;

/** Longer replies are rare and would let a few names fill the memory. */
const cachedOctetsMax = 4096;

/** A record is asked for again after this time, however long its owner lets it live. */
const cachedMaxS = 300;

interface CachedAnswer {
  readonly reply: Uint8Array;
  readonly sinceMs: number;
  readonly untilMs: number;
}

/**
 * Positive answers of upstream servers, for as long as their shortest record lives. A query gets
 * one only when it equals the first in everything but its id, EDNS options and the letter case of
 * its name included, so that it gets what the server would have sent.
 */
export class AnswerCache {
  readonly #world: Pick<World, "monotonicMs">;
  /** Oldest first. */
  readonly #answers = new Map<string, CachedAnswer>();

  constructor(world: Pick<World, "monotonicMs">) {
    this.#world = world;
  }

  get size(): number {
    return this.#answers.size;
  }

  /** A copy under the id of `query`, its records aged; `undefined` when there is none. */
  get(query: Uint8Array): Uint8Array | undefined {
    const key = keyOf(query);
    const cached = this.#answers.get(key);
    if (cached === undefined) return undefined;
    const nowMs = this.#world.monotonicMs();
    if (nowMs >= cached.untilMs) {
      this.#answers.delete(key);
      return undefined;
    }
    const reply = new Uint8Array(cached.reply);
    reply.set(query.subarray(0, 2));
    age(reply, Math.floor((nowMs - cached.sinceMs) / 1000));
    return reply;
  }

  /** Keeps `reply` if it is a whole positive answer of moderate size. */
  put(query: Uint8Array, reply: Uint8Array): void {
    if (reply.length > cachedOctetsMax || query.length > cachedOctetsMax) return;
    const flags = readUint16(reply, 2);
    if ((flags & rcodeMask) !== rcode.noError || (flags & flag.truncated) !== 0) return;
    const ttlS = shortestTtlS(reply);
    if (ttlS === 0) return;
    const key = keyOf(query);
    this.#answers.delete(key);
    for (const oldest of this.#answers.keys()) {
      if (this.#answers.size < cachedAnswersMax) break;
      this.#answers.delete(oldest);
    }
    const sinceMs = this.#world.monotonicMs();
    const untilMs = sinceMs + Math.min(ttlS, cachedMaxS) * 1000;
    this.#answers.set(key, { reply: new Uint8Array(reply), sinceMs, untilMs });
  }
}

/** Everything behind the id. */
function keyOf(query: Uint8Array): string {
  return new Uint8Array(query.subarray(2)).toHex();
}

/** Of all records but OPT; 0 when there is no answer among them or the reply breaks the format. */
function shortestTtlS(reply: Uint8Array): number {
  if (readUint16(reply, 6) === 0) return 0;
  const records = recordPlaces(reply)?.records ?? [];
  const ttls = records
    .filter((record) => record.type !== recordType.opt)
    .map((record) => readUint32(reply, record.head + 4));
  return ttls.reduce((shortest, ttlS) => Math.min(shortest, ttlS), ttls[0] ?? 0);
}

/** Takes `ageS` off every time to live; none falls below zero while the answer is kept. */
function age(reply: Uint8Array, ageS: number): void {
  for (const { type, head } of recordPlaces(reply)?.records ?? []) {
    if (type === recordType.opt) continue;
    writeUint32(reply, head + 4, Math.max(0, readUint32(reply, head + 4) - ageS));
  }
}
