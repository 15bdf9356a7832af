import { counted } from "../../base/counted.ts";
import { countedText, countText } from "../terminal/quantities.ts";
import { type Line, span } from "../terminal/spans.ts";
import { wrap } from "../text-layout.ts";
import { arcPicture } from "./arc-picture.ts";
import { hostGroups } from "./host-groups.ts";
import { hostTable, tableLegend } from "./host-table.ts";
import type { MapStyle } from "./host-texts.ts";
import type { Island, NetworkMap } from "./map-graph.ts";

/** More hosts than this are summarised, unless all are asked for. */
const listedHostsMax = 24;

/** `weave map`: islands below each other, then what is not as it should be. */
export function mapLines(map: NetworkMap, style: MapStyle): Line[] {
  const { islands, missing, problems } = map;
  const pictures = islands.map((island) => islandPicture(island, style));
  const isDivided = islands.length > 1;
  return [
    [span(titleText(map), "strong")],
    ...pictures.flatMap(({ lines }, at): Line[] => [
      [],
      ...(isDivided ? [[span(islandTitle(islands[at]!, at), at > 0 ? "bad" : "faint")]] : []),
      ...lines,
    ]),
    ...(missing.length === 0 ? [] : [[], [span("Not heard of:", "bad")]]),
    ...missing.map(
      ({ nickname, name }): Line => [
        span(`${style.glyphs.lostHost} `, "bad"),
        span(nickname),
        span(`  ${name}`, "faint"),
      ],
    ),
    ...(pictures.some(({ hasMatrix }) => hasMatrix) ? [[], [span(tableLegend, "faint")]] : []),
    ...(problems.length === 0 ? [] : [[]]),
    ...problems.flatMap((problem) =>
      wrap(problem, 2, style.columns).map((text, at): Line => {
        const marked = at === 0 ? `${style.glyphs.problem}${text.slice(1)}` : text;
        return [span(marked, "warning")];
      }),
    ),
  ];
}

function islandPicture(island: Island, style: MapStyle): { lines: Line[]; hasMatrix: boolean } {
  const arcs = arcPicture(island, style);
  if (arcs !== undefined) return { lines: arcs, hasMatrix: false };
  const isSummarised =
    island.hosts.length > listedHostsMax && !style.hasAll && !style.hasContainers;
  return isSummarised
    ? { lines: hostGroups(island, style), hasMatrix: false }
    : hostTable(island, style);
}

function titleText({ islands, isEncrypted }: NetworkMap): string {
  const hosts = islands.flatMap((island) => island.hosts);
  const links = islands.flatMap((island) => island.links);
  const up = links.filter(({ state }) => state === "established").length;
  const containers = hosts.reduce((sum, host) => sum + host.containers.length, 0);
  return [
    counted(hosts.length, "host"),
    up < links.length
      ? `${countText(up)} of ${countedText(links.length, "link")}`
      : countedText(up, "link"),
    countedText(containers, "container"),
    isEncrypted ? "encrypted" : "in clear",
  ].join(", ");
}

function islandTitle({ hosts }: Island, at: number): string {
  return at === 0
    ? `Reached from here, ${counted(hosts.length, "host")}:`
    : `Apart, ${counted(hosts.length, "host")}:`;
}
