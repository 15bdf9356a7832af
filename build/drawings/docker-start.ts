import { Drawing } from "./drawing.ts";

/** What happens before the command of a container begins. */
export function dockerStart(): Drawing {
  const drawing = new Drawing({
    name: "docker",
    title: "A container that Docker starts",
    description:
      "The docker client asks the proxy of the router, which puts the wait helper before the container's command and asks the engine. The engine starts the container, in which the helper waits, and tells the router of it. The router gives the container its interface; then the helper becomes the command, and the proxy answers the client.",
    height: 240,
  });
  drawing.panel({ x: 12, y: 12, width: 456, height: 216 }, "host1");
  const [client, proxy, engine] = drawing.row({ x: 24, y: 52, width: 432, height: 48, gap: 66 }, [
    { label: "docker", note: "client", tone: "plain" },
    { label: "proxy", note: "router", tone: "process" },
    { label: "engine", note: "dockerd", tone: "plain" },
  ]);
  const [attacher, container] = drawing.row({ x: 190, y: 164, width: 266, height: 48, gap: 66 }, [
    { label: "attacher", note: "router", tone: "process" },
    { label: "container", note: "waits, then runs", tone: "container", share: 1.25 },
  ]);
  const small = { isSmall: true, isFaint: true } as const;
  drawing.way([client!.right, proxy!.left], { tone: "plain", tips: "both" });
  drawing.text({ x: (client!.right.x + proxy!.left.x) / 2, y: 66 }, "1 run", small);
  drawing.way([proxy!.right, engine!.left], { tone: "process" });
  drawing.text({ x: (proxy!.right.x + engine!.left.x) / 2, y: 66 }, "2 make", small);
  drawing.way([engine!.bottom, container!.topAt(engine!.bottom.x)], { tone: "plain" });
  drawing.text({ x: engine!.bottom.x + 8, y: 136 }, "3 start", { ...small, anchor: "start" });
  const event = engine!.bottomAt(engine!.area.x + 14);
  drawing.way([event, { x: event.x, y: 132 }, { x: attacher!.top.x, y: 132 }, attacher!.top], {
    tone: "news",
    isDashed: true,
  });
  drawing.text({ x: 290, y: 124 }, "4 event", small);
  drawing.way([attacher!.right, container!.left], { tone: "container" });
  drawing.text({ x: (attacher!.right.x + container!.left.x) / 2, y: 178 }, "5 ethwe", small);
  drawing.text({ x: 24, y: 146 }, "docker has its answer", { ...small, anchor: "start" });
  drawing.text({ x: 24, y: 162 }, "when 5 is done", { ...small, anchor: "start" });
  return drawing;
}
