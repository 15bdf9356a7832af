import { msToBeat } from "../../base/beat.ts";
import type { Cancel, World } from "../../base/world.ts";

/**
 * Notices that a neighbour's frames stop coming, long before a heartbeat is late. By itself that says
 * nothing, for traffic may just have ended: it is a reason to ask.
 *
 *   resting ──frames in many moments of a second──▶ watching ──none for silentMs──▶ told, once
 *      ▲     looks every second                     │  looks every 50 ms     ▲            │
 *      └──────── frames in few of a second ─────────┘                        └── frames ──┘
 *
 * What it looks at is a number that the datapath keeps, so looking costs little; where nothing is
 * going on it happens with the other things of a second.
 */
const restMs = 1_000;
const lookMs = 50;
/** Of what the datapath counts in a second, at most some hundreds. */
const busyMoments = 20;
export const silentMs = 150;

export interface TrafficWatchOptions {
  readonly world: Pick<World, "after" | "monotonicMs">;
  /** Changes whenever frames come, up to 2^32 and from 0 again; `undefined` while nobody knows. */
  activity(): number | undefined;
  fellSilent(): void;
}

export class TrafficWatch {
  readonly #options: TrafficWatchOptions;
  #cancel: Cancel = () => {};
  #watches = false;
  #last = 0;
  #lastChangeMs = 0;
  #told = false;
  /** What {@link TrafficWatchOptions.activity} was when this second began. */
  #before = 0;
  #secondEndsMs = 0;

  constructor(options: TrafficWatchOptions) {
    this.#options = options;
  }

  start(): void {
    this.#before = this.#options.activity() ?? 0;
    this.#arm();
  }

  stop(): void {
    this.#cancel();
  }

  #arm(): void {
    this.#cancel();
    const { world } = this.#options;
    const delayMs = msToBeat(world.monotonicMs(), this.#watches ? lookMs : restMs);
    this.#cancel = world.after(delayMs, () => {
      this.#look();
      this.#arm();
    });
  }

  #look(): void {
    const activity = this.#options.activity();
    const nowMs = this.#options.world.monotonicMs();
    if (activity === undefined) this.#watches = false;
    else if (!this.#watches) this.#settle(activity, nowMs);
    else this.#watch(activity, nowMs);
  }

  #watch(activity: number, nowMs: number): void {
    if (activity !== this.#last) {
      this.#last = activity;
      this.#lastChangeMs = nowMs;
      this.#told = false;
    } else if (nowMs - this.#lastChangeMs >= silentMs && !this.#told) {
      this.#told = true;
      this.#options.fellSilent();
    }
    if (nowMs >= this.#secondEndsMs) this.#settle(activity, nowMs);
  }

  /** At the end of a second: whether it was one of traffic. */
  #settle(activity: number, nowMs: number): void {
    const wasBusy = (activity - this.#before) >>> 0 >= busyMoments;
    if (wasBusy && !this.#watches) {
      this.#last = activity;
      this.#lastChangeMs = nowMs;
      this.#told = false;
    }
    this.#watches = wasBusy;
    this.#before = activity;
    this.#secondEndsMs = nowMs + restMs;
  }
}
