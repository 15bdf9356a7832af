import { errorCode } from "../base/errors.ts";
import { type Random, randomBelow, randomUnit } from "../base/random.ts";
import { RetryDelay } from "../base/retry-delay.ts";
import type { ObjectPage, PageRequest, WatchEvent, WatchRequest } from "./kubernetes-api.ts";
import type { WatchPhase } from "./object-observer.ts";
import type { ObjectTable } from "./object-table.ts";
import type { KubernetesObject } from "./objects.ts";
import type { Resource } from "./resources.ts";

/** As many as an answer has at once; a few hundred kilobytes of pods. */
const pageObjects = 500;

/** A watch lasts so long; nodes that began at one moment are spread over a minute by it. */
const watchSeconds = { min: 240, spread: 60 };

/** A watch that does not end then has lost its connection. */
const overtimeMs = 30_000;

/** Servers that set bookmarks do so once a minute. */
const bookmarksSilenceMaxMs = 150_000;

/** What ends sooner is not tried again at once. */
const lastingMs = 5_000;

const retryDelays = { firstMs: 1000, maxMs: 30_000, growth: 2 };

/** How long a kind that the server does not have is not asked for. */
const absentLookMs = 120_000;

/** How often a server has to say what contradicts what it said before. */
const doubtsMax = 3;

/** What is to be done next. */
export type WatchStep =
  | { readonly kind: "list"; readonly page: PageRequest }
  | { readonly kind: "watch"; readonly from: WatchRequest }
  | { readonly kind: "rest"; readonly delayMs: number };

/**
 * How all objects of a kind are kept known, whatever the server does; decides, and does nothing:
 *
 *             ┌──── a page follows ────┐       ┌── ends after minutes ──┐
 *             ▼                        │       ▼                        │
 *  ──────▶ listing ────────────────────┴──▶ watching ───────────────────┘
 *           │ ▲ ▲                            │  │ │
 *           │ │ └─── 410 Gone, or going back ┘  │ │
 *       404 │ │ 2 min            fails, ends ───┘ └── 410 Gone, or going back,
 *           ▼ │                  at once │            after a moment
 *          absent                        ▼                  │
 *                            resting, then watching         ▼
 *                            from where it was          resting, then listing ◀── a list fails
 *
 * What a server says that cannot be (a list older than what is known, a kind that is gone while it
 * has objects) is believed when it has been said three times: a server that has just started, or one
 * of several that is behind, comes right; one whose data were put back from a backup does not. Kinds
 * that every cluster has are never absent: who says so is no API server, and a list of nothing would
 * take all policies away.
 */
export class WatchCycle<T extends KubernetesObject> {
  readonly #random: Random;
  readonly #table: ObjectTable<T>;
  readonly #isOptional: boolean;
  readonly #delay = new RetryDelay(retryDelays);
  #phase: Exclude<WatchPhase, "stopped"> = "listing";
  /** What follows a rest, or a watch. */
  #then: "listing" | "watching" = "listing";
  #restMs = 0;
  #pages: T[] = [];
  #continueToken = "";
  /** Pages expire where a list takes minutes: then all is asked for at once, if that is not too much. */
  #limit = pageObjects;
  #doubts = 0;
  #hasBookmarks = false;
  #synced = false;
  #lists = 0;
  #watches = 0;
  #events = 0;
  #staleEvents = 0;
  #unreadable = 0;

  constructor(
    random: Random,
    table: ObjectTable<T>,
    { isOptional }: Pick<Resource<T>, "isOptional">,
  ) {
    this.#random = random;
    this.#table = table;
    this.#isOptional = isOptional;
  }

  get phase(): Exclude<WatchPhase, "stopped"> {
    return this.#phase;
  }

  get synced(): boolean {
    return this.#synced;
  }

  counts() {
    return {
      ...{ lists: this.#lists, watches: this.#watches, events: this.#events },
      ...{ staleEvents: this.#staleEvents, unreadable: this.#unreadable },
    };
  }

  next(): WatchStep {
    switch (this.#phase) {
      case "listing":
        return {
          kind: "list",
          page: { limit: this.#limit, continueToken: this.#continueToken },
        };
      case "watching": {
        this.#watches++;
        this.#hasBookmarks = false;
        this.#then = "watching";
        const { min, spread } = watchSeconds;
        const timeoutSeconds = min + randomBelow(this.#random, spread);
        return { kind: "watch", from: { resourceVersion: this.#table.version, timeoutSeconds } };
      }
      case "resting":
      case "absent":
        return { kind: "rest", delayMs: this.#restMs };
    }
  }

  /** How long a watch may be silent before it is taken for dead. */
  silenceMaxMs({ timeoutSeconds }: WatchRequest): number {
    return this.#hasBookmarks ? bookmarksSilenceMaxMs : timeoutSeconds * 1000 + overtimeMs;
  }

  rested(): void {
    this.#phase = this.#then;
  }

  listed(page: ObjectPage<T>): void {
    for (const item of page.items) this.#pages.push(item);
    this.#unreadable += page.unreadable;
    this.#continueToken = page.continueToken;
    if (page.continueToken !== "") return;
    const all = this.#pages;
    this.#beginAgain();
    const isOlder = !this.#table.reached(page.resourceVersion);
    if (isOlder && this.#isDoubted()) return;
    this.#take(all, page.resourceVersion, isOlder);
    this.#phase = "watching";
  }

  /** @returns whether the watch is to go on */
  told(event: WatchEvent<T>): boolean {
    if (event.type === "BOOKMARK") {
      this.#hasBookmarks = true;
      return this.#table.reached(event.resourceVersion) || this.#wentBack();
    }
    if (event.type === "UNREADABLE") {
      this.#unreadable++;
      return this.#table.reached(event.resourceVersion) || this.#wentBack();
    }
    const { type, object } = event;
    const isTaken = type === "DELETED" ? this.#table.remove(object) : this.#table.put(object);
    if (!isTaken) return this.#wentBack();
    this.#events++;
    return true;
  }

  /** @param lastedMs how long the watch went well */
  ended(lastedMs: number): void {
    if (this.#then === "watching" && lastedMs >= lastingMs) this.#phase = "watching";
    else this.#rest(this.#then, lastedMs);
  }

  /** @param lastedMs how long the watch went well; 0 for a list */
  failed(error: unknown, lastedMs: number): void {
    const code = errorCode(error);
    const wasListing = this.#phase === "listing";
    if (wasListing) {
      // All pages show one moment; a list that is begun again shows another one.
      this.#limit = code === "K8S_GONE" && this.#limit > 0 ? 0 : pageObjects;
      this.#beginAgain();
    }
    if (wasListing && code === "K8S_NOT_FOUND" && this.#isOptional) this.#missing();
    else if (wasListing || code === "K8S_GONE" || code === "K8S_NOT_FOUND") {
      this.#rest("listing", lastedMs);
    } else this.#rest("watching", lastedMs);
  }

  #take(all: readonly T[], version: string, isAnew: boolean): void {
    this.#lists++;
    this.#synced = true;
    this.#doubts = 0;
    this.#limit = pageObjects;
    this.#table.replace(all, version, isAnew);
  }

  #missing(): void {
    if (this.#table.size > 0 && this.#isDoubted()) return;
    if (!this.#synced || this.#table.size > 0) this.#take([], "", false);
    this.#phase = "absent";
    this.#then = "listing";
    this.#restMs = this.#jittered(absentLookMs);
  }

  /** Whether to ask again. */
  #isDoubted(): boolean {
    this.#doubts++;
    if (this.#doubts >= doubtsMax) return false;
    this.#rest("listing", 0);
    return true;
  }

  /** No watch tells what is older than what it told. */
  #wentBack(): false {
    this.#staleEvents++;
    this.#then = "listing";
    return false;
  }

  #beginAgain(): void {
    this.#pages = [];
    this.#continueToken = "";
  }

  #rest(then: "listing" | "watching", lastedMs: number): void {
    this.#phase = "resting";
    this.#then = then;
    this.#restMs = this.#jittered(this.#delay.after(lastedMs));
  }

  /** Half of it at least: those who lost one server do not come back to it together. */
  #jittered(delayMs: number): number {
    return delayMs * (0.5 + randomUnit(this.#random) / 2);
  }
}
