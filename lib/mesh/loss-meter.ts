import { everyBeat } from "../base/beat.ts";
import type { FrameCounts } from "../base/overlay.ts";
import type { Cancel, World } from "../base/world.ts";
import { decodeLinkCounts, encodeLinkCounts, type LinkCountsMessage } from "./link-counts.ts";
import { LossAccount, type LossTally } from "./loss-account.ts";

/**
 * Measures with a neighbour of our kind how many frames get lost between both, each way. On the beat,
 * if any frame came or went since the last time:
 *
 *   quiet ──frames──▶ settling ──{@link settleMs}──▶ asked ──their counts──▶ answered ──settleMs──▶ quiet
 *                     (our counts before)                                  (our counts after)
 *
 * The waits are for frames that are under way, and for counts that lag behind: see loss-account.ts. A
 * beat before the answer begins anew, for whatever is compared is compared with all that came before.
 * Counts that fall, and overlays that begin or cease to count at either end, begin anew altogether.
 */
export const lossPeriodMs = 10_000;
/** Longer than it takes a count of a worker to be known, or any sound path to empty itself. */
export const settleMs = 250;
/** What a share is told of. */
export const lossWindowMs = 60_000;
/** A neighbour asks once in {@link lossPeriodMs}; counting costs something where the kernel is asked. */
const answerEveryMs = 1000;

export interface BothWays<T> {
  /** To the neighbour. */
  readonly to: T;
  readonly from: T;
}

export interface LinkLoss {
  /** Of the last {@link lossWindowMs}. */
  readonly recent: BothWays<LossTally>;
  /** Since the link was established; whole numbers that only grow. */
  readonly total: BothWays<LossTally>;
}

export interface LossMeterPorts {
  /** By overlay; empty where none counts every frame. */
  counts(): readonly FrameCounts[];
  send(body: Uint8Array): void;
}

type Phase =
  | { readonly name: "quiet" }
  | { readonly name: "settling"; readonly before: readonly FrameCounts[] }
  | { readonly name: "asked"; readonly before: readonly FrameCounts[] }
  | { readonly name: "answered" };

/** Counts of one comparison, of the overlays that both ends count. */
interface Compared {
  readonly overlays: string;
  readonly before: FrameSum;
  readonly theirs: FrameSum;
  readonly after: FrameSum;
}

interface FrameSum {
  readonly sent: number;
  readonly received: number;
}

const nothing: LossTally = { frames: 0, lost: 0 };

export class LossMeter {
  readonly #world: Pick<World, "after" | "monotonicMs">;
  readonly #ports: LossMeterPorts;
  readonly #to = new LossAccount();
  readonly #from = new LossAccount();
  readonly #stopBeat: Cancel;
  #cancelWait: Cancel = () => {};
  #phase: Phase = { name: "quiet" };
  #number = 0;
  #last: Compared | undefined;
  /** Our counts that were compared last. */
  #comparedOf = "";
  #answeredAtMs = Number.NEGATIVE_INFINITY;
  #total: BothWays<LossTally> = { to: nothing, from: nothing };
  /** The latest comparisons, as many as fit the window. */
  #recent: { readonly atMs: number; readonly tallies: BothWays<LossTally> }[] = [];

  /** Begins at once. */
  constructor(world: Pick<World, "after" | "monotonicMs">, ports: LossMeterPorts) {
    this.#world = world;
    this.#ports = ports;
    this.#stopBeat = everyBeat(world, lossPeriodMs, () => this.#beat());
  }

  /** `undefined` while the two ends have nothing to compare. */
  get loss(): LinkLoss | undefined {
    if (this.#last === undefined) return undefined;
    this.#forgetOld();
    const tallies = this.#recent.map((each) => each.tallies);
    return { recent: tallies.reduce(addBoth, { to: nothing, from: nothing }), total: this.#total };
  }

  received(body: Uint8Array): void {
    const message = decodeLinkCounts(body);
    if (message?.kind === "question") this.#answer(message.number);
    else if (message !== undefined) this.#answered(message);
  }

  stop(): void {
    this.#stopBeat();
    this.#cancelWait();
  }

  #beat(): void {
    const before = this.#ports.counts();
    const text = textOf(before);
    if (before.length === 0 || text === this.#comparedOf) return;
    this.#phase = { name: "settling", before };
    this.#wait(() => {
      this.#phase = { name: "asked", before };
      this.#number = (this.#number + 1) >>> 0;
      this.#ports.send(encodeLinkCounts({ kind: "question", number: this.#number }));
    });
  }

  #answer(number: number): void {
    const nowMs = this.#world.monotonicMs();
    if (nowMs - this.#answeredAtMs < answerEveryMs) return;
    this.#answeredAtMs = nowMs;
    const counts = this.#ports.counts();
    this.#ports.send(encodeLinkCounts({ kind: "counts", number, counts }));
  }

  #answered({ number, counts }: Extract<LinkCountsMessage, { kind: "counts" }>): void {
    const phase = this.#phase;
    if (phase.name !== "asked" || number !== this.#number) return;
    this.#phase = { name: "answered" };
    this.#wait(() => {
      this.#phase = { name: "quiet" };
      this.#comparedOf = textOf(phase.before);
      this.#compare(common(phase.before, counts, this.#ports.counts()));
    });
  }

  #compare(now: Compared): void {
    const isSound = now.overlays !== "" && hasGrown(now.before, now.after);
    const isAnew = !isSound || this.#last === undefined || !goesOn(this.#last, now);
    const last = isAnew ? now : this.#last!;
    this.#last = isSound ? now : undefined;
    if (isAnew) {
      this.#to.restart();
      this.#from.restart();
    }
    if (!isSound) return;
    const { before, theirs, after } = now;
    this.#note({
      to: this.#to.update({
        least: before.sent - theirs.received,
        most: after.sent - theirs.received,
        frames: before.sent - last.before.sent,
      }),
      from: this.#from.update({
        least: theirs.sent - after.received,
        most: theirs.sent - before.received,
        frames: theirs.sent - last.theirs.sent,
      }),
    });
  }

  #note(tallies: BothWays<LossTally>): void {
    this.#total = addBoth(this.#total, tallies);
    this.#recent.push({ atMs: this.#world.monotonicMs(), tallies });
    this.#forgetOld();
  }

  #forgetOld(): void {
    const sinceMs = this.#world.monotonicMs() - lossWindowMs;
    this.#recent = this.#recent.filter(({ atMs }) => atMs > sinceMs);
  }

  #wait(action: () => void): void {
    this.#cancelWait();
    this.#cancelWait = this.#world.after(settleMs, action);
  }
}

function common(
  before: readonly FrameCounts[],
  theirs: readonly FrameCounts[],
  after: readonly FrameCounts[],
): Compared {
  const names = before
    .map(({ overlay }) => overlay)
    .filter((name) =>
      [theirs, after].every((each) => each.some(({ overlay }) => overlay === name)),
    );
  const sum = (counts: readonly FrameCounts[]): FrameSum => {
    const counted = counts.filter(({ overlay }) => names.includes(overlay));
    return {
      sent: counted.reduce((total, { sent }) => total + sent, 0),
      received: counted.reduce((total, { received }) => total + received, 0),
    };
  };
  return { overlays: names.join(), before: sum(before), theirs: sum(theirs), after: sum(after) };
}

/** Whether counts are those of before, and more. */
function goesOn(last: Compared, now: Compared): boolean {
  return (
    last.overlays === now.overlays &&
    hasGrown(last.before, now.before) &&
    hasGrown(last.after, now.after) &&
    hasGrown(last.theirs, now.theirs)
  );
}

function hasGrown(before: FrameSum, after: FrameSum): boolean {
  return after.sent >= before.sent && after.received >= before.received;
}

function textOf(counts: readonly FrameCounts[]): string {
  return counts.map(({ overlay, sent, received }) => `${overlay} ${sent} ${received}`).join();
}

function addBoth(a: BothWays<LossTally>, b: BothWays<LossTally>): BothWays<LossTally> {
  return { to: addTally(a.to, b.to), from: addTally(a.from, b.from) };
}

function addTally(a: LossTally, b: LossTally): LossTally {
  return { frames: a.frames + b.frames, lost: a.lost + b.lost };
}
