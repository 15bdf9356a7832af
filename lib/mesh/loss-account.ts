/**
 * How many frames were lost one way over a link, by counts that both ends took at different moments.
 * The other end counted once, between two looks of ours:
 *
 *   ours   ───before──────────────────────────after───▶
 *   theirs ─────────────────counts──────────────────▶
 *
 *   to it     sent before − it received     ≤  lost  ≤  sent after − it received
 *   from it   it sent − received after      ≤  lost  ≤  it sent − received before
 *
 * This holds whatever was under way, as long as frames that were sent before the earlier of two counts
 * have been counted by the later one, or never are. Both bounds are off by one number, how far apart
 * the counts were when they began, so what tells is how they move:
 *
 *   bounds  ├────────┤                       at first: whatever was lost so far is in here
 *           ─────────x                       accounted for, at the most
 *                  ├────────┤                more traffic, nothing lost for certain
 *                      ├────────┤            so much was lost:  x──▶├
 *
 * What is accounted for goes along with the bounds, and a loss is told when the lower one passes it.
 * So none is told that did not happen, each is told once, and what is under way may hide some for as
 * long as it is under way.
 */
export interface LossBounds {
  readonly least: number;
  readonly most: number;
  /** Frames that were sent since the last time. */
  readonly frames: number;
}

/** Frames whose fate is known, and how many of them did not arrive. */
export interface LossTally {
  readonly frames: number;
  readonly lost: number;
}

/** One lost frame of fewer would be too large a share to mean anything. */
const shareFramesMin = 100;

/** From 0 to 1; `undefined` of too few frames. */
export function shareLost({ frames, lost }: LossTally): number | undefined {
  return frames < shareFramesMin ? undefined : lost / frames;
}

export class LossAccount {
  #accounted: number | undefined;

  /** What has been lost for certain since the last time; nothing at first and after {@link restart}. */
  update({ least, most, frames }: LossBounds): LossTally {
    const before = this.#accounted ?? most;
    const lost = Math.max(0, Math.min(least - before, frames));
    this.#accounted = Math.min(before + lost, most);
    return { frames, lost };
  }

  /** The counts to come have nothing to do with those before. */
  restart(): void {
    this.#accounted = undefined;
  }
}
