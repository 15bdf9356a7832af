import type * as v from "valibot";
import type { policyWays } from "../../api/policy-models.ts";

export type Ways = v.InferOutput<typeof policyWays>;
export type Way = Ways["ways"][number];
export type WayVerdict = Way["verdicts"][number];
type Span = WayVerdict["spans"][number];

/** Spans that are named one by one. */
const spansMax = 8;
const portMax = 65_535;
const protocols = ["TCP", "UDP", "SCTP"] as const;

/** To what verdict number `index` of a way applies: `TCP 80, 443 to 450`, `everything else`. */
export function portsText({ verdicts }: Pick<Way, "verdicts">, index: number): string {
  const isLast = index === verdicts.length - 1;
  if (isLast && verdicts.length > 1) return "everything else";
  const { spans } = verdicts[index]!;
  const words = protocols.flatMap((protocol) => ofProtocol(spans, protocol));
  if (spans.some(({ protocol }) => protocol === "ICMP")) words.push("ICMP");
  const isAll = words.length === 4 && words.every((word) => !/\d/.test(word));
  if (isAll) return "everything";
  const more = words.length - spansMax;
  return more > 0 ? `${words.slice(0, spansMax).join(", ")} and ${more} more` : words.join(", ");
}

function ofProtocol(spans: readonly Span[], protocol: Span["protocol"]): string[] {
  return spans
    .filter((span) => span.protocol === protocol)
    .map(({ first, last }, index) => {
      if (first === 1 && last === portMax) return `all ${protocol}`;
      const ports = first === last ? `${first}` : `${first} to ${last}`;
      return index === 0 ? `${protocol} ${ports}` : ports;
    });
}

/** Who decides it: those ends that deny, or else what allows it at each. */
export function reasonsOf({ allowed, egress, ingress }: WayVerdict): string[] {
  const ends = [egress, ingress];
  if (!allowed) return ends.filter((end) => !end.allowed).map(({ sentence }) => sentence);
  const byRule = ends.filter(({ because }) => because === "rule");
  return (byRule.length > 0 ? byRule : ends).map(({ sentence }) => sentence);
}

/** Verdicts on a way in one word. */
export function summaryOf({ verdicts }: Pick<Way, "verdicts">): "allowed" | "denied" | "partly" {
  const answers = new Set(verdicts.map(({ allowed }) => allowed));
  return answers.size === 2 ? "partly" : answers.has(true) ? "allowed" : "denied";
}
