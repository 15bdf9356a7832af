import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import type { Picture } from "../../api/picture-models.ts";
import { draw, paletteOf } from "./draw.ts";
import type { Grouping } from "./grouping.ts";
import { hostClocks } from "./host-clocks.ts";
import type { Point } from "./layout.ts";
import { Legend } from "./legend.tsx";
import type { Question } from "./question.ts";
import { Scene } from "./scene.ts";
import { healthOf, thingsOf, titleOf } from "./things.ts";
import type { Rates } from "./traffic.ts";
import { fitting, moved, toPlane, type View, zoomed } from "./view.ts";

export interface GraphProps {
  readonly picture: Picture;
  readonly grouping: Grouping;
  readonly selected: string | undefined;
  /** What stands out; `undefined` while nothing does. */
  readonly lit: ReadonlySet<string> | undefined;
  readonly rates: Rates;
  /** Its ends are joined, when it has both. */
  readonly question: Question | undefined;
  select(key: string | undefined): void;
}

/** What the tools and the legend take at the bottom. */
const barPixels = 48;

/** A movement of the pointer that is shorter is a click. */
const clickPixels = 4;

/** The picture on a canvas: to be moved, zoomed and pointed at. Lists show the same to keyboards. */
export function Graph(props: GraphProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const [stage] = useState(() => new Stage());

  useEffect(() => stage.on(canvas.current!, (key) => stage.props?.select(key)), [stage]);
  useEffect(() => stage.show(props), [stage, props]);
  const fit = useCallback(() => stage.fit(), [stage]);
  const zoom = useCallback((factor: number) => stage.zoom(factor), [stage]);
  return (
    <div class="graph">
      <canvas ref={canvas} aria-label="Hosts, links and containers" role="img" />
      <div class="bar">
        <div class="tools" role="toolbar" aria-label="View">
          <button class="tool" type="button" onClick={() => zoom(1.4)} aria-label="Zoom in">
            +
          </button>
          <button class="tool" type="button" onClick={() => zoom(1 / 1.4)} aria-label="Zoom out">
            −
          </button>
          <button class="tool" type="button" onClick={fit} aria-label="Show everything">
            ⤢
          </button>
        </div>
        <Legend
          hasUntold={props.picture.links.some((link) => healthOf(link) === "plain")}
          hasWrongClock={[...hostClocks(props.picture).values()].some(
            ({ state }) => state !== "right",
          )}
        />
      </div>
    </div>
  );
}

/** What only flows is drawn so often: it is no game. */
const flowFrameMs = 40;

/** Whether somebody has asked the machine that nothing moves by itself. */
function isStill(): boolean {
  return matchMedia("(prefers-reduced-motion: reduce)").matches;
}

/** What belongs to the canvas and outlives each drawing. */
class Stage {
  props: GraphProps | undefined;
  readonly #scene = new Scene();
  #canvas: HTMLCanvasElement | undefined;
  #view: View = { scale: 1, x: 0, y: 0 };
  #isFitted = true;
  #frame = 0;
  #names = new Map<string, string>();
  #isFlowing = false;
  #drawnAtMs = 0;
  readonly #pointers = new Map<number, Point>();
  #movedBy = 0;

  on(canvas: HTMLCanvasElement, choose: (key: string | undefined) => void): () => void {
    this.#canvas = canvas;
    const observer = new ResizeObserver(() => this.#resized());
    observer.observe(canvas);
    const dark = matchMedia("(prefers-color-scheme: dark)");
    const redraw = (): void => this.#request();
    dark.addEventListener("change", redraw);
    const end = new AbortController();
    const { signal } = end;
    canvas.addEventListener("wheel", (event) => this.#wheel(event), { signal, passive: false });
    canvas.addEventListener("pointerdown", (event) => this.#down(event), { signal });
    canvas.addEventListener("pointermove", (event) => this.#move(event), { signal });
    canvas.addEventListener("pointercancel", (event) => this.#pointers.delete(event.pointerId), {
      signal,
    });
    canvas.addEventListener("pointerup", (event) => this.#up(event, choose), { signal });
    return () => {
      end.abort();
      observer.disconnect();
      dark.removeEventListener("change", redraw);
      cancelAnimationFrame(this.#frame);
    };
  }

  show(props: GraphProps): void {
    const before = this.props;
    this.props = props;
    this.#scene.rates = props.rates;
    if (before?.picture !== props.picture || before.grouping !== props.grouping) {
      this.#scene.take(props.picture, props.grouping);
      const things = thingsOf(props.picture);
      this.#names = new Map(
        [...things].map(([key, thing]) => [key, titleOf(thing, props.picture)]),
      );
      if (before?.grouping !== props.grouping) this.#isFitted = true;
      if (isStill()) this.#scene.layout.settle();
    }
    this.#request();
  }

  fit(): void {
    this.#isFitted = true;
    this.#request();
  }

  zoom(factor: number): void {
    const { width, height } = this.#size();
    this.#isFitted = false;
    this.#view = zoomed(this.#view, { x: width / 2, y: height / 2 }, factor);
    this.#request();
  }

  #size(): { width: number; height: number } {
    return { width: this.#canvas?.clientWidth ?? 0, height: this.#canvas?.clientHeight ?? 0 };
  }

  #resized(): void {
    const canvas = this.#canvas!;
    canvas.width = canvas.clientWidth * devicePixelRatio;
    canvas.height = canvas.clientHeight * devicePixelRatio;
    this.#request();
  }

  #request(): void {
    this.#drawnAtMs = 0;
    this.#next();
  }

  #next(): void {
    cancelAnimationFrame(this.#frame);
    this.#frame = requestAnimationFrame((nowMs) => {
      if (nowMs - this.#drawnAtMs < flowFrameMs) this.#next();
      else this.#drawFrame(nowMs);
    });
  }

  #drawFrame(nowMs: number): void {
    const context = this.#canvas?.getContext("2d");
    const { props } = this;
    if (!context || props === undefined) return;
    const isMoving = this.#scene.layout.step();
    const size = this.#size();
    if (this.#isFitted) {
      const circles = this.#scene.bubbles.map(({ x = 0, y = 0, radius }) => ({ x, y, radius }));
      this.#view = fitting(circles, { ...size, height: size.height - barPixels });
    }
    context.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0);
    this.#isFlowing = draw(context, size, {
      ...{ scene: this.#scene, view: this.#view, palette: paletteOf(this.#canvas!) },
      ...{ selected: props.selected, lit: props.lit, question: props.question },
      atSeconds: isStill() ? 0 : nowMs / 1000,
      nameOf: (key) => this.#names.get(key) ?? "",
    });
    if (isMoving) this.#request();
    else if (this.#isFlowing && !isStill()) {
      this.#drawnAtMs = nowMs;
      this.#next();
    }
  }

  #wheel(event: WheelEvent): void {
    event.preventDefault();
    this.#isFitted = false;
    this.#view = zoomed(this.#view, placeIn(event), Math.exp(-event.deltaY * 0.0015));
    this.#request();
  }

  #down(event: PointerEvent): void {
    this.#canvas?.setPointerCapture(event.pointerId);
    this.#pointers.set(event.pointerId, placeIn(event));
    this.#movedBy = 0;
  }

  /** One finger moves the plane, two zoom it. */
  #move(event: PointerEvent): void {
    const before = this.#pointers.get(event.pointerId);
    if (before === undefined) return;
    const now = placeIn(event);
    const other = [...this.#pointers].find(([id]) => id !== event.pointerId)?.[1];
    this.#pointers.set(event.pointerId, now);
    this.#movedBy += Math.hypot(now.x - before.x, now.y - before.y);
    if (this.#movedBy < clickPixels) return;
    this.#isFitted = false;
    if (other === undefined) {
      this.#view = moved(this.#view, { x: now.x - before.x, y: now.y - before.y });
    } else {
      const [was, is] = [before, now].map((each) => Math.hypot(each.x - other.x, each.y - other.y));
      const middle = { x: (now.x + other.x) / 2, y: (now.y + other.y) / 2 };
      this.#view = zoomed(this.#view, middle, is! / Math.max(1, was!));
    }
    this.#request();
  }

  #up(event: PointerEvent, choose: (key: string | undefined) => void): void {
    this.#pointers.delete(event.pointerId);
    if (this.#movedBy >= clickPixels) return;
    choose(this.#scene.at(toPlane(this.#view, placeIn(event)), this.#view.scale));
  }
}

function placeIn(event: MouseEvent): Point {
  return { x: event.offsetX, y: event.offsetY };
}
