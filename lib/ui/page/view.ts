import type { Point } from "./layout.ts";

/** Which part of the plane is to be seen: plane × scale + offset = screen, in CSS pixels. */
export interface View {
  readonly scale: number;
  readonly x: number;
  readonly y: number;
}

const scaleMin = 0.05;
const scaleMax = 6;

export function toScreen({ scale, x, y }: View, point: Point): Point {
  return { x: point.x * scale + x, y: point.y * scale + y };
}

export function toPlane({ scale, x, y }: View, point: Point): Point {
  return { x: (point.x - x) / scale, y: (point.y - y) / scale };
}

/** What is under `at` on the screen stays there. */
export function zoomed(view: View, at: Point, factor: number): View {
  const scale = Math.min(scaleMax, Math.max(scaleMin, view.scale * factor));
  const { x, y } = toPlane(view, at);
  return { scale, x: at.x - x * scale, y: at.y - y * scale };
}

export function moved(view: View, by: Point): View {
  return { ...view, x: view.x + by.x, y: view.y + by.y };
}

/** All circles are to be seen, with some room around, and none larger than at zoom 1.6. */
export function fitting(
  circles: ReadonlyArray<Point & { readonly radius: number }>,
  size: { readonly width: number; readonly height: number },
): View {
  if (circles.length === 0) return { scale: 1, x: size.width / 2, y: size.height / 2 };
  const left = Math.min(...circles.map(({ x, radius }) => x - radius));
  const right = Math.max(...circles.map(({ x, radius }) => x + radius));
  const top = Math.min(...circles.map(({ y, radius }) => y - radius));
  const bottom = Math.max(...circles.map(({ y, radius }) => y + radius + 24));
  const room = 24;
  const across = (size.width - 2 * room) / Math.max(1, right - left);
  const down = (size.height - 2 * room) / Math.max(1, bottom - top);
  const scale = Math.min(1.6, Math.max(scaleMin, Math.min(across, down)));
  return {
    scale,
    x: size.width / 2 - ((left + right) / 2) * scale,
    y: size.height / 2 - ((top + bottom) / 2) * scale,
  };
}
