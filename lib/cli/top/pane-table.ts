import type { Line } from "../terminal/spans.ts";
import type { Column } from "../terminal/table.ts";

/** A pane as a table, before it is known how much of it there is room for. */
export interface PaneTable {
  readonly columns: readonly Column[];
  readonly rows: readonly PaneRow[];
}

export interface PaneRow {
  readonly cells: Line;
  /** By column: what to sort by. */
  readonly keys: readonly (string | number)[];
  /** What there is to say of it that no column has; empty for nothing. */
  readonly detail: string;
}
