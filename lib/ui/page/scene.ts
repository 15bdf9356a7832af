import { linkFacts } from "../../api/link-ends.ts";
import type { Picture, PictureLink } from "../../api/picture-models.ts";
import { type Group, type Grouping, groupsOf } from "./grouping.ts";
import { type Bubble, dotPlace, Layout, type Point } from "./layout.ts";
import { type Health, healthOf, linkKey, peerKey } from "./things.ts";
import type { Flow, Rates } from "./traffic.ts";

/** A container on the plane. */
export interface Dot extends Point {
  readonly key: string;
  readonly bubble: Bubble;
}

/** A link on the plane, between the bubbles of two hosts. */
export interface Line {
  readonly key: string;
  readonly from: Bubble;
  readonly to: Bubble;
  readonly health: Health;
  readonly isEncrypted: boolean;
  readonly isOwn: boolean;
  /** Missing where nothing counts. */
  readonly flow: Flow | undefined;
}

/** What of a link does not change while the picture is the same; many frames are drawn of that. */
interface KnownLink extends Pick<Line, "key" | "health" | "isEncrypted" | "isOwn"> {
  /** Keys of its hosts. */
  readonly ends: readonly [string, string];
}

function knownLink(link: PictureLink): KnownLink {
  return {
    ...{ key: linkKey(link), ends: [peerKey(link.from), peerKey(link.to)] },
    ...{ health: healthOf(link), isOwn: link.own !== undefined },
    isEncrypted: linkFacts(link).encrypted === true,
  };
}

/** Pixels on the screen within which a pointer means something. */
const reachPixels = 10;

/** What is drawn, with its places, and what is where. */
export class Scene {
  readonly layout = new Layout();
  #links: readonly KnownLink[] = [];
  #rates: Rates = new Map();

  /** What goes over the links. */
  set rates(rates: Rates) {
    this.#rates = rates;
  }

  take(picture: Picture, by: Grouping): void {
    const groups: Group[] = groupsOf(picture, by);
    this.#links = by === "host" ? picture.links.map(knownLink) : [];
    this.layout.take(
      groups,
      this.#links.map(({ ends }) => ends),
    );
  }

  get bubbles(): readonly Bubble[] {
    return this.layout.bubbles;
  }

  *lines(): Generator<Line> {
    const byKey = new Map(this.bubbles.map((each) => [each.key, each]));
    for (const { key, ends, health, isEncrypted, isOwn } of this.#links) {
      const from = byKey.get(ends[0]);
      const to = byKey.get(ends[1]);
      if (from === undefined || to === undefined) continue;
      const flow = this.#rates.get(key)?.at(-1);
      yield { key, from, to, health, isEncrypted, isOwn, flow };
    }
  }

  *dots(): Generator<Dot> {
    for (const bubble of this.bubbles) {
      for (const [index, key] of bubble.group.members.entries()) {
        const { x, y } = dotPlace(index, bubble.group.members.length);
        yield { key, bubble, x: (bubble.x ?? 0) + x, y: (bubble.y ?? 0) + y };
      }
    }
  }

  /** Where a thing stands; `undefined` for one that is not shown. */
  placeOf(key: string): Point | undefined {
    const bubble = this.bubbles.find((each) => each.key === key);
    if (bubble !== undefined) return { x: bubble.x ?? 0, y: bubble.y ?? 0 };
    for (const dot of this.dots()) if (dot.key === key) return dot;
    for (const { key: own, from, to } of this.lines()) {
      if (own !== key) continue;
      return { x: ((from.x ?? 0) + (to.x ?? 0)) / 2, y: ((from.y ?? 0) + (to.y ?? 0)) / 2 };
    }
    return undefined;
  }

  /** The thing at a place on the plane, smaller ones first. */
  at(point: Point, scale: number): string | undefined {
    const reach = reachPixels / scale;
    let best: { readonly key: string; readonly distance: number } | undefined;
    for (const bubble of this.bubbles) {
      const distance = apart(point, { x: bubble.x ?? 0, y: bubble.y ?? 0 });
      if (distance > bubble.radius + reach) continue;
      const dot = this.#dotAt(bubble, point, reach);
      if (dot !== undefined) return dot;
      // A group that is no host is no thing of its own.
      if (bubble.group.isHost && (best === undefined || distance < best.distance)) {
        best = { key: bubble.key, distance };
      }
    }
    if (best !== undefined) return best.key;
    for (const line of this.lines()) {
      const distance = apartFromLine(point, line);
      if (distance <= reach && (best === undefined || distance < best.distance)) {
        best = { key: line.key, distance };
      }
    }
    return best?.key;
  }

  #dotAt(bubble: Bubble, point: Point, reach: number): string | undefined {
    let best: { readonly key: string; readonly distance: number } | undefined;
    for (const [index, key] of bubble.group.members.entries()) {
      const { x, y } = dotPlace(index, bubble.group.members.length);
      const distance = apart(point, { x: (bubble.x ?? 0) + x, y: (bubble.y ?? 0) + y });
      if (distance <= Math.min(reach, 6) && (best === undefined || distance < best.distance)) {
        best = { key, distance };
      }
    }
    return best?.key;
  }
}

function apart(a: Point, b: Point): number {
  return Math.hypot(a.x - b.x, a.y - b.y);
}

function apartFromLine(point: Point, { from, to }: Line): number {
  const [x1, y1, x2, y2] = [from.x ?? 0, from.y ?? 0, to.x ?? 0, to.y ?? 0];
  const length = (x2 - x1) ** 2 + (y2 - y1) ** 2;
  const along =
    length === 0 ? 0 : ((point.x - x1) * (x2 - x1) + (point.y - y1) * (y2 - y1)) / length;
  const at = Math.min(1, Math.max(0, along));
  return apart(point, { x: x1 + at * (x2 - x1), y: y1 + at * (y2 - y1) });
}
