import { Drawing } from "./drawing.ts";

/** Who answers for a name. */
export function nameQuestion(): Drawing {
  const drawing = new Drawing({
    name: "names",
    title: "How a name is found",
    description:
      "A container asks weaveDNS on its own host. A name in the domain of the network is answered out of the table, which all hosts have whole, because they tell each other what is registered. Any other name is asked of the servers of the host's resolv.conf.",
    height: 316,
  });
  drawing.panel({ x: 12, y: 12, width: 456, height: 206 }, "host2");
  const container = drawing.box(
    { x: 28, y: 50, width: 112, height: 48 },
    {
      label: "container",
      note: "10.40.0.0",
      tone: "container",
    },
  );
  const server = drawing.box(
    { x: 290, y: 50, width: 162, height: 48 },
    {
      label: "weaveDNS",
      note: "in the router",
      tone: "process",
    },
  );
  const table = drawing.box(
    { x: 290, y: 148, width: 162, height: 48 },
    {
      label: "table of names",
      note: "db: 10.32.0.1, …",
      tone: "process",
    },
  );
  const others = drawing.box(
    { x: 290, y: 256, width: 162, height: 48 },
    {
      label: "other hosts",
      note: "have the same table",
      tone: "plain",
    },
  );
  const resolvers = drawing.box(
    { x: 28, y: 256, width: 162, height: 48 },
    {
      label: "other servers",
      note: "of resolv.conf",
      tone: "plain",
    },
  );
  const at = (dy: number) => ({ from: container.right.y + dy, to: server.left.y + dy });
  const asked = at(-10);
  const told = at(10);
  drawing.way(
    [
      { x: container.right.x, y: asked.from },
      { x: server.left.x, y: asked.to },
    ],
    { tone: "container" },
  );
  drawing.way(
    [
      { x: server.left.x, y: told.to },
      { x: container.right.x, y: told.from },
    ],
    { tone: "process" },
  );
  drawing.text({ x: 215, y: asked.from - 8 }, "db.weave.local?", { isSmall: true });
  drawing.text({ x: 215, y: told.from + 18 }, "10.32.0.1", { isSmall: true });
  drawing.way([server.bottom, table.top], { tone: "process", tips: "both" });
  drawing.way([others.top, table.bottom], { tone: "news", isDashed: true, tips: "both" });
  drawing.text({ x: 362, y: 240 }, "news", { anchor: "end", isSmall: true, isFaint: true });
  drawing.way(
    [
      server.bottomAt(server.area.x + 24),
      { x: server.area.x + 24, y: 123 },
      { x: resolvers.top.x, y: 123 },
      resolvers.top,
    ],
    { tone: "plain", isDashed: true },
  );
  drawing.text({ x: 124, y: 150 }, "names outside of", {
    anchor: "start",
    isSmall: true,
    isFaint: true,
  });
  drawing.text({ x: 124, y: 166 }, "the network's domain", {
    anchor: "start",
    isSmall: true,
    isFaint: true,
  });
  return drawing;
}
