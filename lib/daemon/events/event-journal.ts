import type { EventControl } from "../../api/event-models.ts";
import { eventKinds } from "../../base/event-kinds.ts";
import {
  type EventDetails,
  type EventKind,
  type EventNews,
  type EventQuery,
  type EventSink,
  isWanted,
  type NetworkEvent,
} from "../../base/network-event.ts";
import type { Cancel, World } from "../../base/world.ts";
import { currentCaller } from "./asked-by.ts";

/** Kept in memory, the latest; about 200 octets each. */
const keptMax = 4096;
/** Of each kind the latest stay, however many others have come since. */
const keptOfKindMax = 64;

/** Of one kind: so many at once, and so many a second in the long run. */
const burstMax = 200;
const perSecond = 20;

/** Keeps events beyond the life of the process, and gives back the last of them. */
export interface EventArchive {
  append(event: NetworkEvent): void;
  /** The latest, oldest first. */
  latest(countMax: number): NetworkEvent[];
}

/**
 * The events of this host in the order in which they came: the latest of all and of each kind in
 * memory, and all of them in an archive. A kind that comes in a flood is thinned out, so that neither
 * a peer nor a packet can drive out what else has happened:
 *
 *   emit ─▶ bucket of its kind ─┬─▶ kept, archived, told ─▶ followers
 *                               └─▶ counted ─▶ `events.skipped` with the next of that kind
 */
export class EventJournal implements EventControl {
  readonly #world: Pick<World, "now" | "monotonicMs">;
  readonly #archive: EventArchive | undefined;
  readonly #followers = new Set<(event: NetworkEvent) => void>();
  readonly #buckets = new Map<EventKind, Bucket>();
  #kept: NetworkEvent[];
  #lastId: number;

  constructor(world: Pick<World, "now" | "monotonicMs">, archive?: EventArchive) {
    this.#world = world;
    this.#archive = archive;
    this.#kept = archive?.latest(keptMax) ?? [];
    this.#lastId = this.#kept.at(-1)?.id ?? 0;
  }

  readonly emit: EventSink = (kind, details) => {
    const skipped = this.#bucket(kind).take(this.#world.monotonicMs());
    if (skipped === undefined) return;
    if (skipped > 0) this.#add("events.skipped", { kind, count: skipped });
    this.#add(kind, details);
  };

  /** What is known, oldest first. */
  read(query: EventQuery = {}): NetworkEvent[] {
    return this.#kept.filter((event) => isWanted(event, query));
  }

  /** How many follow. */
  get followers(): number {
    return this.#followers.size;
  }

  /** Tells of every event from now on. */
  follow(follower: (event: NetworkEvent) => void): Cancel {
    this.#followers.add(follower);
    return () => this.#followers.delete(follower);
  }

  #add<Kind extends EventKind>(kind: Kind, details: EventDetails[Kind]): void {
    this.#lastId++;
    const stamp = { id: this.#lastId, atMs: Math.round(this.#world.now()) };
    const by = eventKinds[kind].isAsked === true ? currentCaller() : undefined;
    const event = { ...stamp, ...({ kind, details } as EventNews), ...(by && { by }) };
    this.#kept.push(event);
    // In one go now and then: taking one from the front would move all the others.
    if (this.#kept.length > 2 * keptMax) this.#kept = latestOf(this.#kept);
    this.#archive?.append(event);
    for (const follower of this.#followers) follower(event);
  }

  #bucket(kind: EventKind): Bucket {
    const found = this.#buckets.get(kind) ?? new Bucket(this.#world.monotonicMs());
    this.#buckets.set(kind, found);
    return found;
  }
}

/** The latest {@link keptMax}, and before them the latest of kinds of which those have few. */
function latestOf(events: readonly NetworkEvent[]): NetworkEvent[] {
  const counts = new Map<EventKind, number>();
  const isKept = ({ kind }: NetworkEvent, back: number): boolean => {
    const count = (counts.get(kind) ?? 0) + 1;
    counts.set(kind, count);
    return back < keptMax || count <= keptOfKindMax;
  };
  return events.toReversed().filter(isKept).toReversed();
}

/** Lets through {@link burstMax}, and {@link perSecond} after that. */
class Bucket {
  #left = burstMax;
  #atMs: number;
  #skipped = 0;

  constructor(nowMs: number) {
    this.#atMs = nowMs;
  }

  /** How many were refused since the last that was let through; `undefined` for one more of those. */
  take(nowMs: number): number | undefined {
    this.#left = Math.min(burstMax, this.#left + ((nowMs - this.#atMs) / 1000) * perSecond);
    this.#atMs = nowMs;
    if (this.#left < 1) {
      this.#skipped++;
      return undefined;
    }
    this.#left--;
    const skipped = this.#skipped;
    this.#skipped = 0;
    return skipped;
  }
}
