import { clipLine } from "../terminal/fit.ts";
import type { Glyphs } from "../terminal/glyphs.ts";
import type { ScreenSize } from "../terminal/screen.ts";
import { type Line, span } from "../terminal/spans.ts";
import { layOut } from "../terminal/table.ts";
import { definitions } from "../text-layout.ts";
import { between, headerLines } from "./header.ts";
import { paneTable } from "./pane-rows.ts";
import type { PaneTable } from "./pane-table.ts";
import { windowLines } from "./pane-window.ts";
import { shareRows } from "./share-rows.ts";
import { keyHelp } from "./top-keys.ts";
import { panes, shownOf, type TopState, type TopView } from "./top-state.ts";

/** What `weave top` shows on a screen of this size: as many lines as it has rows. */
export function topFrame(state: TopState, { columns, rows }: ScreenSize, glyphs: Glyphs): Line[] {
  const isPaused = state.frozen !== undefined;
  const header = headerLines(shownOf(state), { width: columns, glyphs, isPaused });
  const tables = panes.map((pane) => paneTable(state, pane, glyphs.steps));
  const room = Math.max(0, rows - header.length - 2);
  const size = { columns, rows: room };
  const body = state.view.hasHelp ? helpLines() : paneLines(tables, state.view, size, glyphs);
  const blank = new Array<Line>(Math.max(0, room - body.length)).fill([]);
  return [
    ...[...header, ...body.slice(0, room), ...blank].slice(0, Math.max(0, rows - 2)),
    [span(detailText(tables, state.view), "faint")],
    footer(state, columns),
  ]
    .slice(-rows)
    .map((line) => clipLine(line, columns, glyphs.ellipsis));
}

const eventsAtOnce = 10;

/** The same without a screen: everything there is, but for older events, and nothing about keys. */
export function wholeFrame(state: TopState, columns: number, glyphs: Glyphs): Line[] {
  const header = headerLines(state.live, { width: columns, glyphs, isPaused: false });
  const body = panes.flatMap((pane): Line[] => {
    const table = paneTable(state, pane, glyphs.steps);
    const shown = pane === "events" ? table.rows.slice(0, eventsAtOnce) : table.rows;
    const rows = shown.map(({ cells }) => cells);
    const { heading, line } = layOut(table.columns, rows, columns, glyphs.ellipsis);
    return [[], heading, ...rows.map(line)];
  });
  return [...header, ...body].map((line) => clipLine(line, columns, glyphs.ellipsis));
}

function paneLines(
  tables: readonly PaneTable[],
  { pane, places }: TopView,
  { columns, rows }: ScreenSize,
  glyphs: Glyphs,
): Line[] {
  const wanted = tables.map((table) => table.rows.length + 1);
  const shares = shareRows(rows, wanted, panes.indexOf(pane));
  const spare = rows - shares.reduce((sum, share) => sum + share, 0);
  return panes.flatMap((each, index) => [
    ...(index > 0 && spare >= panes.length - 1 ? [[]] : []),
    ...windowLines(tables[index]!, {
      ...{ isChosen: each === pane, place: places[each], rows: shares[index]! },
      ...{ columns, glyphs },
    }),
  ]);
}

/** Of the row that is chosen. */
function detailText(tables: readonly PaneTable[], { pane, places }: TopView): string {
  const { rows } = tables[panes.indexOf(pane)]!;
  return rows[Math.min(places[pane].row, rows.length - 1)]?.detail ?? "";
}

function footer({ view, frozen }: TopState, columns: number): Line {
  if (view.isTyping) return [span("/", "strong"), span(`${view.filter}_`)];
  const filtered = view.filter === "" ? [] : [span(`only "${view.filter}"`, "warning")];
  const keys = `q end  tab pane  s sort  / filter  p ${frozen ? "go on" : "pause"}  ? help`;
  return between([span(keys, "faint")], filtered, columns);
}

function helpLines(): Line[] {
  return ["", ...definitions(keyHelp)].map((line) => [span(line)]);
}
