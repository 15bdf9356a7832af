import { lossToMind, worstShare } from "../../api/loss-model.ts";
import { lostText, shareText } from "../../base/share-text.ts";
import { type OwnLink, ownLinks } from "../live/own-links.ts";
import type { Rate } from "../live/traffic-rates.ts";
import {
  rateText,
  roundTripText,
  sparkline,
  sumOfRate,
  unknownText,
} from "../terminal/quantities.ts";
import { span, type Tone } from "../terminal/spans.ts";
import type { Column } from "../terminal/table.ts";
import type { PaneRow, PaneTable } from "./pane-table.ts";
import type { Known } from "./top-state.ts";

const columns: readonly Column[] = [
  { title: "LINKS", rank: 0, leastWidth: 14 },
  { title: "STATE", rank: 0, usualWidth: 11 },
  { title: "OVERLAY", rank: 4 },
  { title: "RTT", rank: 2, isRight: true, usualWidth: 7 },
  { title: "MTU", rank: 6, isRight: true },
  { title: "CIPHER", rank: 5, usualWidth: 9 },
  { title: "OUT", rank: 1, isRight: true, usualWidth: 8 },
  { title: "IN", rank: 1, isRight: true, usualWidth: 8 },
  { title: "LOSS", rank: 7, isRight: true, usualWidth: 6 },
  { title: "TRAFFIC", rank: 8 },
  { title: "ADDRESS", rank: 9 },
];

const historyColumns = 20;

/** The links of this host, and its attempts to have more. */
export function linkPane({ reading, rates }: Known, steps: readonly string[]): PaneTable {
  if (reading === undefined) return { columns, rows: [] };
  const links = ownLinks(reading);
  const rows = links.map((link) => {
    const history = rates.map(({ byLink }) => byLink.get(link.address));
    return linkRow(link, history, steps);
  });
  return { columns, rows };
}

function linkRow(
  link: OwnLink,
  history: readonly (Rate | undefined)[],
  steps: readonly string[],
): PaneRow {
  const { address, nickname, state, overlay, isEncrypted, mtu, roundTripMs } = link;
  const name = nickname ?? address;
  const rate = history.at(-1);
  const share = worstShare(link.loss);
  const cipher = state === "established" ? (isEncrypted ? "encrypted" : "none") : unknownText;
  const bars = sparkline(history.map(sumOfRate), historyColumns, steps);
  return {
    cells: [
      span(name),
      span(state, toneOfState(state)),
      span(overlay || unknownText, toneOfOverlay(overlay)),
      span(roundTripText(roundTripMs)),
      span(mtu === undefined ? unknownText : String(mtu)),
      span(cipher),
      span(rateText(rate?.sent)),
      span(rateText(rate?.received)),
      span(
        share === undefined ? unknownText : shareText(share),
        share !== undefined && share >= lossToMind ? "warning" : undefined,
      ),
      span(bars, "accent"),
      span(address),
    ],
    keys: [
      ...[name, state, overlay, roundTripMs ?? -1, mtu ?? -1, cipher],
      ...[rate?.sent ?? -1, rate?.received ?? -1, share ?? -1, sumOfRate(rate) ?? -1, address],
    ],
    detail: [...lossDetail(link), link.reason, link.remedy ?? []].flat().join("; "),
  };
}

/** What got lost, if anything did. */
function lossDetail({ loss }: OwnLink): string[] {
  if (loss === undefined || loss.to.lost + loss.from.lost === 0) return [];
  return [`lost in ${loss.seconds} s: ${lostText(loss.to)} out, ${lostText(loss.from)} in`];
}

export function toneOfState(state: string): Tone {
  if (state === "established") return "good";
  return state === "retrying" || state === "failed" ? "bad" : "warning";
}

/** As the page paints them: what the kernel carries, and what a process does. */
export function toneOfOverlay(overlay: string): Tone | undefined {
  if (overlay === "fastdp") return "good";
  return overlay === "" ? undefined : "warning";
}
