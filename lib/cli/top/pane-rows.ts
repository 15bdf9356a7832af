import { byNumber } from "../live/by-number.ts";
import { containerPane } from "./container-pane.ts";
import { eventPane } from "./event-pane.ts";
import { linkPane } from "./link-pane.ts";
import type { PaneRow, PaneTable } from "./pane-table.ts";
import { type Known, type Pane, shownOf, type TopState } from "./top-state.ts";

const tables: Readonly<Record<Pane, (known: Known, steps: readonly string[]) => PaneTable>> = {
  links: linkPane,
  containers: containerPane,
  events: eventPane,
};

/** A pane's rows that pass the filter, sorted as asked for. */
export function paneTable(state: TopState, pane: Pane, steps: readonly string[]): PaneTable {
  const { columns, rows } = tables[pane](shownOf(state), steps);
  const { filter, places } = state.view;
  const { sort, isReversed } = places[pane];
  const wanted = rows.filter((row) => hasText(row, filter.toLowerCase()));
  const sorted = wanted.toSorted((a, b) => compare(a.keys[sort] ?? 0, b.keys[sort] ?? 0));
  return { columns, rows: isReversed ? sorted.toReversed() : sorted };
}

function hasText({ cells, detail }: PaneRow, text: string): boolean {
  if (text === "") return true;
  return [...cells.map((cell) => cell.text), detail].some((each) =>
    each.toLowerCase().includes(text),
  );
}

/** Numbers from the greatest down, as whoever sorts by them wants to see the greatest; texts up. */
function compare(a: string | number, b: string | number): number {
  if (typeof a === "number" && typeof b === "number") return b - a;
  return byNumber(String(a), String(b));
}
