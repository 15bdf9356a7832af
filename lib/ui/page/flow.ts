import type { Point } from "./layout.ts";
import type { Flow } from "./traffic.ts";

/** How traffic looks on a line: wider the more there is, with dots that go where it goes. */

/** Pixels a second. */
const speed = 45;
/** Less than that is talk of routers, and no traffic. */
export const visibleMin = 1000;
const decadesMax = 7;
const [gapMax, gapMin] = [64, 12];
/** How far each direction runs beside the middle of the line, in pixels. */
const sidePixels = 3;

/** From 0 for nothing to be seen to 1 for 10 Gbit/s: people see differences by factors. */
export function strength(bitsPerSecond: number): number {
  if (bitsPerSecond < visibleMin) return 0;
  return Math.min(1, (Math.log10(bitsPerSecond / visibleMin) + 0.5) / (decadesMax + 0.5));
}

/** Of a line, in pixels, beside what it has without traffic. */
export function extraWidth(flow: Flow | undefined): number {
  return flow === undefined ? 0 : 4 * strength(flow.there + flow.back);
}

/** Where dots are on the way between two points, at a moment in seconds. */
export function flowDots(from: Point, to: Point, flow: Flow, atSeconds: number): Point[] {
  const length = Math.hypot(to.x - from.x, to.y - from.y);
  if (length < gapMin) return [];
  const along = { x: (to.x - from.x) / length, y: (to.y - from.y) / length };
  const run = (rate: number, place: (distance: number) => Point): Point[] => {
    const share = strength(rate);
    if (share === 0) return [];
    const gap = gapMax - (gapMax - gapMin) * share;
    const count = Math.max(1, Math.floor(length / gap));
    const step = length / count;
    const first = (atSeconds * speed) % step;
    return Array.from({ length: count }, (_, index) => place(first + index * step));
  };
  const beside = (distance: number, side: number): Point => ({
    x: from.x + along.x * distance - along.y * side,
    y: from.y + along.y * distance + along.x * side,
  });
  return [
    ...run(flow.there, (distance) => beside(distance, sidePixels)),
    ...run(flow.back, (distance) => beside(length - distance, -sidePixels)),
  ];
}

interface Circle extends Point {
  readonly radius: number;
}

/** Where a line between two circles leaves the one and meets the other. */
export function betweenRims(from: Circle, to: Circle): readonly [Point, Point] {
  const length = Math.hypot(to.x - from.x, to.y - from.y) || 1;
  const [x, y] = [(to.x - from.x) / length, (to.y - from.y) / length];
  return [
    { x: from.x + x * from.radius, y: from.y + y * from.radius },
    { x: to.x - x * to.radius, y: to.y - y * to.radius },
  ];
}
