/** Below, one pane is all there is room for. */
const rowsForAllMin = 9;

/** Of a pane that nobody looks at: its heading, and the first rows. */
const modestRows = 4;

/**
 * Divides rows of the screen among panes: all get a few, then the one that is looked at what it
 * wants, then the others from the top.
 *
 * @param wanted rows that each could fill, its heading included
 * @returns as many as are to be had, by pane; 0 for panes that are not shown
 */
export function shareRows(rows: number, wanted: readonly number[], chosen: number): number[] {
  if (rows < rowsForAllMin) return wanted.map((_, pane) => (pane === chosen ? rows : 0));
  const modest = Math.min(modestRows, Math.floor(rows / wanted.length));
  const shares = wanted.map((each) => Math.min(each, modest));
  let left = rows - shares.reduce((sum, share) => sum + share, 0);
  for (const pane of [chosen, ...wanted.keys()]) {
    const more = Math.min(left, wanted[pane]! - shares[pane]!);
    shares[pane]! += more;
    left -= more;
  }
  return shares;
}
