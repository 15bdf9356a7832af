/** Hosts that keep their clocks by NTP are milliseconds apart. */
const offMs = 30_000;

/** Names are refused of a peer whose clock is 15 minutes off (lib/dns): this is soon before. */
const farMs = 10 * 60_000;

/** What comes of a clock that is far off. */
export const farClockText = "names are refused from 15 min on";

/** `off` is worth a warning; `far` costs names, or will soon. */
export type ClockState = "right" | "off" | "far";

/** @param offsetMs how far a clock is ahead of another one, negative when it is behind */
export function clockState(offsetMs: number): ClockState {
  const apartMs = Math.abs(offsetMs);
  return apartMs < offMs ? "right" : apartMs < farMs ? "off" : "far";
}

/** `45 s ahead of`, for the name of the other clock to be put behind it. */
export function clockText(offsetMs: number): string {
  return `${spanText(Math.abs(offsetMs))} ${offsetMs < 0 ? "behind" : "ahead of"}`;
}

/** What clocks of neighbours say of that of this host, when it is this one that is wrong. */
export interface OwnClock {
  /** How far it is ahead of theirs, by what the middle one says. */
  readonly offsetMs: number;
  /** Whose clocks: `those of 3 of 4 neighbours`. */
  readonly whose: string;
}

/**
 * When most neighbours are off to one side it is this host that is wrong.
 *
 * @param offsetsMs how far their clocks are ahead of that of this host
 */
export function ownClock(offsetsMs: readonly number[]): OwnClock | undefined {
  const off = offsetsMs.filter((each) => clockState(each) !== "right").toSorted((a, b) => a - b);
  const isOneSided = off.every((each) => Math.sign(each) === Math.sign(off[0]!));
  if (offsetsMs.length < 2 || off.length * 2 <= offsetsMs.length || !isOneSided) return undefined;
  const whose = `those of ${off.length} of ${offsetsMs.length} neighbours`;
  return { offsetMs: -off[Math.floor(off.length / 2)]!, whose };
}

/** `300 ms`, `45 s`, `12 min`, `3 h`: in the largest unit of which there are two, rounded down. */
function spanText(ms: number): string {
  if (ms < 2000) return `${Math.floor(ms)} ms`;
  const seconds = Math.floor(ms / 1000);
  if (seconds < 120) return `${seconds} s`;
  return seconds < 7200 ? `${Math.floor(seconds / 60)} min` : `${Math.floor(seconds / 3600)} h`;
}
