import type * as v from "valibot";
import type {
  changesAnswer,
  policyExplanation,
  policyListAnswer,
  testAnswer,
} from "../api/policy-models.ts";
import { bold, painted } from "./findings-text.ts";
import { wrap } from "./text-layout.ts";

type Changes = v.InferOutput<typeof changesAnswer>["changes"];
type List = v.InferOutput<typeof policyListAnswer>;
type Explanation = v.InferOutput<typeof policyExplanation>;
type Row = v.InferOutput<typeof testAnswer>["rows"][number];

/** `NetworkPolicy shop/web created`. */
export function changesText(changes: Changes): string {
  return changes.map((each) => `${each.kind} ${placeOf(each)} ${each.change}\n`).join("");
}

export function policiesText({ policies }: List): string {
  return columns([
    ["NAMESPACE", "NAME", "KIND"],
    ...policies.map(({ namespace, name, kind }) => [namespace || "-", name, kind]),
  ]);
}

export function podsText({ pods, hosts }: List): string {
  const nicknames = new Map(hosts.map(({ peer, nickname }) => [peer, nickname]));
  return columns([
    ["NAMESPACE", "NAME", "HOST", "ADDRESSES", "LABELS"],
    ...pods.map((pod) => [
      ...[pod.namespace, pod.name, (nicknames.get(pod.host) ?? pod.host) || "-"],
      pod.addresses.join(",") || "-",
      labelsText(pod.labels),
    ]),
  ]);
}

export function hostsText({ hosts }: List): string {
  return columns([
    ["PEER", "NICKNAME", "ENFORCES BY"],
    ...hosts.map(({ peer, nickname, enforcer }) => [peer, nickname, enforcer || "nothing"]),
  ]);
}

/** The first line answers; what each end says follows. */
export function explanationText(explanation: Explanation, isColoured: boolean): string {
  const { from, to, allowed, egress, ingress, enforced } = explanation;
  const verdict = allowed ? "allowed" : "denied";
  const answer = `${from} to ${to}, ${portText(explanation)}: ${verdict}`;
  const unsaid = enforced ? [] : ["This host does not enforce policies now."];
  return [
    painted(answer, isColoured ? bold : undefined),
    ...wrap(`egress   ${egress.sentence}`, 2),
    ...wrap(`ingress  ${ingress.sentence}`, 2),
    ...unsaid,
    "",
  ].join("\n");
}

/** Every expectation that is not met, with the reason, and how many are. */
export function testText(rows: readonly Row[]): string {
  const failed = rows.filter(({ met }) => !met);
  const lines = failed.flatMap((row) => {
    const { from, to, expected, allowed, egress, ingress } = row;
    const deciding = [egress, ingress].filter((each) => each.allowed === allowed);
    return [
      `${from} to ${to}, ${portText(row)}: expected ${word(expected)}, is ${word(allowed)}`,
      ...deciding.flatMap(({ sentence }) => wrap(sentence, 2)),
    ];
  });
  const met = rows.length - failed.length;
  return `${[...lines, `${met} of ${rows.length} as expected`].join("\n")}\n`;
}

function word(allowed: boolean): string {
  return allowed ? "allowed" : "denied";
}

function portText({ port, protocol }: Pick<Row, "port" | "protocol">): string {
  return port === null ? protocol : `${protocol} ${port}`;
}

function placeOf({ namespace, name }: { namespace: string; name: string }): string {
  return namespace === "" ? name : `${namespace}/${name}`;
}

function labelsText(labels: Readonly<Record<string, string>>): string {
  const words = Object.entries(labels).map(([key, value]) => `${key}=${value}`);
  return words.toSorted().join(",") || "-";
}

/** As wide as their longest cell; the last one ends where it ends. */
function columns(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, at) => Math.max(...rows.map((row) => row[at]!.length)));
  const lines = rows.map((row) => row.map((cell, at) => cell.padEnd(widths[at]!)).join("  "));
  return lines.map((line) => `${line.trimEnd()}\n`).join("");
}
