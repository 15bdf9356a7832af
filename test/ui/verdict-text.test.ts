import { describe, expect, test } from "bun:test";
import {
  portsText,
  reasonsOf,
  summaryOf,
  type WayVerdict,
} from "../../lib/ui/page/verdict-text.ts";

type Span = WayVerdict["spans"][number];
const tcp = (first: number, last = first): Span => ({ protocol: "TCP", first, last });
const icmp: Span = { protocol: "ICMP", first: null, last: null };
const all: Span[] = [
  ...(["TCP", "UDP", "SCTP"] as const).map((protocol) => ({ protocol, first: 1, last: 65_535 })),
  icmp,
];

function verdict(allowed: boolean, spans: Span[], ingress = allowed): WayVerdict {
  const decision = (isAllowed: boolean, sentence: string, isRule = false) => ({
    ...{ allowed: isAllowed, policies: [], rule: null, sentence },
    because: isRule ? ("rule" as const) : ("unselected" as const),
  });
  return {
    ...{ allowed, spans },
    egress: decision(true, "may send"),
    ingress: decision(ingress, ingress ? "may receive" : "may not receive", true),
  };
}

describe("what a verdict is about", () => {
  test.each([
    ["everything", all],
    ["all TCP, ICMP", [tcp(1, 65_535), icmp]],
    ["TCP 80, 443 to 450", [tcp(80), tcp(443, 450)]],
    [
      "TCP 1, 3, 5, 7, 9, 11, 13, 15 and 2 more",
      Array.from({ length: 10 }, (_, index) => tcp(2 * index + 1)),
    ],
  ])("reads %s", (text, spans) => {
    expect(portsText({ verdicts: [verdict(true, spans)] }, 0)).toBe(text);
  });

  test("is everything else where others are about something", () => {
    const verdicts = [verdict(true, [tcp(80)]), verdict(false, all)];
    expect(verdicts.map((_, index) => portsText({ verdicts }, index))).toEqual([
      ...["TCP 80", "everything else"],
    ]);
    expect(summaryOf({ verdicts })).toBe("partly");
    expect(verdicts.map((each) => summaryOf({ verdicts: [each] }))).toEqual(["allowed", "denied"]);
  });

  test("has the reasons of those who decide", () => {
    expect(reasonsOf(verdict(false, all))).toEqual(["may not receive"]);
    expect(reasonsOf(verdict(true, all))).toEqual(["may receive"]);
  });
});
