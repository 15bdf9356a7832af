/** Elements of HTML that have no end tag (HTML Standard, 13.1.2). */
const voidElements = new Set(["br", "img", "input", "link", "meta", "hr"]);

/**
 * What is wrong with a page of HTML as the site writes it, one sentence each: end tags that end
 * nothing, elements that do not end, text that should have been escaped, ids that are taken.
 */
export function faultsOf(html: string): string[] {
  const faults: string[] = [];
  const open: string[] = [];
  const ids = new Set<string>();
  let rest = 0;
  const tag = /<(\/?)([a-z][a-z0-9]*)((?:\s+[a-zA-Z-]+(?:="[^"<]*")?)*)\s*>/g;
  const text = (until: number): void => {
    const between = html.slice(rest, until);
    if (/[<>]/.test(between)) faults.push(`not escaped: ${between.trim().slice(0, 60)}`);
  };
  for (const match of html.matchAll(tag)) {
    const [whole, end, name, attributes] = match as unknown as [string, string, string, string];
    if (rest > 0) text(match.index);
    rest = match.index + whole.length;
    const id = /\sid="([^"]*)"/.exec(attributes)?.[1];
    if (id !== undefined && ids.has(id)) faults.push(`two elements have the id ${id}`);
    if (id !== undefined) ids.add(id);
    if (voidElements.has(name)) continue;
    if (end === "") open.push(name);
    else if (open.pop() !== name) faults.push(`</${name}> ends nothing`);
  }
  text(html.length);
  return [...faults, ...open.map((name) => `<${name}> does not end`)];
}
