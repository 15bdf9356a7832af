import { type Box, Drawing, type Point } from "./drawing.ts";

const size = { width: 104, height: 44 } as const;

/** Hosts in between pass frames on. */
export function framesOverHosts(): Drawing {
  const drawing = new Drawing({
    name: "hops",
    title: "Over a host in between",
    description:
      "Four hosts. host1 is behind NAT and has a link to host2, and none to host3; host2 has links to host3 and host4. A frame from host1 to a container of host3 takes the shortest way, over host2. A broadcast of host1 goes along a tree: to host2, and from there once each to host3 and host4.",
    height: 414,
  });
  const [a1, a2, a3, a4] = fourHosts(drawing, 78);
  const start = { anchor: "start" } as const;
  drawing.text({ x: 16, y: 28 }, "to one container: the shortest way", start);
  const away = { tone: "trouble", tips: "none", isDashed: true } as const;
  drawing.way([a1.top, { x: a1.top.x, y: 54 }, { x: a3.top.x, y: 54 }, a3.top], away);
  drawing.text({ x: 240, y: 58 }, "no link", { isSmall: true, isOnLine: true });
  drawing.way(branch(a2, a4), { tone: "plain", tips: "none", isDashed: true });
  drawing.way([a1.right, a2.left], { tone: "kernel" });
  drawing.way(branch(a2, a3), { tone: "kernel" });

  const [b1, b2, b3, b4] = fourHosts(drawing, 278);
  drawing.text({ x: 16, y: 252 }, "a broadcast: along a tree, once to each host", start);
  drawing.way([b1.right, b2.left], { tone: "kernel" });
  drawing.way(branch(b2, b3), { tone: "kernel" });
  drawing.way(branch(b2, b4), { tone: "kernel" });
  return drawing;
}

/** From one host to a higher or lower one. */
function branch(from: Box, to: Box): Point[] {
  const x = (from.right.x + to.left.x) / 2;
  return [from.right, { x, y: from.right.y }, { x, y: to.left.y }, to.left];
}

function fourHosts(drawing: Drawing, y: number): [Box, Box, Box, Box] {
  const at = (x: number, dy: number, label: string, note?: string): Box =>
    drawing.box({ x, y: y + dy, ...size }, { label, tone: "plain", ...(note && { note }) });
  return [
    at(20, 38, "host1", "behind NAT"),
    at(176, 38, "host2", "passes on"),
    at(356, 0, "host3"),
    at(356, 76, "host4"),
  ];
}

/** News goes from neighbour to neighbour. */
export function newsBetweenHosts(): Drawing {
  const drawing = new Drawing({
    name: "news",
    title: "How news goes round",
    description:
      "Five hosts, with a link from host4 to host1, from host1 to host2 and host5, and from both of these to host3; host1 and host3 have none. host4 is new and tells host1, which tells host2 and host5; they tell host3. Every 30 seconds neighbours compare what they know by a digest, and tell each other what differs.",
    height: 264,
  });
  const at = ({ x, y }: Point, label: string, note?: string): Box =>
    drawing.box({ x, y, ...size }, { label, tone: "plain", ...(note && { note }) });
  const host4 = drawing.box(
    { x: 16, y: 88, ...size },
    { label: "host4", note: "is new", tone: "news" },
  );
  const host1 = at({ x: 188, y: 88 }, "host1");
  const host2 = at({ x: 188, y: 16 }, "host2");
  const host5 = at({ x: 188, y: 160 }, "host5");
  const host3 = at({ x: 360, y: 88 }, "host3");
  const news = { tone: "news" } as const;
  drawing.way([host4.right, host1.left], news);
  drawing.way([host1.top, host2.bottom], news);
  drawing.way([host1.bottom, host5.top], news);
  drawing.way([host2.right, { x: host3.top.x, y: host2.right.y }, host3.top], news);
  drawing.way([host5.right, { x: host3.top.x, y: host5.right.y }, host3.bottom], {
    ...news,
    isDashed: true,
    tips: "both",
  });
  const legend = { anchor: "start", isSmall: true, isFaint: true } as const;
  drawing.way(
    [
      { x: 20, y: 224 },
      { x: 56, y: 224 },
    ],
    news,
  );
  drawing.text({ x: 66, y: 228 }, "at once, and not back to where it came from", legend);
  drawing.way(
    [
      { x: 20, y: 244 },
      { x: 56, y: 244 },
    ],
    { ...news, isDashed: true, tips: "both" },
  );
  drawing.text({ x: 66, y: 248 }, "every 30 s: a digest, and what differs", legend);
  return drawing;
}
