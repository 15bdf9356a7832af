import { roundTripText } from "../terminal/quantities.ts";
import type { MapHost, MapLink, NetworkMap } from "./map-graph.ts";

/** The network for Graphviz (the DOT language): hosts, links, and containers below their hosts. */
export function dotText({ islands, missing }: NetworkMap, hasContainers: boolean): string {
  const hosts = islands.flatMap((island) => island.hosts);
  const links = islands.flatMap((island) => island.links);
  return [
    "graph weave {",
    "  node [shape=box, style=rounded];",
    ...hosts.flatMap((host) => [hostNode(host), ...(hasContainers ? containerNodes(host) : [])]),
    ...missing.map(
      ({ name, nickname }) =>
        `  ${quoted(name)} [label=${quoted(nickname, name)}, color=red, style="rounded,dashed"];`,
    ),
    ...links.map(linkEdge),
    "}",
    "",
  ].join("\n");
}

function hostNode({ name, nickname, isSelf, isReached }: MapHost): string {
  const look = [...(isSelf ? ["penwidth=2"] : []), ...(isReached ? [] : ["color=red"])];
  return `  ${quoted(name)} [${[`label=${quoted(nickname, name)}`, ...look].join(", ")}];`;
}

function containerNodes({ name: host, containers }: MapHost): string[] {
  return containers.flatMap(({ id, name, addresses }) => {
    const node = quoted(`${host} ${id}`);
    const label = quoted(name, ...addresses);
    return [
      `  ${node} [label=${label}, shape=ellipse];`,
      `  ${quoted(host)} -- ${node} [style=dotted];`,
    ];
  });
}

/** Of others than the fastest; empty: nobody tells what carries frames. */
const overlayColours: ReadonlyMap<string, string> = new Map([
  ["sleeve", "orange"],
  ["", "gray"],
]);

function linkEdge({ from, to, state, overlay, roundTripMs }: MapLink): string {
  const isUp = state === "established";
  const texts = isUp ? [overlay, ...(roundTripMs ? [roundTripText(roundTripMs)] : [])] : [state];
  const colour = isUp ? (overlayColours.get(overlay) ?? "darkgreen") : "red";
  const look = [`color=${colour}`, ...(isUp ? [] : ["style=dashed"])];
  const label = texts.filter(Boolean).join(" ");
  const labelled = label === "" ? look : [`label=${quoted(label)}`, ...look];
  return `  ${quoted(from)} -- ${quoted(to)} [${labelled.join(", ")}];`;
}

/** A string of one or more lines. Graphviz obeys backslashes; nothing else ends a string. */
function quoted(...lines: readonly string[]): string {
  const escaped = lines.map((line) =>
    line.replaceAll(/\p{Cc}/gu, "\ufffd").replaceAll(/["\\]/g, "\\$&"),
  );
  return `"${escaped.join("\\n")}"`;
}
