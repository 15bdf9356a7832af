import { type Box, Drawing } from "./drawing.ts";

const panelWidth = 144;

/** What somebody has who followed the page. */
export function firstNetwork(): Drawing {
  const drawing = new Drawing({
    name: "first-network",
    title: "A first network",
    description:
      "Three hosts, each with a router and a container. host2 was told of host1, and host3 of host2; host1 and host3 have found each other by themselves. The containers c1 with 10.32.0.1, c2 with 10.40.0.0 and c3 are in one network.",
    height: 236,
  });
  const routers = [
    ["host1", "192.168.48.11", "c1", "10.32.0.1"],
    ["host2", "192.168.48.12", "c2", "10.40.0.0"],
    ["host3", "192.168.48.13", "c3", "an address"],
  ].map(([host, address, name, inside], at) => {
    const x = 12 + at * (panelWidth + 12);
    drawing.panel({ x, y: 12, width: panelWidth, height: 160 }, host!);
    const room = { x: x + 12, width: panelWidth - 24, height: 48 };
    const container = drawing.box(
      { ...room, y: 42 },
      { label: name!, note: inside!, tone: "container" },
    );
    const router = drawing.box(
      { ...room, y: 112 },
      { label: "router", note: address!, tone: "process" },
    );
    drawing.way([container.bottom, router.top], { tone: "container", tips: "none" });
    return router;
  }) as [Box, Box, Box];
  const told = { tone: "process" } as const;
  drawing.way([routers[1].left, routers[0].right], told);
  drawing.way([routers[2].left, routers[1].right], told);
  const [left, right] = [routers[0].bottom.x, routers[2].bottom.x];
  drawing.way([routers[2].bottom, { x: right, y: 200 }, { x: left, y: 200 }, routers[0].bottom], {
    tone: "news",
    isDashed: true,
    tips: "both",
  });
  drawing.text({ x: 240, y: 226 }, "solid: as they were told; dashed: found by themselves", {
    isSmall: true,
    isFaint: true,
  });
  return drawing;
}
