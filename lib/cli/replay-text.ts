import { counted } from "../base/counted.ts";
import type { PeerName } from "../base/peer-name.ts";
import type { Belief } from "../simulator/beliefs.ts";
import type { Cast } from "../simulator/incident/cast.ts";
import type { ReplayEnd, Scene } from "../simulator/incident/replay.ts";
import type { Script } from "../simulator/incident/script.ts";
import { forOneLine } from "./for-terminal.ts";

/** Names in a sentence; more of them are counted. */
const listedMax = 12;

/**
 * What `weave simulate --bundle` says of each part of a replay; sentences end lines, and nothing else
 * does: a bundle has names that others have chosen.
 */

export function beginningText(script: Script, scene: Scene): string {
  const { cast, ring, names, links, notes } = script;
  const addresses = ring?.ranges.reduce((sum, { size }) => sum + size, 0) ?? 0;
  return lines([
    `${counted(cast.names.length, "peer")}, ${counted(links.length, "link")}, ${counted(addresses, "address", "addresses")} in ${counted(ring?.ranges.length ?? 0, "range")}, ${counted(names.length, "name")}`,
    ...notes.map((note) => `note: ${note}`),
    ...beliefLines(cast, scene),
  ]);
}

export function sceneText(cast: Cast, scene: Scene): string {
  const at = scene.atMs === undefined ? "" : new Date(scene.atMs).toISOString();
  const seconds = `${(scene.virtualMs / 1000).toFixed(1)} s`;
  return lines([
    `${`#${scene.step}`.padEnd(5)}${at}  (${seconds} into the replay)`,
    ...scene.texts.map((text) => `     ${text}`),
    ...beliefLines(cast, scene).map((line) => `     ${line}`),
  ]);
}

/** What each peer believes, one by one. */
export function eachText(cast: Cast, { beliefs }: Scene): string {
  return lines(
    beliefs.each.map((belief) => {
      const ring = beliefs.rings.findIndex((group) => group.includes(belief.number)) + 1;
      const lost = belief.lost.length > 0 ? `, has lost ${named(cast, belief.lost)}` : "";
      const rings = beliefs.rings.length > 1 ? `, ring ${ring} of ${beliefs.rings.length}` : "";
      return `     ${cast.label(belief.number)}: reaches ${named(cast, belief.reached)}${lost}, knows ${counted(belief.names, "name")}${rings}`;
    }),
  );
}

export function endText(script: Script, { asTold, differing, healing }: ReplayEnd): string {
  const { cast } = script;
  const pairs = differing.map(([a, b]) => `${cast.label(a)} and ${cast.label(b)}`);
  return lines([
    asTold === undefined
      ? "stopped before the end of the bundle"
      : asTold
        ? "ends as the bundle tells: the same links"
        : `ends otherwise than the bundle tells, which says the opposite of the links of ${pairs.slice(0, listedMax).join("; ")}`,
    healingText(healing.isWhole, Math.round(healing.afterMs / 1000)),
    ...beliefLines(cast, healing.scene),
  ]);
}

function healingText(isWhole: boolean, seconds: number): string {
  if (!isWhole) return `with everything plugged in it does not heal within ${seconds} s`;
  const how = seconds === 0 ? "it is whole" : `it heals within ${seconds} s`;
  return `with everything plugged in ${how}: all reach all, and have one ring`;
}

/** Parts of the network, addresses out of reach, rings that differ. */
function beliefLines(cast: Cast, { beliefs: { each, parts, rings } }: Scene): string[] {
  const labels = (numbers: readonly number[]) =>
    listed(numbers.map((number) => cast.label(number)));
  const found = [
    parts.length === 1
      ? `one network: ${labels(parts[0]!)} reach each other`
      : `${parts.length} parts: ${parts.map(labels).join(" | ")}`,
  ];
  const stranded = new Map<PeerName, { count: number; by: number[] }>();
  for (const belief of each) gather(stranded, belief);
  for (const [owner, { count, by }] of stranded) {
    found.push(
      `${counted(count, "address", "addresses")} of ${cast.nickname(owner)} out of reach for ${labels(by)}`,
    );
  }
  if (rings.length > 1) {
    found.push(`${rings.length} views of who owns what: ${rings.map(labels).join(" | ")}`);
  }
  return found;
}

function gather(stranded: Map<PeerName, { count: number; by: number[] }>, belief: Belief): void {
  for (const [owner, count] of belief.stranded) {
    const known = stranded.get(owner) ?? { count, by: [] };
    known.by.push(belief.number);
    stranded.set(owner, known);
  }
}

function named(cast: Cast, peers: readonly PeerName[]): string {
  return listed(peers.map((peer) => cast.nickname(peer)));
}

function listed(words: readonly string[]): string {
  const more = words.length - listedMax;
  return more > 0 ? `${words.slice(0, listedMax).join(", ")} and ${more} more` : words.join(", ");
}

function lines(texts: readonly string[]): string {
  return texts.map((text) => `${forOneLine(text)}\n`).join("");
}
