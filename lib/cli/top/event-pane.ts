import { span, type Tone } from "../terminal/spans.ts";
import type { Column } from "../terminal/table.ts";
import type { PaneTable } from "./pane-table.ts";
import type { Known } from "./top-state.ts";

const columns: readonly Column[] = [
  { title: "EVENTS", rank: 0 },
  { title: "KIND", rank: 1 },
  { title: "WHAT", rank: 0, leastWidth: 24 },
];

/** The latest first. */
export function eventPane({ events }: Known): PaneTable {
  const today = events[0]?.at.slice(0, 10) ?? "";
  const rows = events.map(({ id, at, kind, text }) => ({
    cells: [span(timeText(at, today), "faint"), span(kind), span(text, toneOfKind(kind))],
    keys: [id, kind, text],
    detail: text,
  }));
  return { columns, rows };
}

/** `15:04:05Z`, or `01-02 15:04` on another day. */
function timeText(at: string, today: string): string {
  return at.startsWith(today) ? `${at.slice(11, 19)}Z` : at.slice(5, 16).replace("T", " ");
}

function toneOfKind(kind: string): Tone | undefined {
  if (/\.(established|appeared|attached|started)$/.test(kind)) return "good";
  if (/\.(lost|gone|refused|blocked)$/.test(kind)) return "bad";
  return undefined;
}
