import { type Box, Drawing } from "./drawing.ts";

/** Rows of the sending host, which has its containers above, and of the receiving one, which has them below. */
const rows = { sender: [46, 126], wire: [184, 254], receiver: [294, 374] } as const;
const height = 444;
const boxHeight = 48;
const column = { x: 24, width: 432, height: boxHeight } as const;

function hosts(drawing: Drawing): void {
  drawing.panel({ x: 12, y: 12, width: 456, height: 172 }, "host1");
  drawing.panel({ x: 12, y: 260, width: 456, height: 172 }, "host2");
}

function container(drawing: Drawing, name: string, note: string, y: number): Box {
  return drawing.box(
    { x: 24, y, width: 104, height: boxHeight },
    {
      label: name,
      note,
      tone: "container",
    },
  );
}

/** A frame that the router takes from the bridge and sends by itself. */
export function frameBySleeve(): Drawing {
  const drawing = new Drawing({
    name: "sleeve",
    title: "A frame by sleeve",
    description:
      "A frame goes from a container into the bridge of host1, from there by a capture socket out of the kernel to the worker of the router, which looks up whose it is, packs many frames into one datagram and seals it. The datagram goes by UDP port 6783 to host2, whose worker opens it and puts the frames into its bridge, which has the container at a port.",
    height,
  });
  hosts(drawing);
  const kernel = (y: number, capture: string) =>
    drawing.row({ ...column, y, gap: 44 }, [
      { label: "bridge", note: "weave", tone: "kernel" },
      { label: capture, note: "AF_PACKET", tone: "kernel" },
      { label: "UDP socket", note: "port 6783", tone: "kernel" },
    ]) as [Box, Box, Box];
  const worker = (y: number, label: string) =>
    drawing.box(
      { x: 188, y, width: 268, height: boxHeight },
      {
        label,
        note: "worker of the router",
        tone: "process",
      },
    );

  const c1 = container(drawing, "c1", "10.32.0.1", rows.sender[0]);
  const sending = worker(rows.sender[0], "where to? pack, seal");
  const [bridge1, capture, socket1] = kernel(rows.sender[1], "capture");
  const [bridge2, injected, socket2] = kernel(rows.receiver[0], "inject");
  const receiving = worker(rows.receiver[1], "open, unpack");
  const c2 = container(drawing, "c2", "10.40.0.0", rows.receiver[1]);

  const kernelWay = { tone: "kernel" } as const;
  const processWay = { tone: "process" } as const;
  drawing.way([c1.bottom, bridge1.topAt(c1.bottom.x)], { tone: "container" });
  drawing.way([bridge1.right, capture.left], kernelWay);
  drawing.way([capture.top, sending.bottomAt(capture.top.x)], kernelWay);
  drawing.way([sending.bottomAt(socket1.top.x), socket1.top], processWay);
  drawing.way([socket1.bottom, socket2.top], processWay);
  drawing.way([socket2.bottom, receiving.topAt(socket2.bottom.x)], processWay);
  drawing.way([receiving.topAt(injected.bottom.x), injected.bottom], kernelWay);
  drawing.way([injected.left, bridge2.right], kernelWay);
  drawing.way([bridge2.bottomAt(c2.top.x), c2.top], { tone: "container" });
  wireText(drawing, "many frames in one datagram,", "sealed where there is a password", socket1);
  return drawing;
}

/** A frame that no process sees. */
export function frameByFastdp(): Drawing {
  const drawing = new Drawing({
    name: "fastdp",
    title: "A frame by the fast datapath",
    description:
      "A frame goes from a container into the bridge of host1, where programs or flows of the kernel look up the neighbour, then into VXLAN, with a password through IPsec, and by UDP port 6784 to host2, where the kernel unwraps it and puts it into the bridge, which has the container at a port. The router writes the tables and hears heartbeats; frames for neighbours that are not reached so go through its worker, by sleeve.",
    height,
  });
  hosts(drawing);
  const esp = { label: "IPsec", note: "if password", tone: "kernel", isDashed: true } as const;
  const bridge = { label: "bridge", note: "weave", tone: "kernel", share: 1.05 } as const;
  const vxlan = { label: "VXLAN", note: "UDP 6784", tone: "kernel" } as const;
  const lookup = { label: "tables", note: "ebpf, ovs", tone: "kernel" } as const;
  const kernel = (y: number) =>
    drawing.row({ ...column, y, gap: 22 }, [bridge, lookup, vxlan, esp]) as [Box, Box, Box, Box];
  const router = (y: number, over: Box) =>
    drawing.box(
      { x: over.area.x, y, width: 456 - over.area.x, height: boxHeight },
      {
        label: "router",
        note: "writes tables; sleeve for other neighbours",
        tone: "process",
      },
    );

  const c1 = container(drawing, "c1", "10.32.0.1", rows.sender[0]);
  const [bridge1, tables1, vxlan1, esp1] = kernel(rows.sender[1]);
  const router1 = router(rows.sender[0], tables1);
  const [bridge2, tables2, vxlan2, esp2] = kernel(rows.receiver[0]);
  const router2 = router(rows.receiver[1], tables2);
  const c2 = container(drawing, "c2", "10.40.0.0", rows.receiver[1]);

  const frame = { tone: "kernel" } as const;
  const news = { tone: "news", isDashed: true } as const;
  drawing.way([c1.bottom, bridge1.topAt(c1.bottom.x)], { tone: "container" });
  for (const [from, to] of [
    [bridge1, tables1],
    [tables1, vxlan1],
    [vxlan1, esp1],
  ] as const) {
    drawing.way([from.right, to.left], frame);
  }
  drawing.way([esp1.bottom, esp2.top], frame);
  for (const [from, to] of [
    [esp2, vxlan2],
    [vxlan2, tables2],
    [tables2, bridge2],
  ] as const) {
    drawing.way([from.left, to.right], frame);
  }
  drawing.way([bridge2.bottomAt(c2.top.x), c2.top], { tone: "container" });
  drawing.way([router1.bottomAt(tables1.top.x), tables1.top], news);
  drawing.way([router2.topAt(tables2.bottom.x), tables2.bottom], news);
  wireText(drawing, "VXLAN as everybody knows it;", "with a password inside of ESP", esp1);
  return drawing;
}

/** Beside the way from host to host. */
function wireText(drawing: Drawing, first: string, second: string, { bottom }: Box): void {
  const [top, end] = rows.wire;
  const style = { anchor: "end", isSmall: true, isFaint: true } as const;
  drawing.text({ x: bottom.x - 14, y: (top + end) / 2 }, first, style);
  drawing.text({ x: bottom.x - 14, y: (top + end) / 2 + 16 }, second, style);
}
