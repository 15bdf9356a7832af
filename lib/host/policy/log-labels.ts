import type { Direction } from "../../policy/objects.ts";
import { shortName } from "./short-name.ts";

/** The group of the kernel's log (NFLOG) to which packets that were dropped are told, as in the original. */
export const logGroup = 86;

/** Of the packets that one rule drops, so many are told of. */
export const toldPerSecond = 20;
/** And so many at once after a while of silence. */
export const toldAtOnce = 100;

/** Of the origin of packets to groups that are dropped. */
export const multicastOrigin = "multicast";

/** So many origins are remembered; those that have not been used for longest are forgotten. */
const originsMax = 1 << 16;

/** Why a packet was dropped, as far as its label says. */
export interface LabelMeaning {
  readonly direction: Direction;
  /** `undefined` when it is known no more. */
  readonly origin: string | undefined;
}

/**
 * What the kernel writes before a packet that it tells of: a text of at most 63 octets, too short for
 * who says so. It has a short name in that place, whose meaning is kept here.
 *
 *   weave-npc:ingress:‹short name of the origin›
 */
export class LogLabels {
  readonly #origins = new Map<string, string>();

  /** The label of packets that a rule of this origin drops. */
  labelOf(direction: Direction, origin: string): string {
    const name = shortName(origin);
    this.#origins.delete(name);
    this.#origins.set(name, origin);
    if (this.#origins.size > originsMax) {
      for (const [oldest] of this.#origins.entries().take(1)) this.#origins.delete(oldest);
    }
    return `weave-npc:${direction}:${name}`;
  }

  /** `undefined` for a label that is none of ours. */
  meaningOf(label: string): LabelMeaning | undefined {
    const [, direction, name] = /^weave-npc:(ingress|egress):([a-z2-7]+)$/.exec(label) ?? [];
    if (name === undefined || (direction !== "ingress" && direction !== "egress")) return undefined;
    return { direction, origin: this.#origins.get(name) };
  }
}
