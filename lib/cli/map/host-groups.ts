import { counted } from "../../base/counted.ts";
import { countedText, roundTripText } from "../terminal/quantities.ts";
import { type Line, span } from "../terminal/spans.ts";
import { hostLine, linkFinder, type MapStyle } from "./host-texts.ts";
import type { Island, MapHost, MapLink } from "./map-graph.ts";

/**
 * Very many hosts: those in the same situation are one line, so that exceptions are to be seen.
 *
 *   ● host1  this host, 12 containers
 *   196 hosts  fastdp 0.20 ms to 1.9 ms, linked to all: host2 … host198
 *     1 host   via host7, 3 links missing: host199
 */
interface Group {
  readonly way: string;
  readonly links: string;
  readonly members: readonly { readonly host: MapHost; readonly link: MapLink | undefined }[];
}

export function hostGroups(island: Island, style: MapStyle): Line[] {
  const [self, ...others] = island.hosts;
  const groups = groupsOf(island, others);
  const widest = Math.max(...groups.map(({ members }) => counted(members.length, "host").length));
  const hostText = self === undefined ? [] : [hostLine(self, style)];
  return [...hostText, ...groups.map((group) => groupLine(group, widest, style))];
}

/** The largest first. */
function groupsOf(island: Island, others: readonly MapHost[]): Group[] {
  const link = linkFinder(island);
  const self = island.hosts[0]!;
  const counts = new Map<string, number>();
  for (const { from, to, state } of island.links) {
    if (state !== "established") continue;
    for (const end of [from, to]) counts.set(end, (counts.get(end) ?? 0) + 1);
  }
  const found = new Map<string, Group>();
  for (const host of others) {
    const own = link(self.name, host.name);
    const way = wayOf(host, own);
    const lacking = island.hosts.length - 1 - (counts.get(host.name) ?? 0);
    const links = lacking === 0 ? "linked to all" : `${counted(lacking, "link")} missing`;
    const key = `${way}\n${links}`;
    const members = [...(found.get(key)?.members ?? []), { host, link: own }];
    found.set(key, { way, links, members });
  }
  return [...found.values()].toSorted((a, b) => b.members.length - a.members.length);
}

function wayOf({ via, isReached }: MapHost, link: MapLink | undefined): string {
  if (link?.state === "established") return link.overlay;
  const way = via === undefined ? (isReached ? "" : "no way") : `via ${via}`;
  return [...(link === undefined ? [] : [link.state]), way].filter(Boolean).join(", ");
}

function groupLine({ way, links, members }: Group, widest: number, style: MapStyle): Line {
  const { ellipsis } = style.glyphs;
  const count = counted(members.length, "host").padStart(widest);
  const trips = members.flatMap(({ link }) => link?.roundTripMs ?? []).toSorted((a, b) => a - b);
  const containers = members.reduce((sum, { host }) => sum + host.containers.length, 0);
  const inside = containers > 0 ? `, ${countedText(containers, "container")}` : "";
  const names = members.map(({ host }) => host.nickname);
  const listed = names.length > 3 ? [names[0], ellipsis, names.at(-1)].join(" ") : names.join(", ");
  const isWell = links === "linked to all" && members[0]?.link?.state === "established";
  return [
    span(`  ${count}  `, "strong"),
    span(`${way}${tripsText(trips)}, ${links}`, isWell ? "good" : "warning"),
    span(`${inside}: ${listed}`),
  ];
}

function tripsText(trips: readonly number[]): string {
  const [least, most] = [trips[0], trips.at(-1)];
  if (least === undefined || most === undefined) return "";
  if (least === most) return ` ${roundTripText(least)}`;
  return ` ${roundTripText(least)} to ${roundTripText(most)}`;
}
