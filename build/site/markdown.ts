import { Marked, type Tokens } from "marked";
import { highlight } from "./highlight.ts";
import { escapeHtml, textOfHtml } from "./html.ts";

export interface Heading {
  readonly level: number;
  /** As HTML. */
  readonly html: string;
  readonly anchor: string;
}

/** What stands under a heading, for the search. */
export interface Section {
  readonly heading: string;
  readonly anchor: string;
  readonly text: string;
}

export interface Rendered {
  readonly title: string;
  readonly html: string;
  readonly headings: readonly Heading[];
  readonly sections: readonly Section[];
  /** Links and images as they are written. */
  readonly links: readonly string[];
}

/**
 * A page of Markdown, as GitHub has it, as the HTML of an article. Comments are left out; so is what
 * looks like an element and is none: it is shown as it is written.
 *
 * @param lead what an href that is written in the page leads to from the site; `undefined` for what is
 * not there, of which the text is left
 */
export function renderMarkdown(
  markdown: string,
  lead: (href: string) => string | undefined,
): Rendered {
  const headings: Heading[] = [];
  const links: string[] = [];
  const anchors = new Map<string, number>();
  const marked = new Marked({ gfm: true });
  const linked = (href: string): string | undefined => {
    links.push(href);
    const target = lead(href);
    return target === undefined ? undefined : escapeHtml(target);
  };
  marked.use({
    renderer: {
      heading({ tokens, depth, text }) {
        const html = this.parser.parseInline(tokens);
        const anchor = uniqueAnchor(text, anchors);
        headings.push({ level: depth, html, anchor });
        const mark = `<a class="anchor" href="#${anchor}" aria-label="Link to this part">#</a>`;
        return `<h${depth} id="${anchor}">${html}${depth > 1 ? ` ${mark}` : ""}</h${depth}>\n`;
      },
      code: codeBlock,
      html({ text }) {
        if (/^\s*<!--/.test(text)) return "";
        return /^<br ?\/?>$/.test(text) ? "<br>" : escapeHtml(text);
      },
      link({ href, tokens }) {
        const [to, text] = [linked(href), this.parser.parseInline(tokens)];
        return to === undefined ? text : `<a href="${to}">${text}</a>`;
      },
      image({ href, text }) {
        const [to, words] = [linked(href), escapeHtml(text)];
        return to === undefined ? words : `<img src="${to}" alt="${words}" loading="lazy">`;
      },
      table(token) {
        return tableElement(token, (tokens) => this.parser.parseInline(tokens));
      },
    },
  });
  const html = marked.parse(markdown, { async: false });
  const sections = sectionsOf(html);
  return { title: sections[0]?.heading ?? "", html, headings, sections, links };
}

/** As GitHub makes them, so that links hold in both places. */
export function anchorOf(heading: string): string {
  return heading
    .replace(/\[([^\]]*)\]\([^)]*\)/g, "$1")
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\p{M} _-]/gu, "")
    .replace(/ /g, "-");
}

function uniqueAnchor(heading: string, taken: Map<string, number>): string {
  const anchor = anchorOf(heading);
  const times = taken.get(anchor) ?? 0;
  taken.set(anchor, times + 1);
  return times === 0 ? anchor : `${anchor}-${times}`;
}

/** Where commands are typed is said above them; the rest of the info string is for tests. */
function codeBlock({ text, lang = "" }: Tokens.Code): string {
  const [language = "", ...words] = lang.split(/\s+/);
  const hosts = words.filter((word) => word.startsWith("host"));
  const code = `<pre tabindex="0"><code>${highlight(text, language)}</code></pre>`;
  const kind = language === "" ? "" : ` ${escapeHtml(language)}`;
  const caption = hosts.length > 0 ? `<figcaption>on ${hosts.join(", ")}</figcaption>` : "";
  return `<figure class="code${kind}">${caption}${code}</figure>\n`;
}

function tableElement(
  { header, rows }: Tokens.Table,
  inline: (tokens: Tokens.TableCell["tokens"]) => string,
): string {
  const row = (cells: readonly Tokens.TableCell[], name: string): string =>
    `<tr>${cells.map(({ tokens }) => `<${name}>${inline(tokens)}</${name}>`).join("")}</tr>\n`;
  const isHeaded = header.some(({ text }) => text !== "");
  const head = isHeaded ? `<thead>\n${row(header, "th")}</thead>\n` : "";
  const body = rows.map((cells) => row(cells, "td")).join("");
  return `<div class="table" tabindex="0"><table>\n${head}<tbody>\n${body}</tbody>\n</table></div>\n`;
}

function sectionsOf(html: string): Section[] {
  return html.split(/(?=<h[1-6] id=")/).flatMap((part) => {
    const [, anchor, heading] = /^<h[1-6] id="([^"]*)">(.*?)<\/h[1-6]>/s.exec(part) ?? [];
    if (anchor === undefined || heading === undefined) return [];
    const text = textOfHtml(part.slice(part.indexOf("</h") + 5));
    const name = textOfHtml(heading.replace(/<a class="anchor".*/s, ""));
    return [{ anchor, heading: name, text }];
  });
}
