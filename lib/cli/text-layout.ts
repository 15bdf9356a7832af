/** Plain-text layout for help and the like. */

const widthColumns = 80;

/** Breaks `text` at blanks so that no line is longer than the page, and indents every line. */
export function wrap(text: string, indent = 0, columns = widthColumns): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && indent + line.length + 1 + word.length > columns) {
      lines.push(" ".repeat(indent) + line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  lines.push(" ".repeat(indent) + line);
  return lines;
}

/** Two columns, the second wrapped; a term too long for its column stands on a line of its own. */
export function definitions(
  rows: ReadonlyArray<readonly [term: string, text: string]>,
  indent = 2,
): string[] {
  const longest = Math.max(0, ...rows.map(([term]) => term.length));
  const column = indent + Math.min(longest, 28) + 2;
  return rows.flatMap(([term, text]) => {
    const head = " ".repeat(indent) + term;
    const body = wrap(text, column);
    if (head.length + 2 > column) return [head, ...body];
    return [head.padEnd(column) + body[0]!.slice(column), ...body.slice(1)];
  });
}
