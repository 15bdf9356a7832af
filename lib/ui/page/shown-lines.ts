import type { Health } from "./things.ts";
import type { Flow } from "./traffic.ts";

/** What of a line decides whether it is drawn. */
export interface LineLook {
  readonly health: Health;
  /** Missing where nothing counts. */
  readonly flow: Flow | undefined;
}

/** Of more lines than that not all are drawn, nor of those that are slow. */
const linesMax = 400;

/** Then so many are drawn for what goes over them. */
const busiestMax = 24;

/**
 * Few lines are drawn all. Of many those that are chosen, broken, or slow unless too many are, and
 * those that carry most.
 *
 * @param leastRate bits a second that are worth a line
 */
export function shownLines<Line extends LineLook>(
  lines: readonly Line[],
  isChosen: (line: Line) => boolean,
  leastRate: number,
): Line[] {
  if (lines.length <= linesMax) return [...lines];
  const slow = lines.filter(({ health }) => health === "slow");
  const busy = new Set(busiest(lines, leastRate));
  const areSlowShown = slow.length <= linesMax;
  return lines.filter(
    (line) =>
      line.health === "broken" ||
      (line.health === "slow" && areSlowShown) ||
      busy.has(line) ||
      isChosen(line),
  );
}

function busiest<Line extends LineLook>(lines: readonly Line[], leastRate: number): Line[] {
  const busy = lines.filter(({ flow }) => totalOf(flow) >= leastRate);
  return busy.sort((a, b) => totalOf(b.flow) - totalOf(a.flow)).slice(0, busiestMax);
}

/** Both ways together. */
export function totalOf(flow: Flow | undefined): number {
  return flow === undefined ? 0 : flow.there + flow.back;
}
