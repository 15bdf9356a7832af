import { escapeHtml } from "../site/html.ts";
import { type Palette, styleSheet, type Tone } from "./palette.ts";
import { textWidth } from "./text-width.ts";

/**
 * A drawing of boxes, and ways between them, as SVG:
 *
 *   paper ▸ panels, which are hosts ▸ boxes: containers, parts of the kernel, processes
 *         ▸ ways: lines along the points given, round at corners, with tips where they lead to
 *         ▸ texts beside them
 *
 * It is narrow, so that its texts can be read on a phone. Texts that do not fit, or that meet each
 * other, are refused when it is made.
 */
export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface Area extends Point {
  readonly width: number;
  readonly height: number;
}

export interface BoxText {
  readonly label: string;
  /** A second line, smaller. */
  readonly note?: string;
  readonly tone: Tone;
  /** For what is there at times only. */
  readonly isDashed?: boolean;
}

export interface TextStyle {
  readonly anchor?: "start" | "middle" | "end";
  readonly isSmall?: boolean;
  readonly isFaint?: boolean;
  readonly isStrong?: boolean;
  /** Covers a line that passes behind it, on the paper alone. */
  readonly isOnLine?: boolean;
}

export interface WayStyle {
  readonly tone: Tone;
  readonly isDashed?: boolean;
  /** Where tips are; at the end unless told otherwise. */
  readonly tips?: "none" | "end" | "both";
}

export interface DrawingHead {
  /** Of its file, without the ending. */
  readonly name: string;
  readonly title: string;
  /** What is to be seen, for who does not see it. */
  readonly description: string;
  readonly height: number;
}

/** Units of the drawing; a reader with room for it sees it somewhat larger. */
export const drawingWidth = 480;
const shownWidthPx = 600;

const cornerRadius = 8;
const tipLength = 9;
const tipWidth = 8;
const boxMargin = 4;
const labelPx = 14;
const notePx = 12;

export class Drawing {
  readonly head: DrawingHead;
  readonly #elements: string[] = [];
  readonly #texts: Array<Area & { readonly text: string }> = [];
  readonly #boxes: Area[] = [];
  readonly #tones = new Set<Tone>();

  constructor(head: DrawingHead) {
    this.head = head;
  }

  /** A host, say: what surrounds other things. */
  panel(area: Area, label: string, note?: string): void {
    this.#elements.push(`<rect class="panel" ${attributes(area)} rx="8"/>`);
    this.text({ x: area.x + 12, y: area.y + 20 }, label, { anchor: "start", isStrong: true });
    if (note === undefined) return;
    const end = { x: area.x + area.width - 12, y: area.y + 20 };
    this.text(end, note, { anchor: "end", isSmall: true, isFaint: true });
  }

  /** @throws Error when a text is too long for it */
  box(area: Area, { label, note, tone, isDashed = false }: BoxText): Box {
    this.#tones.add(tone);
    this.#boxes.push(area);
    const dashed = isDashed ? " dashed" : "";
    this.#elements.push(`<rect class="box ${tone}${dashed}" ${attributes(area)} rx="6"/>`);
    const room = area.width - 2 * boxMargin;
    for (const [text, px] of [[label, labelPx] as const, [note ?? "", notePx] as const]) {
      const width = textWidth(text, px);
      if (width > room) throw this.#fault(`'${text}' needs ${Math.ceil(width)} of ${room}`);
    }
    const x = area.x + area.width / 2;
    const y = area.y + area.height / 2;
    this.text({ x, y: note === undefined ? y + 5 : y - 2 }, label);
    if (note !== undefined) this.text({ x, y: y + 14 }, note, { isSmall: true, isFaint: true });
    return new Box(area);
  }

  /** Boxes beside each other, each as wide as its share of the room says. */
  row(
    { gap = 20, ...area }: Area & { readonly gap?: number },
    parts: ReadonlyArray<BoxText & { readonly share?: number }>,
  ): Box[] {
    const shares = parts.reduce((sum, { share = 1 }) => sum + share, 0);
    const unit = (area.width - gap * (parts.length - 1)) / shares;
    let x = area.x;
    return parts.map(({ share = 1, ...text }) => {
      const box = this.box({ ...area, x, width: unit * share }, text);
      x += unit * share + gap;
      return box;
    });
  }

  /** A line along points. */
  way(points: readonly Point[], { tone, isDashed = false, tips = "end" }: WayStyle): void {
    this.#tones.add(tone);
    const ends = tips === "none" ? [] : [points.slice(-2)];
    if (tips === "both") ends.push(points.slice(0, 2).reverse());
    const dashed = isDashed ? " dashed" : "";
    this.#elements.push(`<path class="way ${tone}${dashed}" d="${roundedPath(points)}"/>`);
    for (const [from, to] of ends) {
      this.#elements.push(`<path class="tip ${tone}" d="${tipPath(from!, to!)}"/>`);
    }
  }

  text(at: Point, text: string, style: TextStyle = {}): void {
    const { anchor = "middle", isSmall = false, isFaint = false, isStrong = false } = style;
    const classes = [
      ...(isSmall ? ["small"] : []),
      ...(isFaint ? ["faint"] : []),
      ...(isStrong ? ["strong"] : []),
      ...(anchor === "middle" ? [] : [anchor]),
    ];
    const px = isSmall ? notePx : labelPx;
    const width = textWidth(text, px);
    const before = { start: 0, middle: width / 2, end: width }[anchor];
    const room = { x: at.x - before, y: at.y - px * 0.75, width, height: px };
    this.#texts.push({ ...room, text });
    if (style.isOnLine === true) this.#elements.push(`<rect class="blank" ${attributes(room)}/>`);
    const named = classes.length === 0 ? "" : ` class="${classes.join(" ")}"`;
    this.#elements.push(
      `<text${named} x="${short(at.x)}" y="${short(at.y)}">${escapeHtml(text)}</text>`,
    );
  }

  /** Whatever else there is, in the tones that it names. */
  element(svg: string, ...tones: readonly Tone[]): void {
    for (const tone of tones) this.#tones.add(tone);
    this.#elements.push(svg);
  }

  /** @throws Error when a text is cut off, or meets another one or the edge of a box */
  svg(palette: Palette): string {
    const { title, description, height } = this.head;
    this.#check();
    const shown = `width="${shownWidthPx}" height="${short((height * shownWidthPx) / drawingWidth)}"`;
    return [
      `<svg xmlns="http://www.w3.org/2000/svg" ${shown} viewBox="0 0 ${drawingWidth} ${height}" role="img" aria-labelledby="title desc">`,
      `<title id="title">${escapeHtml(title)}</title>`,
      `<desc id="desc">${escapeHtml(description)}</desc>`,
      `<style>${styleSheet(palette, this.#tones)}</style>`,
      `<rect class="paper" x=".5" y=".5" width="${drawingWidth - 1}" height="${height - 1}" rx="10"/>`,
      ...this.#elements,
      "</svg>\n",
    ].join("\n");
  }

  #check(): void {
    const { height } = this.head;
    for (const [at, one] of this.#texts.entries()) {
      const isInside =
        one.x >= 4 &&
        one.x + one.width <= drawingWidth - 4 &&
        one.y >= 2 &&
        one.y + one.height <= height - 2;
      if (!isInside) throw this.#fault(`'${one.text}' is cut off`);
      const met = this.#texts.slice(at + 1).find((other) => meet(one, other));
      if (met !== undefined) throw this.#fault(`'${one.text}' meets '${met.text}'`);
      const isCrossed = this.#boxes.some((box) => meet(one, box) && !contains(box, one));
      if (isCrossed) throw this.#fault(`'${one.text}' meets the edge of a box`);
    }
  }

  #fault(what: string): Error {
    return new Error(`drawing ${this.head.name}: ${what}`);
  }
}

/** Where ways begin and end. */
export class Box {
  readonly area: Area;

  constructor(area: Area) {
    this.area = area;
  }

  get left(): Point {
    return { x: this.area.x, y: this.#middle.y };
  }

  get right(): Point {
    return { x: this.area.x + this.area.width, y: this.#middle.y };
  }

  get top(): Point {
    return this.topAt(this.#middle.x);
  }

  get bottom(): Point {
    return this.bottomAt(this.#middle.x);
  }

  topAt(x: number): Point {
    return { x, y: this.area.y };
  }

  bottomAt(x: number): Point {
    return { x, y: this.area.y + this.area.height };
  }

  get #middle(): Point {
    const { x, y, width, height } = this.area;
    return { x: x + width / 2, y: y + height / 2 };
  }
}

function meet(one: Area, other: Area): boolean {
  return (
    one.x < other.x + other.width &&
    other.x < one.x + one.width &&
    one.y < other.y + other.height &&
    other.y < one.y + one.height
  );
}

function contains(outer: Area, inner: Area): boolean {
  return (
    outer.x <= inner.x &&
    outer.y <= inner.y &&
    outer.x + outer.width >= inner.x + inner.width &&
    outer.y + outer.height >= inner.y + inner.height
  );
}

function roundedPath(points: readonly Point[]): string {
  const [first, ...rest] = points;
  const steps = rest.map((corner, at) => {
    const next = rest[at + 1];
    if (next === undefined) return `L${pair(corner)}`;
    const before = at === 0 ? first! : rest[at - 1]!;
    return `L${pair(towards(corner, before, cornerRadius))}Q${pair(corner)} ${pair(towards(corner, next, cornerRadius))}`;
  });
  return `M${pair(first!)}${steps.join("")}`;
}

function tipPath(from: Point, to: Point): string {
  const length = Math.hypot(to.x - from.x, to.y - from.y);
  const [dx, dy] = [(to.x - from.x) / length, (to.y - from.y) / length];
  const base = { x: to.x - dx * tipLength, y: to.y - dy * tipLength };
  const side = (sign: number): Point => ({
    x: base.x - (sign * dy * tipWidth) / 2,
    y: base.y + (sign * dx * tipWidth) / 2,
  });
  return `M${pair(to)}L${pair(side(1))}L${pair(side(-1))}Z`;
}

/** The point of that distance from one, on the way to another; half way where that is near. */
function towards(from: Point, to: Point, distance: number): Point {
  const length = Math.hypot(to.x - from.x, to.y - from.y);
  const part = Math.min(distance / length, 0.5);
  return { x: from.x + (to.x - from.x) * part, y: from.y + (to.y - from.y) * part };
}

function attributes({ x, y, width, height }: Area): string {
  return `x="${short(x)}" y="${short(y)}" width="${short(width)}" height="${short(height)}"`;
}

function pair({ x, y }: Point): string {
  return `${short(x)} ${short(y)}`;
}

function short(value: number): string {
  return `${Math.round(value * 10) / 10}`;
}
