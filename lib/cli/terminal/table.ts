import { fitText, widthOf } from "./fit.ts";
import { type Line, type Span, span } from "./spans.ts";

export interface Column {
  readonly title: string;
  readonly isRight?: boolean;
  /** What it has at least where there is room, so that it stays when its cells change. */
  readonly usualWidth?: number;
  /** What it may be narrowed to, but not below its title; as wide as its cells when absent. */
  readonly leastWidth?: number;
  /** Columns of lower rank get what room there is before others; those of 0 are there always. */
  readonly rank: number;
}

/** Rows of cells in as many columns as there is room for. */
export interface Table {
  readonly heading: Line;
  /** The line of a row. */
  line(cells: readonly Span[]): Line;
}

const gap = "  ";

/**
 * @param rows all that columns are to be wide enough for: a cell for each column
 * @param width columns of the terminal
 */
export function layOut(
  columns: readonly Column[],
  rows: ReadonlyArray<readonly Span[]>,
  width: number,
  ellipsis: string,
): Table {
  const widths = columnWidths(columns, rows, width);
  const line = (cells: readonly Span[]): Line =>
    cells.flatMap(({ text, tone }, index) => {
      const columnWidth = widths[index];
      if (columnWidth === undefined) return [];
      const fitted = span(fitText(text, columnWidth, ellipsis, columns[index]!.isRight), tone);
      return index === 0 ? [fitted] : [span(gap), fitted];
    });
  return { heading: line(columns.map(({ title }) => span(title))), line };
}

/** By column; undefined for those that are left out. */
function columnWidths(
  columns: readonly Column[],
  rows: ReadonlyArray<readonly Span[]>,
  width: number,
): (number | undefined)[] {
  const natural = columns.map(({ title, usualWidth = 0 }, index) =>
    rows.reduce(
      (most, cells) => Math.max(most, widthOf(cells[index]!.text)),
      Math.max(usualWidth, widthOf(title)),
    ),
  );
  const least = columns.map(({ title, leastWidth }, index) =>
    Math.min(natural[index]!, Math.max(widthOf(title), leastWidth ?? natural[index]!)),
  );
  const kept = new Set<number>();
  let spare = width + gap.length;
  for (const index of [...columns.keys()].toSorted((a, b) => columns[a]!.rank - columns[b]!.rank)) {
    const needed = least[index]! + gap.length;
    if (needed > spare && columns[index]!.rank > 0) continue;
    kept.add(index);
    spare -= needed;
  }
  spare = Math.max(0, spare);
  return columns.map((_, index) => {
    if (!kept.has(index)) return undefined;
    const more = Math.min(spare, natural[index]! - least[index]!);
    spare -= more;
    return least[index]! + more;
  });
}
