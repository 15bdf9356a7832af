import { type Box, Drawing } from "./drawing.ts";

/** Where a connection is judged. */
export function policyPlaces(): Drawing {
  const drawing = new Drawing({
    name: "policies",
    title: "Where policies are enforced",
    description:
      "A connection from web on host1 to db on host2. What web sends crosses the bridge of host1, whose packet filter asks whether web may open it; then it goes to host2 by either overlay. There it crosses the bridge, whose packet filter asks whether db may receive it. Answers to what was let through are not judged again.",
    height: 404,
  });
  const boxHeight = 48;
  drawing.panel({ x: 12, y: 12, width: 456, height: 146 }, "host1");
  drawing.panel({ x: 12, y: 222, width: 456, height: 170 }, "host2");
  const row = (y: number) => ({ x: 24, y, width: 432, height: boxHeight, gap: 30 });
  const web = drawing.box(
    { x: 24, y: 42, width: 96, height: 34 },
    { label: "web", tone: "container" },
  );
  const judge = (label: string) =>
    ({ label, note: "packet filter", tone: "policy", share: 1.9 }) as const;
  const bridge = { label: "bridge", tone: "kernel" } as const;
  const overlay = { label: "overlay", tone: "kernel" } as const;
  const [bridge1, out, overlay1] = drawing.row(row(98), [
    bridge,
    judge("may web send it?"),
    overlay,
  ]) as [Box, Box, Box];
  const [bridge2, into, overlay2] = drawing.row(row(256), [
    bridge,
    judge("may db receive it?"),
    overlay,
  ]) as [Box, Box, Box];
  const db = drawing.box(
    { x: 24, y: 346, width: 96, height: 34 },
    { label: "db", tone: "container" },
  );
  const frame = { tone: "kernel" } as const;
  drawing.way([web.bottom, bridge1.topAt(web.bottom.x)], { tone: "container" });
  drawing.way([bridge1.right, out.left], frame);
  drawing.way([out.right, overlay1.left], frame);
  drawing.way([overlay1.bottom, overlay2.top], frame);
  drawing.way([overlay2.left, into.right], frame);
  drawing.way([into.left, bridge2.right], frame);
  drawing.way([bridge2.bottomAt(db.top.x), db.top], { tone: "container" });
  const no = { tone: "trouble", isDashed: true } as const;
  drawing.way([out.bottom, { x: out.bottom.x, y: 178 }], no);
  drawing.way([into.bottom, { x: into.bottom.x, y: 346 }], no);
  drawing.text({ x: out.bottom.x, y: 194 }, "no: dropped and counted", { isSmall: true });
  drawing.text({ x: into.bottom.x, y: 362 }, "no: dropped and counted", { isSmall: true });
  return drawing;
}

/** Who is asked first. */
export function policyTiers(): Drawing {
  const drawing = new Drawing({
    name: "policy-tiers",
    title: "Three tiers of policies",
    description:
      "At each end three tiers are asked in order. AdminNetworkPolicies, by priority: Allow lets the connection through, Deny drops it, Pass or no rule leaves it to the next tier. NetworkPolicies, if one selects the pod in this direction: it goes through when some rule fits and is dropped when none does; if none selects the pod, the next tier is asked. BaselineAdminNetworkPolicy: Allow lets it through, Deny drops it, and without a rule it goes through.",
    height: 330,
  });
  const tier = (y: number, label: string, note: string): Box =>
    drawing.box({ x: 110, y, width: 260, height: 52 }, { label, note, tone: "policy" });
  const tiers = [
    tier(16, "AdminNetworkPolicies", "by priority, then by name"),
    tier(124, "NetworkPolicies", "of the pod, in this direction"),
    tier(232, "BaselineAdminNetworkPolicy", "the cluster's defaults"),
  ] as const;
  const verdicts = [
    ["Allow", "Deny"],
    ["a rule fits", "none fits"],
    ["Allow", "Deny"],
  ] as const;
  for (const [at, box] of tiers.entries()) {
    const [yes, no] = verdicts[at]!;
    drawing.way([box.left, { x: 32, y: box.left.y }, { x: 32, y: 300 }], {
      tone: "kernel",
      tips: at === 2 ? "end" : "none",
    });
    drawing.way([box.right, { x: 448, y: box.right.y }, { x: 448, y: 300 }], {
      tone: "trouble",
      tips: at === 2 ? "end" : "none",
    });
    const above = box.left.y - 8;
    drawing.text({ x: 71, y: above }, yes, { isSmall: true, isFaint: true });
    drawing.text({ x: 409, y: above }, no, { isSmall: true, isFaint: true });
  }
  drawing.way([tiers[0].bottom, tiers[1].top], { tone: "plain" });
  drawing.way([tiers[1].bottom, tiers[2].top], { tone: "plain" });
  drawing.way([tiers[2].bottom, { x: 240, y: 312 }, { x: 112, y: 312 }], { tone: "plain" });
  const aside = { anchor: "start", isSmall: true, isFaint: true } as const;
  drawing.text({ x: 252, y: 101 }, "Pass, or no rule fits", aside);
  drawing.text({ x: 252, y: 209 }, "none selects the pod", aside);
  drawing.text({ x: 252, y: 304 }, "no rule fits", aside);
  drawing.text({ x: 14, y: 317 }, "goes through", { anchor: "start" });
  drawing.text({ x: 466, y: 317 }, "dropped", { anchor: "end" });
  return drawing;
}
