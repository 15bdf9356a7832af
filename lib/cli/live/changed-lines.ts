export interface MarkedLine {
  /** New, gone, or as before. */
  readonly mark: "+" | "-" | " ";
  readonly text: string;
}

/**
 * The lines of a list as it is, with those that it had before at the places where they were. A line
 * that only has another place is the same line.
 */
export function changedLines(before: readonly string[], after: readonly string[]): MarkedLine[] {
  const isNew = without(after, before);
  const isGone = without(before, after);
  const marked: MarkedLine[] = [];
  let at = 0;
  const goneUpTo = (kept: number): void => {
    for (let seen = 0; at < before.length; at++) {
      if (isGone[at]) marked.push({ mark: "-", text: before[at]! });
      else if (seen++ === kept) return;
    }
  };
  for (const [index, text] of after.entries()) {
    // What was lost between two lines that stayed stands there.
    goneUpTo(0);
    if (isNew[index]) marked.push({ mark: "+", text });
    else {
      marked.push({ mark: " ", text });
      at++;
    }
  }
  goneUpTo(Number.POSITIVE_INFINITY);
  return marked;
}

/** By line of `lines`: whether `others` have no such line for it. */
function without(lines: readonly string[], others: readonly string[]): boolean[] {
  const counts = new Map<string, number>();
  for (const line of others) counts.set(line, (counts.get(line) ?? 0) + 1);
  return lines.map((line) => {
    const left = counts.get(line) ?? 0;
    counts.set(line, left - 1);
    return left <= 0;
  });
}
