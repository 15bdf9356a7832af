import { Drawing, type Point } from "./drawing.ts";
import type { Tone } from "./palette.ts";

const centre: Point = { x: 240, y: 184 };
const radius = 110;
const thickness = 60;

interface Part {
  readonly owner: string;
  readonly tone: Tone;
  /** In turns, clockwise from the top. */
  readonly from: number;
  readonly to: number;
  /** Addresses that it has given out, as places within the part. */
  readonly given: readonly number[];
}

const parts: readonly Part[] = [
  { owner: "host1", tone: "container", from: 0, to: 0.5, given: [0.06, 0.12, 0.18] },
  { owner: "host2", tone: "kernel", from: 0.5, to: 0.75, given: [0.12, 0.25] },
  { owner: "host3", tone: "process", from: 0.75, to: 1, given: [0.12] },
];

/** Who owns which addresses. */
export function addressRing(): Drawing {
  const drawing = new Drawing({
    name: "ring",
    title: "The ring of addresses",
    description:
      "The range 10.32.0.0/12 as a ring. host1 owns the half from 10.32.0.0, host2 the quarter from 10.40.0.0 and host3 the quarter from 10.44.0.0 to the end. In each part some addresses are given out to containers of that host.",
    height: 384,
  });
  for (const part of parts) arc(drawing, part);
  drawing.text({ x: 240, y: 182 }, "10.32.0.0/12", { isStrong: true });
  drawing.text({ x: 240, y: 200 }, "1,048,576 addresses", { isSmall: true, isFaint: true });
  drawing.text({ x: 240, y: 32 }, "10.32.0.0", { isSmall: true });
  drawing.text({ x: 240, y: 342 }, "10.40.0.0", { isSmall: true });
  drawing.text({ x: 92, y: 188 }, "10.44.0.0", { anchor: "end", isSmall: true });
  drawing.element(`<circle class="dot plain" cx="150" cy="364" r="3.5"/>`, "plain");
  drawing.text({ x: 162, y: 368 }, "an address that is given out", {
    anchor: "start",
    isSmall: true,
    isFaint: true,
  });
  return drawing;
}

function arc(drawing: Drawing, { owner, tone, from, to, given }: Part): void {
  // Between two parts a little of the paper is seen.
  const [begin, end] = [from + 0.003, to - 0.003];
  const large = end - begin > 0.5 ? 1 : 0;
  const [outer, inner] = [radius + thickness / 2, radius - thickness / 2];
  const path = [
    `M${place(begin, outer)}A${outer} ${outer} 0 ${large} 1 ${place(end, outer)}`,
    `L${place(end, inner)}A${inner} ${inner} 0 ${large} 0 ${place(begin, inner)}Z`,
  ].join("");
  drawing.element(`<path class="box ${tone}" d="${path}"/>`, tone);
  for (const each of given) {
    const [x, y] = place(from + each * (to - from), radius).split(" ");
    drawing.element(`<circle class="dot ${tone}" cx="${x}" cy="${y}" r="3.5"/>`, tone);
  }
  const [x, y] = place(from + (to - from) * 0.58, radius)
    .split(" ")
    .map(Number);
  drawing.text({ x: x!, y: y! + 5 }, owner);
}

/** A point of a circle around the centre. */
function place(turns: number, distance: number): string {
  const angle = turns * 2 * Math.PI;
  const x = centre.x + Math.sin(angle) * distance;
  const y = centre.y - Math.cos(angle) * distance;
  return `${Math.round(x * 10) / 10} ${Math.round(y * 10) / 10}`;
}
