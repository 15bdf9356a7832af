import type { Glyphs } from "../terminal/glyphs.ts";
import { type Line, span } from "../terminal/spans.ts";
import { layOut } from "../terminal/table.ts";
import type { PaneTable } from "./pane-table.ts";
import type { Place } from "./top-state.ts";

export interface PaneWindow {
  /** Whether keys go to it. */
  readonly isChosen: boolean;
  readonly place: Place;
  /** Of the terminal, the heading's row included. */
  readonly rows: number;
  readonly columns: number;
  readonly glyphs: Glyphs;
}

/** The heading of a pane, and as many of its rows around the chosen one as there is room for. */
export function windowLines(table: PaneTable, window: PaneWindow): Line[] {
  const { isChosen, place, columns, glyphs } = window;
  if (window.rows === 0) return [];
  const count = table.rows.length;
  const height = Math.min(count, window.rows - 1);
  const row = Math.min(place.row, count - 1);
  const first = Math.max(0, Math.min(row - Math.floor(height / 2), count - height));
  const extent = height < count ? ` ${first + 1}-${first + height}/${count}` : ` ${count}`;
  const titled = table.columns.map((column, at) => {
    if (at === 0) return { ...column, title: column.title + extent };
    return at === place.sort && isChosen ? { ...column, title: `*${column.title}` } : column;
  });
  const marker = `${isChosen ? glyphs.chosen : " "} `;
  const cells = table.rows.map((each) => each.cells);
  const { heading, line } = layOut(titled, cells, columns - marker.length, glyphs.ellipsis);
  const title = heading.map(({ text }) => text).join("");
  const body = cells.slice(first, first + height).map((each, at): Line => {
    const isHere = isChosen && first + at === row;
    return [span(isHere ? marker : "  ", "strong"), ...line(each)];
  });
  return [[span((marker + title).padEnd(columns), isChosen ? "chosen" : "strong")], ...body];
}
