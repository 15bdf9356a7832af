import { counted } from "../../base/counted.ts";
import { missingHosts } from "../live/missing-hosts.ts";
import type { NetworkReading } from "../live/network-reading.ts";
import { ownLinks } from "../live/own-links.ts";
import { fitText, lineWidth } from "../terminal/fit.ts";
import type { Glyphs } from "../terminal/glyphs.ts";
import { countText, rateText, sparkline } from "../terminal/quantities.ts";
import { type Line, type Span, span } from "../terminal/spans.ts";
import type { Known } from "./top-state.ts";

/** The lines above the panes: this host and its network at a glance. */
export function headerLines(
  known: Known,
  { width, glyphs, isPaused }: { width: number; glyphs: Glyphs; isPaused: boolean },
): Line[] {
  const { reading, trouble, findings } = known;
  if (reading === undefined) return [[span("weave", "strong")], [span(trouble ?? "asking…")]];
  return [
    between(nameSpans(reading), [timeSpan(reading, isPaused)], width),
    networkLine(reading),
    addressLine(reading),
    trafficLine(known, glyphs),
    ...(findings ? [[span(`${glyphs.problem} ${findings}: see 'weave doctor'`, "warning")]] : []),
    ...(trouble === undefined
      ? []
      : [[span(`${glyphs.problem} not up to date: ${trouble}`, "bad")]]),
  ];
}

/** Two parts of a line, the second at its end; for that the first gives up its last spans. */
export function between(left: Line, right: Line, width: number): Line {
  const room = width - lineWidth(left) - lineWidth(right);
  if (room >= 1) return [...left, span(" ".repeat(room)), ...right];
  return left.length > 1 ? between(left.slice(0, -1), right, width) : left;
}

function nameSpans({ report: { Version, Router } }: NetworkReading): Line {
  return [
    span("weave ", "strong"),
    span(Router.NickName, "accent"),
    span(`  ${Router.Name}`, "faint"),
    span(`  ${Version}`, "faint"),
  ];
}

function timeSpan({ clockMs }: NetworkReading, isPaused: boolean): Span {
  if (isPaused) return span(" paused ", "chosen");
  return span(`${new Date(clockMs).toISOString().slice(11, 19)}Z`, "faint");
}

function networkLine(reading: NetworkReading): Line {
  const { picture, report } = reading;
  const links = ownLinks(reading);
  const up = links.filter(({ state }) => state === "established").length;
  const lost = [
    ...picture.peers.filter(({ reached }) => !reached).map(({ nickname }) => nickname),
    ...missingHosts(reading).map(({ nickname }) => nickname),
  ];
  const names = report.DNS?.Entries.filter(({ Tombstone }) => Tombstone === 0).length;
  const { Policy } = report;
  const policies = Policy && Policy.Policies + Policy.ClusterPolicies;
  return [
    span(counted(picture.peers.length, "peer")),
    ...(lost.length === 0 ? [] : [span(`, without ${lost.join(", ")}`, "bad")]),
    span(", "),
    span(`${up}/${links.length} links`, up < links.length ? "warning" : undefined),
    span(report.Router.Encryption ? ", encrypted" : ", in clear"),
    span(`, ${counted(picture.containers.length, "container")}`),
    ...(names === undefined ? [] : [span(`, ${counted(names, "name")}`)]),
    ...(policies ? [span(`, ${counted(policies, "policy", "policies")}`)] : []),
    ...(Policy?.Trouble ? [span(` (${Policy.Trouble.Message})`, "bad")] : []),
    ...(report.Ready ? [] : [span(", starting", "warning")]),
  ];
}

function addressLine({ picture: { ring, self } }: NetworkReading): Line {
  if (ring === null) return [span("addresses are not allocated here", "faint")];
  const own = ring.parts.filter(({ peer }) => peer === self).reduce((n, { size }) => n + size, 0);
  const free = ring.parts.length === 0 ? "" : `, ${countText(Math.max(0, own - ring.active))} free`;
  return [
    span(`${ring.range}  `),
    span(`${countText(ring.active)} used${free} here`),
    span(`, ${countText(ring.addresses)} in all`, "faint"),
  ];
}

const historyColumns = 16;

function trafficLine({ rates }: Known, { steps, ellipsis }: Glyphs): Line {
  const latest = rates.at(-1)?.total;
  const part = (title: string, which: "sent" | "received"): Span[] => [
    span(`${title} ${fitText(rateText(latest?.[which]), 8, ellipsis, true)} `),
    span(
      sparkline(
        rates.map(({ total }) => total?.[which]),
        historyColumns,
        steps,
      ),
      "accent",
    ),
  ];
  return [...part("out", "sent"), span("  "), ...part("in", "received")];
}
