import { counted } from "../base/counted.ts";
import type { Bundle } from "./bundle.ts";

/** What is in a bundle and what is not, a line each, for who is about to hand it on. */
export function bundleContents(bundle: Bundle): string[] {
  const { report, events, history, findings, policies, metrics, removed } = bundle;
  const { NickName, Peers } = report.Router;
  const lines = [
    `report of ${NickName}: ${counted(Peers?.length ?? 0, "peer")}, ${counted(report.IPAM?.Entries?.length ?? 0, "range")} of the ring, ${counted(report.DNS?.Entries?.length ?? 0, "name")}`,
    `${counted(events.length, "event")}${events[0] === undefined ? "" : ` since ${events[0].at}`}`,
    `history since ${history.since}: ${counted(history.topology.length, "change")} of the topology, ${history.owners.length} of ranges, ${counted(history.gossip.length, "message")} of gossip without what they say`,
    `${counted(findings.length, "finding")} of weave doctor, ${counted(policies.length, "policy", "policies")} by name, ${counted(metrics.split("\n").length, "line")} of metrics, kernel and devices`,
  ];
  const taken = removed.secrets.map(({ what, count }) => `${count} ${what}`);
  const out = removed.leftOut.map(({ what, count }) => `${count} of ${what}`);
  if (taken.length > 0) lines.push(`taken out: ${taken.join(", ")}`);
  if (removed.redacted.length > 0) lines.push(`by pseudonyms: ${removed.redacted.join(", ")}`);
  if (out.length > 0) lines.push(`left out, for there was no room: ${out.join(", ")}`);
  return lines;
}
