import { describe, expect, test } from "bun:test";
import { LogLabels } from "../../../lib/host/policy/log-labels.ts";

describe("the label of packets that are dropped", () => {
  test("fits every packet filter, whoever says so", () => {
    const labels = new LogLabels();
    for (const origin of ["", "a/b", "x".repeat(500), "ü/€"]) {
      expect(labels.labelOf("ingress", origin)).toMatch(/^weave-npc:ingress:[a-z2-7]{16}$/);
    }
  });

  test("says direction and origin to whom has made it", () => {
    const labels = new LogLabels();
    const label = labels.labelOf("egress", "default/web");
    expect(labels.meaningOf(label)).toEqual({ direction: "egress", origin: "default/web" });
    const another = new LogLabels();
    expect(another.meaningOf(label)).toEqual({ direction: "egress", origin: undefined });
    expect(another.labelOf("egress", "default/web")).toBe(label);
  });

  test("means nothing when it is somebody else's", () => {
    const labels = new LogLabels();
    for (const label of ["", "weave-npc", "weave-npc:both:abc", "ulogd: weave-npc:egress:abc"]) {
      expect(labels.meaningOf(label)).toBeUndefined();
    }
  });

  test("is forgotten when many others came since", () => {
    const labels = new LogLabels();
    const first = labels.labelOf("ingress", "the first");
    for (let count = 0; count < 1 << 16; count++) labels.labelOf("ingress", `${count}`);
    expect(labels.meaningOf(first)).toEqual({ direction: "ingress", origin: undefined });
  });
});
