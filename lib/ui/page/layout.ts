import {
  forceCollide,
  forceLink,
  forceManyBody,
  forceSimulation,
  forceX,
  forceY,
  type Simulation,
  type SimulationNodeDatum,
} from "d3-force";
import type { Group } from "./grouping.ts";

export interface Point {
  readonly x: number;
  readonly y: number;
}

/** A group with its place; distances are in pixels at zoom 1. */
export interface Bubble extends SimulationNodeDatum {
  readonly key: string;
  group: Group;
  radius: number;
}

/** Between neighbours on the spiral on which containers stand: with room for names of a few. */
function spacingOf(members: number): number {
  return members <= 9 ? 21 : members <= 24 ? 15 : 9;
}
const hostRadius = 16;
/** Between the outermost container and the circle around all. */
const rim = 8;
/** Around a group, also for its name, which is small beside large ones at any zoom. */
const [rimRoom, titleShare] = [14, 0.08];
/** Between the rims of linked groups: few have room for what goes over their links. */
const [fewGroups, farApart, nearBy] = [12, 130, 50];
/** With more links than that, all pull on all, which says nothing and takes long. */
const pullingLinksMax = 1500;
/** Golden angle (Vogel 1979): every point has the same room. */
const goldenAngle = Math.PI * (3 - Math.sqrt(5));

/** Where the container with this number stands around the middle of a group of so many. */
export function dotPlace(index: number, members: number): Point {
  const distance = hostRadius + spacingOf(members) * Math.sqrt(index + 1);
  const angle = index * goldenAngle;
  return { x: distance * Math.cos(angle), y: distance * Math.sin(angle) };
}

export function bubbleRadius(members: number): number {
  return hostRadius + (members === 0 ? 0 : spacingOf(members) * Math.sqrt(members + 1) + rim);
}

/**
 * Finds places for groups, and keeps those that they have: what is new finds its own among them.
 * The result depends on nothing but the groups and links that were given, in their order.
 */
export class Layout {
  bubbles: Bubble[] = [];
  readonly #simulation: Simulation<Bubble, undefined>;
  #shape = "";

  constructor() {
    this.#simulation = forceSimulation<Bubble>()
      .force(
        "apart",
        forceManyBody<Bubble>().strength((each) => -60 - 4 * each.radius),
      )
      .force(
        "touch",
        forceCollide<Bubble>((each) => each.radius + rimRoom + titleShare * each.radius),
      )
      .force("x", forceX<Bubble>().strength(0.05))
      .force("y", forceY<Bubble>().strength(0.08))
      .stop();
  }

  /** @param links pairs of keys of groups */
  take(groups: readonly Group[], links: ReadonlyArray<readonly [string, string]>): void {
    const before = new Map(this.bubbles.map((each) => [each.key, each]));
    this.bubbles = groups.map((group) => {
      const bubble: Bubble = before.get(group.key) ?? { key: group.key, group, radius: 0 };
      bubble.group = group;
      bubble.radius = bubbleRadius(group.members.length);
      return bubble;
    });
    const shape = JSON.stringify([this.bubbles.map(({ key, radius }) => [key, radius]), links]);
    if (shape === this.#shape) return;
    this.#shape = shape;
    const known = new Set(groups.map(({ key }) => key));
    const pulling = links.length > pullingLinksMax ? [] : links;
    const apart = groups.length <= fewGroups ? farApart : nearBy;
    const pairs = pulling.filter(([from, to]) => known.has(from) && known.has(to));
    this.#simulation
      .nodes(this.bubbles)
      .force(
        "links",
        forceLink<Bubble, { source: string | Bubble; target: string | Bubble }>(
          pairs.map(([source, target]) => ({ source, target })),
        )
          .id(({ key }) => key)
          .distance(({ source, target }) => radiusOf(source) + radiusOf(target) + apart),
      )
      .alpha(before.size === 0 ? 1 : 0.4);
  }

  /** Goes on by one step; false when everything has its place. */
  step(): boolean {
    if (this.#simulation.alpha() < this.#simulation.alphaMin()) return false;
    this.#simulation.tick();
    return true;
  }

  /** To have all places at once. */
  settle(): void {
    while (this.step());
  }
}

/** Ends of a link are bubbles once the simulation has found them. */
function radiusOf(end: string | Bubble): number {
  return typeof end === "string" ? 0 : end.radius;
}
