import { type Area, type Box, Drawing } from "./drawing.ts";

/** What there is on a host, and what goes between two. */
export function partsOfHosts(): Drawing {
  const drawing = new Drawing({
    name: "parts",
    title: "The parts on a host",
    description:
      "Two hosts. On each, containers are plugged into the bridge weave. The bridge leads to the datapath, which is in the kernel, and to the router, which is a process. The datapaths of both hosts exchange frames at UDP port 6784, the routers frames at UDP port 6783, and what each knows at TCP port 6783.",
    height: 388,
  });
  const [router1, datapath1] = host(drawing, { x: 12, y: 12, width: 220, height: 258 }, 1);
  const [router2, datapath2] = host(drawing, { x: 248, y: 12, width: 220, height: 258 }, 2);

  const between = (
    [from, to]: readonly [Box, Box],
    [inwards, y]: readonly [number, number],
    tone: "kernel" | "process" | "news",
    label: string,
  ): void => {
    const x1 = from.bottom.x + inwards;
    const x2 = to.bottom.x - inwards;
    drawing.way([from.bottomAt(x1), { x: x1, y }, { x: x2, y }, to.bottomAt(x2)], {
      tone,
      tips: "both",
      isDashed: tone === "news",
    });
    drawing.text({ x: 240, y: y + 4 }, label, { isSmall: true, isOnLine: true });
  };
  between([datapath1, datapath2], [-30, 300], "kernel", "UDP 6784: fastdp");
  between([router1, router2], [14, 332], "process", "UDP 6783: frames by sleeve");
  between([router1, router2], [-14, 364], "news", "TCP 6783: who has what");
  return drawing;
}

/** From its outer side to the middle of the drawing. */
function host(drawing: Drawing, area: Area, number: 1 | 2): [router: Box, datapath: Box] {
  drawing.panel(area, `host${number}`);
  const row = (y: number, height = 46) => ({
    x: area.x + 12,
    y,
    width: area.width - 24,
    height,
    gap: 12,
  });
  const addresses = { 1: ["10.32.0.1", "10.32.0.2"], 2: ["10.40.0.0", "10.40.0.1"] }[number];
  const containers = drawing.row(
    row(44),
    addresses.map((note) => ({ label: "container", note, tone: "container" })),
  );
  const [bridge] = drawing.row(row(122), [
    { label: "bridge weave", note: "kernel", tone: "kernel" },
  ]);
  const parts = [
    { label: "router", note: "process", tone: "process" },
    { label: "datapath", note: "kernel", tone: "kernel" },
  ] as const;
  const lower = drawing.row(row(200), number === 1 ? parts : parts.toReversed());
  for (const { bottom } of containers) {
    drawing.way([bottom, bridge!.topAt(bottom.x)], { tone: "container", tips: "none" });
  }
  for (const { top } of lower) {
    drawing.way([bridge!.bottomAt(top.x), top], { tone: "kernel", tips: "none" });
  }
  const [first, second] = lower as [Box, Box];
  return number === 1 ? [first, second] : [second, first];
}
