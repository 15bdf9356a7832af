import type { Bubble } from "./layout.ts";
import type { Scene } from "./scene.ts";
import { toScreen, type View } from "./view.ts";

/** Colours of the style sheet, for what is drawn. */
export interface Palette {
  readonly text: string;
  readonly faint: string;
  readonly surface: string;
  readonly good: string;
  readonly slow: string;
  readonly broken: string;
  readonly accent: string;
  readonly dot: string;
}

export function paletteOf(element: Element): Palette {
  const style = getComputedStyle(element);
  const colour = (name: string): string => style.getPropertyValue(`--${name}`).trim();
  return {
    ...{ text: colour("text"), faint: colour("faint"), surface: colour("surface") },
    ...{ good: colour("good"), slow: colour("slow"), broken: colour("broken") },
    ...{ accent: colour("accent"), dot: colour("dot") },
  };
}

export interface Drawn {
  readonly scene: Scene;
  readonly view: View;
  readonly palette: Palette;
  readonly selected: string | undefined;
  /** Those that a search has found; `undefined` while nothing is searched for. */
  readonly found: ReadonlySet<string> | undefined;
  readonly nameOf: (key: string) => string;
}

/** Names of containers are shown from this zoom on, as long as they are few. */
const dotNamesScale = 1.2;
const dotNamesMax = 80;
/** Of more lines than that only those are drawn that are chosen, or not as they should be. */
const plainLinesMax = 400;
/** Circles that are smaller on the screen have their names in the list alone. */
const titledRadiusMin = 24;

/** Draws everything, `width` × `height` CSS pixels. */
export function draw(
  context: CanvasRenderingContext2D,
  size: { readonly width: number; readonly height: number },
  drawn: Drawn,
): void {
  context.clearRect(0, 0, size.width, size.height);
  drawLines(context, drawn);
  for (const bubble of drawn.scene.bubbles) drawBubble(context, bubble, drawn);
  drawDots(context, size, drawn);
}

function drawLines(context: CanvasRenderingContext2D, { scene, view, palette, selected }: Drawn) {
  const lines = [...scene.lines()];
  const isCrowded = lines.length > plainLinesMax;
  for (const { key, from, to, health, isEncrypted, isOwn } of lines) {
    const isChosen = key === selected || from.key === selected || to.key === selected;
    if (isCrowded && health === "good" && !isChosen) continue;
    const start = toScreen(view, { x: from.x ?? 0, y: from.y ?? 0 });
    const end = toScreen(view, { x: to.x ?? 0, y: to.y ?? 0 });
    context.beginPath();
    context.moveTo(start.x, start.y);
    context.lineTo(end.x, end.y);
    context.strokeStyle = palette[health];
    context.globalAlpha = isChosen ? 1 : isOwn ? 0.9 : 0.45;
    context.lineWidth = (isChosen ? 3 : 1.6) + (isEncrypted ? 1.5 : 0);
    context.setLineDash(health === "broken" ? [5, 5] : []);
    context.stroke();
  }
  context.setLineDash([]);
  context.globalAlpha = 1;
}

function drawBubble(context: CanvasRenderingContext2D, bubble: Bubble, drawn: Drawn): void {
  const { view, palette, selected, found } = drawn;
  const { group, radius } = bubble;
  const { x, y } = toScreen(view, { x: bubble.x ?? 0, y: bubble.y ?? 0 });
  const isChosen = bubble.key === selected;
  context.beginPath();
  context.arc(x, y, radius * view.scale, 0, 2 * Math.PI);
  context.fillStyle = palette.surface;
  context.fill();
  context.globalAlpha = found === undefined || found.has(bubble.key) ? 1 : 0.35;
  context.lineWidth = isChosen ? 3 : 1;
  context.strokeStyle = isChosen ? palette.accent : palette.faint;
  context.stroke();
  if (group.isHost) {
    context.beginPath();
    context.arc(x, y, Math.max(3, 8 * view.scale), 0, 2 * Math.PI);
    context.fillStyle = group.reached ? palette.good : palette.broken;
    if (group.isSelf) context.fillStyle = palette.accent;
    context.fill();
  }
  if (radius * view.scale > titledRadiusMin || isChosen || found?.has(bubble.key)) {
    context.fillStyle = palette.text;
    context.font = `${isChosen ? 600 : 500} 12px system-ui, sans-serif`;
    context.textAlign = "center";
    const count = group.members.length === 0 ? "" : ` · ${group.members.length}`;
    context.fillText(`${group.title}${count}`, x, y + radius * view.scale + 15);
  }
  context.globalAlpha = 1;
}

function drawDots(
  context: CanvasRenderingContext2D,
  size: { readonly width: number; readonly height: number },
  { scene, view, palette, selected, found, nameOf }: Drawn,
): void {
  const radius = Math.min(5, Math.max(1.2, 3 * view.scale));
  const named: { readonly key: string; readonly x: number; readonly y: number }[] = [];
  for (const dot of scene.dots()) {
    const { x, y } = toScreen(view, dot);
    if (x < -20 || y < -20 || x > size.width + 20 || y > size.height + 20) continue;
    const isChosen = dot.key === selected;
    const isFound = found === undefined || found.has(dot.key);
    context.beginPath();
    context.arc(x, y, isChosen ? radius + 2.5 : radius, 0, 2 * Math.PI);
    context.globalAlpha = isFound ? 1 : 0.2;
    context.fillStyle = isChosen ? palette.accent : palette.dot;
    context.fill();
    if (isChosen || (found !== undefined && isFound)) named.push({ key: dot.key, x, y });
    else if (view.scale > dotNamesScale) named.push({ key: dot.key, x, y });
  }
  context.globalAlpha = 1;
  if (named.length > dotNamesMax) return;
  context.fillStyle = palette.text;
  context.font = "11px system-ui, sans-serif";
  context.textAlign = "left";
  for (const { key, x, y } of named) context.fillText(nameOf(key), x + radius + 4, y + 4);
}
