import { lineWidth } from "../terminal/fit.ts";
import { roundTripText } from "../terminal/quantities.ts";
import { type Line, type Span, span } from "../terminal/spans.ts";
import { type Column, layOut } from "../terminal/table.ts";
import { containerLines, hostLine, linkFinder, linkTone, type MapStyle } from "./host-texts.ts";
import type { Island, MapHost, MapLink } from "./map-graph.ts";

/**
 * A line for each host: how it is reached from here, and, where there is room, with which of the
 * hosts above it has links.
 *
 *       HOST                  FROM HERE       1 2 3
 *   1 ● host1  this host      here            .
 *   2 ● host2  3 containers   fastdp 0.31 ms  F .
 *   3 ● host3                 via host2       - + .
 */
export const tableLegend = "F fastdp  S sleeve  + linked  - not linked  ! not as it should be";

/** More than these are looked for, not at. */
const matrixHostsMax = 40;

/** @returns whether there is a column for each host, which {@link tableLegend} explains */
export function hostTable(island: Island, style: MapStyle): { lines: Line[]; hasMatrix: boolean } {
  const { hosts } = island;
  const link = linkFinder(island);
  const self = hosts.find(({ isSelf }) => isSelf);
  const digits = String(hosts.length).length;
  const names = hosts.map((host, at) => nameSpans(host, at + 1, digits, style));
  const columns: Column[] = [
    { title: `${" ".repeat(digits + 3)}HOST`, rank: 0 },
    { title: "FROM HERE", rank: 1 },
  ];
  const plain = hosts.map((host, at) => [
    span(names[at]!.map(({ text }) => text).join("")),
    fromHere(host, self && link(self.name, host.name)),
  ]);
  const { heading, line } = layOut(columns, plain, style.columns, style.glyphs.ellipsis);
  const rows = plain.map(line);
  const used = lineWidth(rows[0] ?? []);
  const hasMatrix =
    hosts.length <= matrixHostsMax && used + 2 + hosts.length * (digits + 1) <= style.columns;
  const lines = hosts.flatMap((host, at): Line[] => [
    [
      ...namesWithTones(names[at]!, rows[at]!),
      ...(hasMatrix ? matrixRow(hosts, at, link, digits) : []),
    ],
    ...containerLines(host, style),
  ]);
  const numbers = hosts.map((_, at) => String(at + 1).padStart(digits + 1)).join("");
  return {
    lines: [[...heading, ...(hasMatrix ? [span(` ${numbers}`)] : [])], ...lines],
    hasMatrix,
  };
}

function nameSpans(host: MapHost, number: number, digits: number, style: MapStyle): Line {
  return [span(`${String(number).padStart(digits)} `, "faint"), ...hostLine(host, style)];
}

/** The first cell as it was before the table made one text of it. */
function namesWithTones(name: Line, [first, ...rest]: Line): Line {
  const text = name.map((each) => each.text).join("");
  return first?.text.startsWith(text)
    ? [...name, span(first.text.slice(text.length)), ...rest]
    : [...(first ? [first] : []), ...rest];
}

function fromHere(host: MapHost, link: MapLink | undefined): Span {
  if (host.isSelf) return span("here");
  if (link === undefined || link.state !== "established") {
    const way = host.via === undefined ? "no way" : `via ${host.via}`;
    return span(link === undefined ? way : `${link.state}, ${way}`, host.via ? "warning" : "bad");
  }
  return span(`${link.overlay} ${roundTripText(link.roundTripMs)}`.trim(), linkTone(link));
}

function matrixRow(
  hosts: readonly MapHost[],
  row: number,
  link: (a: string, b: string) => MapLink | undefined,
  digits: number,
): Line {
  const cells = hosts.slice(0, row + 1).map(({ name }, at): Span => {
    const found = link(name, hosts[row]!.name);
    const mark = at === row ? "." : markOf(found);
    const tone = found === undefined || at === row ? "faint" : linkTone(found);
    return span(mark.padStart(digits + 1), tone);
  });
  return [span(" "), ...cells];
}

function markOf(link: MapLink | undefined): string {
  if (link === undefined) return "-";
  if (link.state !== "established") return "!";
  if (link.overlay === "") return "+";
  return link.overlay.slice(0, 1).toUpperCase();
}
