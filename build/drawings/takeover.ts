import { type Box, Drawing } from "./drawing.ts";

interface Stage {
  readonly label: string;
  readonly note: string;
  /** How many hosts, from the first, have changed over. */
  readonly changed: number;
}

const stages: readonly Stage[] = [
  { label: "before", note: "three routers of Weave Net 2.x", changed: 0 },
  { label: "weave adopt on host1", note: "same name, addresses and peers", changed: 1 },
  { label: "one after the other, in any order", note: "or never", changed: 2 },
  { label: "after", note: "weave everywhere", changed: 3 },
];

const stageHeight = 138;

/** A cluster of Weave Net 2.x becomes one of weave. */
export function takeover(): Drawing {
  const drawing = new Drawing({
    name: "takeover",
    title: "A cluster changes over, host by host",
    description:
      "Three hosts with a container each, in four stages. At first all have routers of Weave Net 2.x; then weave adopt has replaced that of host1, then that of host2, then that of host3. At every stage routers of both kinds have links with each other, and containers run on with their addresses.",
    height: 12 + stages.length * stageHeight,
  });
  for (const [at, stage] of stages.entries()) draw(drawing, stage, 12 + at * stageHeight);
  return drawing;
}

function draw(drawing: Drawing, { label, note, changed }: Stage, y: number): void {
  drawing.panel({ x: 12, y, width: 456, height: stageHeight - 12 }, label, note);
  const row = { x: 24, width: 432 };
  const numbers = [1, 2, 3];
  const containers = drawing.row(
    { ...row, y: y + 34, height: 26, gap: 30 },
    numbers.map((number) => ({ label: `c${number}`, tone: "container" })),
  );
  const routers = drawing.row(
    { ...row, y: y + 76, height: 34, gap: 30 },
    numbers.map((number) =>
      number <= changed
        ? { label: `host${number}: weave`, tone: "process" }
        : { label: `host${number}: 2.x`, tone: "plain", isDashed: true },
    ),
  );
  for (const [at, { bottom }] of containers.entries()) {
    drawing.way([bottom, routers[at]!.top], { tone: "container", tips: "none" });
  }
  for (const [from, to] of [routers.slice(0, 2), routers.slice(1)] as Array<[Box, Box]>) {
    drawing.way([from.right, to.left], { tone: "kernel", tips: "both" });
  }
}
