import { betweenRims, extraWidth, flowDots, visibleMin } from "./flow.ts";
import { LabelRoom } from "./label-room.ts";
import type { Bubble, Point } from "./layout.ts";
import type { Question } from "./question.ts";
import type { Line, Scene } from "./scene.ts";
import { shownLines, totalOf } from "./shown-lines.ts";
import { rateText } from "./traffic.ts";
import { toScreen, type View } from "./view.ts";

/** Colours of the style sheet, for what is drawn. */
export interface Palette {
  readonly text: string;
  readonly faint: string;
  readonly background: string;
  readonly surface: string;
  readonly good: string;
  readonly slow: string;
  readonly plain: string;
  readonly broken: string;
  readonly accent: string;
  readonly dot: string;
}

export function paletteOf(element: Element): Palette {
  const style = getComputedStyle(element);
  const colour = (name: string): string => style.getPropertyValue(`--${name}`).trim();
  return {
    ...{ text: colour("text"), faint: colour("faint") },
    ...{ background: colour("background"), surface: colour("surface") },
    ...{ good: colour("good"), slow: colour("slow"), plain: colour("faint") },
    broken: colour("broken"),
    ...{ accent: colour("accent"), dot: colour("dot") },
  };
}

export interface Drawn {
  readonly scene: Scene;
  readonly view: View;
  readonly palette: Palette;
  readonly selected: string | undefined;
  /** Those that stand out, as what a search has found; `undefined` while nothing does. */
  readonly lit: ReadonlySet<string> | undefined;
  readonly question: Question | undefined;
  readonly nameOf: (key: string) => string;
  /** Moves what flows; the same moment again where nothing is to move. */
  readonly atSeconds: number;
}

type Size = { readonly width: number; readonly height: number };
type Context = CanvasRenderingContext2D;

/** Names of containers are shown from this zoom on, as long as they are few. */
const dotNamesScale = 0.9;
const dotNamesMax = 80;
/** Characters of a name on the picture; the side has it whole. */
const nameMax = 18;
/** So many lines have numbers: more are a thicket. */
const ratesMax = 40;
/** Lines that are shorter on the screen have no room for numbers. */
const textLineMin = 100;
/** Circles that are smaller on the screen have their names in the list alone. */
const titledRadiusMin = 24;
const fade = 0.3;
const font = "system-ui, sans-serif";

/**
 * Draws everything, `width` × `height` CSS pixels.
 *
 * @returns whether something flows, which has to be drawn again and again
 */
export function draw(context: Context, size: Size, drawn: Drawn): boolean {
  context.clearRect(0, 0, size.width, size.height);
  context.lineJoin = "round";
  const lines = linesOf(drawn);
  const isBroken = ({ line }: ShownLine): boolean => line.health === "broken";
  for (const line of lines.filter((each) => !isBroken(each))) drawLine(context, line, drawn);
  for (const bubble of drawn.scene.bubbles) drawBubble(context, bubble, drawn);
  // Over whatever stands between their ends: of many hosts some always do.
  for (const line of lines.filter(isBroken)) drawLine(context, line, drawn);
  drawQuestion(context, drawn);
  drawDots(context, size, drawn);
  drawRates(context, lines, drawn);
  drawTitles(context, drawn);
  return lines.some(({ line: { flow } }) => flow !== undefined && extraWidth(flow) > 0);
}

interface ShownLine {
  readonly line: Line;
  /** On the screen, from rim to rim. */
  readonly ends: readonly [Point, Point];
  readonly isChosen: boolean;
}

function linesOf({ scene, view, selected, lit }: Drawn): ShownLine[] {
  const isChosen = ({ key, from, to }: Line): boolean =>
    key === selected || from.key === selected || to.key === selected || lit?.has(key) === true;
  return shownLines([...scene.lines()], isChosen, visibleMin).map((line) => ({
    ...{ line, isChosen: isChosen(line) },
    ends: betweenRims(circleOf(line.from, view), circleOf(line.to, view)),
  }));
}

function circleOf(bubble: Bubble, view: View) {
  const { x, y } = toScreen(view, { x: bubble.x ?? 0, y: bubble.y ?? 0 });
  return { x, y, radius: bubble.radius * view.scale };
}

function drawLine(context: Context, shown: ShownLine, { palette, atSeconds }: Drawn): void {
  const { line, ends, isChosen } = shown;
  const { health, isEncrypted, isOwn, flow } = line;
  const [start, end] = ends;
  const width = (isChosen ? 3 : 1.6) + extraWidth(flow) + (isEncrypted ? 2 : 0);
  const stroke = (colour: string, lineWidth: number): void => {
    context.beginPath();
    context.moveTo(start.x, start.y);
    context.lineTo(end.x, end.y);
    context.strokeStyle = colour;
    context.lineWidth = lineWidth;
    context.stroke();
  };
  context.globalAlpha = isChosen || health === "broken" ? 1 : isOwn ? 0.85 : 0.45;
  context.setLineDash(health === "broken" ? [6, 5] : []);
  stroke(palette[health], width);
  context.setLineDash([]);
  context.globalAlpha = 1;
  // Two lines side by side: what is between them is sealed.
  if (isEncrypted && health !== "broken") stroke(palette.background, width / 3);
  if (flow === undefined) return;
  context.fillStyle = palette.text;
  for (const { x, y } of flowDots(start, end, flow, atSeconds)) disc(context, x, y, 2);
}

/** From one end to the other, whatever is between. */
function drawQuestion(context: Context, { scene, view, palette, question }: Drawn): void {
  const from = question && scene.placeOf(question.from);
  const to = question?.to === undefined ? undefined : scene.placeOf(question.to);
  if (from === undefined || to === undefined) return;
  const [start, end] = [toScreen(view, from), toScreen(view, to)];
  context.beginPath();
  context.moveTo(start.x, start.y);
  context.lineTo(end.x, end.y);
  context.strokeStyle = palette.accent;
  context.lineWidth = 2;
  context.setLineDash([2, 5]);
  context.stroke();
  context.setLineDash([]);
}

/** How much goes over links, in the middle of each, as many as have room: the greatest first. */
function drawRates(context: Context, lines: readonly ShownLine[], { palette }: Drawn): void {
  context.font = `600 11px ${font}`;
  context.textAlign = "center";
  const room = new LabelRoom();
  const rateOf = ({ line }: ShownLine): number => totalOf(line.flow);
  const counted = lines.filter((each) => rateOf(each) >= visibleMin);
  for (const shown of counted.sort((a, b) => rateOf(b) - rateOf(a)).slice(0, ratesMax)) {
    const [start, end] = shown.ends;
    if (Math.hypot(end.x - start.x, end.y - start.y) < textLineMin) continue;
    const text = rateText(rateOf(shown));
    const { width } = context.measureText(text);
    const [x, y] = [(start.x + end.x) / 2, (start.y + end.y) / 2 + 4];
    if (!room.take({ x: x - width / 2, y: y - 11, width, height: 14 })) continue;
    outlined(context, text, x, y, palette.text, palette.background);
  }
}

function drawBubble(context: Context, bubble: Bubble, drawn: Drawn): void {
  const { view, palette, selected, lit } = drawn;
  const { group } = bubble;
  const { x, y, radius } = circleOf(bubble, view);
  const isChosen = bubble.key === selected;
  const isLit = lit === undefined || lit.has(bubble.key) || isChosen;
  context.beginPath();
  context.arc(x, y, radius, 0, 2 * Math.PI);
  context.fillStyle = palette.surface;
  context.fill();
  context.globalAlpha = isLit ? 1 : fade;
  context.lineWidth = isChosen ? 3 : 1;
  context.strokeStyle = isChosen ? palette.accent : palette.faint;
  context.stroke();
  if (group.isHost) {
    context.fillStyle = palette[group.health];
    if (group.isSelf) context.fillStyle = palette.accent;
    disc(context, x, y, Math.max(3, 8 * view.scale));
  }
  context.globalAlpha = 1;
}

/** Names of groups, over all else, as many as have room beside each other. */
function drawTitles(context: Context, { scene, view, palette, selected, lit }: Drawn): void {
  context.textAlign = "center";
  const room = new LabelRoom();
  const weightOf = ({ key }: Bubble): number => (key === selected ? 2 : lit?.has(key) ? 1 : 0);
  const important = [...scene.bubbles].sort((a, b) => weightOf(b) - weightOf(a));
  for (const bubble of important) {
    const { x, y, radius } = circleOf(bubble, view);
    const weight = weightOf(bubble);
    if (radius <= titledRadiusMin && weight === 0) continue;
    const { title: name, members } = bubble.group;
    const title = members.length === 0 ? shortened(name) : `${shortened(name)} · ${members.length}`;
    context.font = `${weight === 2 ? 700 : 600} 13px ${font}`;
    const { width } = context.measureText(title);
    const baseline = y + radius + 17;
    if (!room.take({ x: x - width / 2, y: baseline - 12, width, height: 16 })) continue;
    const colour = lit === undefined || weight > 0 ? palette.text : palette.faint;
    outlined(context, title, x, baseline, colour, palette.background);
  }
}

function drawDots(context: Context, size: Size, drawn: Drawn): void {
  const { scene, view, palette, selected, question, lit, nameOf } = drawn;
  const chosen = new Set([selected, question?.from, question?.to]);
  const radius = Math.min(5, Math.max(1.2, 3 * view.scale));
  const named: { readonly key: string; readonly x: number; readonly y: number }[] = [];
  for (const dot of scene.dots()) {
    const { x, y } = toScreen(view, dot);
    if (x < -20 || y < -20 || x > size.width + 20 || y > size.height + 20) continue;
    const isChosen = chosen.has(dot.key);
    const isLit = lit === undefined || lit.has(dot.key) || isChosen;
    context.globalAlpha = isLit ? 1 : fade;
    context.fillStyle = isChosen ? palette.accent : palette.dot;
    disc(context, x, y, isChosen ? radius + 2.5 : radius);
    if (isChosen || (lit !== undefined && isLit) || view.scale > dotNamesScale) {
      named.push({ key: dot.key, x, y: y + radius + (isChosen ? 14 : 11) });
    }
  }
  context.globalAlpha = 1;
  if (named.length > dotNamesMax) return;
  context.font = `11px ${font}`;
  context.textAlign = "center";
  for (const { key, x, y } of named) {
    outlined(context, shortened(nameOf(key)), x, y, palette.text, palette.surface);
  }
}

function disc(context: Context, x: number, y: number, radius: number): void {
  context.beginPath();
  context.arc(x, y, radius, 0, 2 * Math.PI);
  context.fill();
}

/** Text that can be read over whatever it crosses. */
function outlined(
  context: Context,
  text: string,
  x: number,
  y: number,
  colour: string,
  around: string,
): void {
  context.lineWidth = 4;
  context.strokeStyle = around;
  context.strokeText(text, x, y);
  context.fillStyle = colour;
  context.fillText(text, x, y);
}

function shortened(name: string): string {
  return name.length > nameMax ? `${name.slice(0, nameMax - 1)}…` : name;
}
