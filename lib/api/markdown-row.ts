/** One line of a table in a page of documentation. Outside of code nothing is taken for an element. */
export function markdownRow(cells: readonly string[]): string {
  return `| ${cells.map((cell) => withoutElements(cell).replaceAll("|", "\\|")).join(" | ")} |`;
}

function withoutElements(cell: string): string {
  return cell
    .split("`")
    .map((part, at) => (at % 2 === 0 ? part.replaceAll("<", "\\<") : part))
    .join("`");
}
