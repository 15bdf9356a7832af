import type { Happening } from "./happening.ts";

/** What the characters of a timeline mean. */
export const timelineLegend =
  "▲ started  K killed  W lost its disk  L left  U upgraded  T took over  r reset  c cut  o one-way cut\n" +
  "P partition  s slow link  S slow peer  d dials  f disk full  k clock skew  + request  * several  ! broken";

/**
 * What happened to whom and when, one line a peer, time from left to right:
 *
 *   peer  3 │·····c·····K··▲··························!
 *   peer  7 │·····c······*·····························!
 *           0 s                                      84 s
 */
export function drawTimeline(
  happenings: readonly Happening[],
  options: { readonly peers: number; readonly columns: number },
): string {
  const { peers, columns } = options;
  const endMs = Math.max(1, ...happenings.map(({ atMs }) => atMs));
  const concerned = new Set(happenings.flatMap((happening) => happening.peers));
  const lines: string[] = [];
  for (let number = 1; number <= peers; number++) {
    if (!concerned.has(number)) continue;
    const cells = new Array<string>(columns).fill("·");
    for (const { atMs, mark, peers: whom } of happenings) {
      if (!whom.includes(number)) continue;
      const at = Math.min(columns - 1, Math.floor((atMs / endMs) * columns));
      cells[at] = both(cells[at]!, mark);
    }
    lines.push(`peer ${String(number).padStart(3)} │${cells.join("")}`);
  }
  const end = `${Math.round(endMs / 1000)} s`;
  lines.push(`         0 s${end.padStart(columns - 2)}`);
  return lines.join("\n");
}

/** Two marks in one cell: the worse of them, or that there were several. */
function both(before: string, mark: string): string {
  if (before === "·" || before === mark || before === "+") return mark;
  if (mark === "+") return before;
  return before === "!" || mark === "!" ? "!" : "*";
}
