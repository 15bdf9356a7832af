import { msToBeat } from "../../base/beat.ts";
import type { Cancel, World } from "../../base/world.ts";
import { assumedMtu, PathMtu } from "../path-mtu.ts";
import { type PathMtuPlan, prudentPlan } from "../path-mtu-plan.ts";
import { compatibleMtu, type LinkMtu, tunnelOverhead } from "./link-mtu.ts";

/**
 * What the path to a neighbour carries, found by heartbeats that ask (docs/protocol.md):
 *
 *   acknowledged ──▶ ask for all that containers have ──answer──▶ in use, asked about every 5 s
 *                        │ no answer                                 │ no answer      ▲
 *                        └──▶ search among smaller sizes ◀───────────┘                │ once a minute
 *                                 └──answer──▶ in use, and larger ones are tried ─────┘
 *
 * A size stays in use until a smaller one is answered and it is not: silence about all sizes is no
 * news about any. Nothing is asked while heartbeats do not pass at all.
 */
export interface DiscoveredMtuOptions {
  readonly world: Pick<World, "after" | "monotonicMs">;
  /** What containers have. */
  readonly own: number;
  readonly encrypted: boolean;
  /** Sends a heartbeat of this MTU that asks. */
  readonly ask: (mtu: number) => void;
  /** Another size is in use. */
  readonly changed: () => void;
  /** The underlay carries packets of this size and no larger ones, though containers have them. */
  readonly narrow: (pathMtu: number) => void;
}

const askMs = 5_000;
const growMs = 60_000;

const plan = (overhead: number): PathMtuPlan => ({
  ...prudentPlan,
  commonPathMtus: [...prudentPlan.commonPathMtus, compatibleMtu + overhead],
  // Has passed at the next beat (base/beat.ts).
  recheckMs: askMs * 0.8,
});

export class DiscoveredMtu implements LinkMtu {
  readonly peerTakes = undefined;
  readonly #options: DiscoveredMtuOptions;
  readonly #overhead: number;
  readonly #search: PathMtu;
  #inUse: number | undefined;
  #told: number | undefined;
  #works = false;
  #growAtMs = 0;
  #cancel: Cancel = () => {};

  constructor(options: DiscoveredMtuOptions) {
    this.#options = options;
    this.#overhead = tunnelOverhead(options.encrypted);
    const tests = { overhead: this.#overhead, testable: () => true };
    this.#search = new PathMtu(tests, plan(this.#overhead));
  }

  get limit(): number {
    return this.#inUse ?? Math.min(this.#options.own, assumedMtu);
  }

  get isFound(): boolean {
    return this.#inUse !== undefined;
  }

  get heartbeat(): number {
    return this.limit;
  }

  heard(): void {}

  answered(mtu: number): void {
    this.#search.answered(mtu, this.#nowMs());
    this.#follow();
  }

  works(yes: boolean): void {
    if (yes === this.#works) return;
    this.#works = yes;
    this.#cancel();
    if (yes) this.#next();
  }

  stop(): void {
    this.works(false);
  }

  /** Asks whatever is due. */
  #next(): void {
    const nowMs = this.#nowMs();
    const { own } = this.#options;
    const grows = !this.#search.searching && nowMs >= this.#growAtMs;
    if (grows) this.#growAtMs = nowMs + growMs;
    if (grows && this.#inUse !== own) this.#search.tooBig(own + this.#overhead, nowMs);
    else this.#search.tick(nowMs);
    this.#follow();
  }

  #follow(): void {
    for (;;) {
      const mtu = this.#search.nextProbe();
      if (mtu === undefined) break;
      this.#options.ask(mtu);
    }
    this.#arm();
    const { proven } = this.#search;
    if (proven !== this.#inUse) {
      this.#inUse = proven;
      this.#options.changed();
    }
    this.#tellNarrow();
  }

  /** Once it is certain: senders who are told a size keep to it for minutes. */
  #tellNarrow(): void {
    const { searching, proven } = this.#search;
    if (searching || proven === undefined || proven === this.#told) return;
    this.#told = proven;
    if (proven < this.#options.own) this.#options.narrow(proven + this.#overhead);
  }

  /** Searches at their own pace; at rest all links in the same moments. */
  #arm(): void {
    this.#cancel();
    if (!this.#works) return;
    const nowMs = this.#nowMs();
    const { searching, deadlineMs } = this.#search;
    const waitMs = searching ? Math.max(0, deadlineMs - nowMs) : msToBeat(nowMs, askMs);
    this.#cancel = this.#options.world.after(waitMs, () => this.#next());
  }

  #nowMs(): number {
    return this.#options.world.monotonicMs();
  }
}
