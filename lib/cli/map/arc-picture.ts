import { clipLine, lineWidth, widthOf } from "../terminal/fit.ts";
import type { Glyphs } from "../terminal/glyphs.ts";
import { type Line, type Span, span, type Tone } from "../terminal/spans.ts";
import { containerLines, hostLine, linkText, linkTone, type MapStyle } from "./host-texts.ts";
import type { Island, MapLink } from "./map-graph.ts";

/**
 * Hosts below each other, and links as arcs at their right. Each link has a lane, in which it runs
 * from one host to the other; it goes over lines that lead to other lanes.
 *
 *   ● host1 ─┬──────────┐
 *            │ fastdp   │ sleeve
 *   ● host2 ─┤          │
 *            │          │
 *   ● host3 ─┴──────────┘
 */

interface Arc {
  /** Rows of the two hosts, the upper one first. */
  readonly top: number;
  readonly bottom: number;
  readonly label: string;
  readonly link: MapLink;
}

interface Lane {
  readonly arcs: Arc[];
  /** Columns from its line to the next lane. */
  width: number;
}

/** More hosts than this, and nobody can follow the lines. */
const hostsMax = 6;

/** @returns undefined when there are too many hosts, or too little room */
export function arcPicture(island: Island, style: MapStyle): Line[] | undefined {
  const { hosts, links } = island;
  if (hosts.length > hostsMax) return undefined;
  const left: Line[] = [];
  const rows = new Map<string, number>();
  for (const [index, host] of hosts.entries()) {
    rows.set(host.name, left.length);
    const containers = containerLines(host, style);
    // Without any there is a row for the labels of links.
    const below = containers.length > 0 || index === hosts.length - 1 ? containers : [[]];
    left.push(hostLine(host, style), ...below);
  }
  const lanes = assignLanes(links.map((link) => arcOf(link, rows, style)));
  const leftWidth = Math.max(...left.map(lineWidth)) + 2;
  const width = leftWidth + lanes.reduce((sum, lane) => sum + lane.width, 0);
  if (width > style.columns) return undefined;
  return left.map((line, row) => {
    const laneSpans = lanes.length === 0 ? [] : rowOfLanes(lanes, row, style.glyphs);
    const hasArc = lanes.some(({ arcs }) =>
      arcs.some(({ top, bottom }) => top === row || bottom === row),
    );
    const blanks = leftWidth - lineWidth(line);
    const filler = hasArc ? ` ${style.glyphs.horizontal.repeat(blanks - 1)}` : " ".repeat(blanks);
    return clipLine([...line, span(filler, "faint"), ...laneSpans], style.columns, "");
  });
}

function arcOf(link: MapLink, rows: ReadonlyMap<string, number>, style: MapStyle): Arc {
  const ends = [rows.get(link.from)!, rows.get(link.to)!].toSorted((a, b) => a - b);
  return { top: ends[0]!, bottom: ends[1]!, label: linkText(link, style), link };
}

/** Short arcs next to the hosts; arcs in one lane meet at hosts at most. */
export function assignLanes(arcs: readonly Arc[]): readonly Lane[] {
  const lanes: Lane[] = [];
  const ordered = arcs.toSorted((a, b) => a.bottom - a.top - (b.bottom - b.top) || a.top - b.top);
  for (const arc of ordered) {
    const free = lanes.find(({ arcs: others }) =>
      others.every(({ top, bottom }) => arc.bottom <= top || arc.top >= bottom),
    );
    const lane = free ?? { arcs: [], width: 0 };
    if (free === undefined) lanes.push(lane);
    lane.arcs.push(arc);
    lane.width = Math.max(lane.width, arc.label === "" ? 3 : widthOf(arc.label) + 4);
  }
  return lanes;
}

function rowOfLanes(lanes: readonly Lane[], row: number, glyphs: Glyphs): Span[] {
  const touched = lanes.map(({ arcs }) =>
    arcs.some(({ top, bottom }) => top === row || bottom === row),
  );
  const last = touched.lastIndexOf(true);
  return lanes.flatMap(({ arcs, width }, at) => {
    const goesOn = at < last;
    const joint = jointOf(arcs, row, glyphs, goesOn);
    const passing = arcs.find(({ top, bottom }) => top < row && row < bottom);
    const label = passing !== undefined && row === labelRow(passing) ? passing.label : "";
    const mark =
      joint ?? (passing ? verticalOf(passing, glyphs) : span(fillerOf(at <= last, glyphs)));
    if (label !== "") {
      return [mark, span(` ${label}`.padEnd(width - 1), linkTone(passing!.link))];
    }
    return [mark, span((goesOn ? glyphs.horizontal : " ").repeat(width - 1), "faint")];
  });
}

/** The row of a link's label: right below its upper host, where there is none in its way. */
function labelRow({ top }: Arc): number {
  return top + 1;
}

function fillerOf(isCrossed: boolean, { horizontal }: Glyphs): string {
  return isCrossed ? horizontal : " ";
}

/** Where arcs of a lane begin or end. */
function jointOf(
  arcs: readonly Arc[],
  row: number,
  { branch, corner }: Glyphs,
  goesOn: boolean,
): Span | undefined {
  const down = arcs.find(({ top }) => top === row);
  const up = arcs.find(({ bottom }) => bottom === row);
  if (down === undefined && up === undefined) return undefined;
  const way = down === undefined ? "up" : up === undefined ? "down" : "both";
  return span((goesOn ? branch : corner)[way], arcTone((down ?? up)!.link));
}

function verticalOf({ link }: Arc, { vertical, brokenVertical }: Glyphs): Span {
  return span(link.state === "established" ? vertical : brokenVertical, arcTone(link));
}

function arcTone(link: MapLink): Tone {
  return linkTone(link) ?? "good";
}
