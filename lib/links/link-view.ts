import type { LinkTraffic } from "../base/overlay.ts";
import type { PeerName } from "../base/peer-name.ts";

/** What one end of a link says of it. */
export interface LinkView {
  /** The other end. */
  readonly peer: PeerName;
  readonly isEstablished: boolean;
  /** What carries frames; empty before it is chosen. */
  readonly overlay: string;
  readonly isEncrypted: boolean;
  /** Octets of a packet. */
  readonly mtu: number | undefined;
  readonly roundTripMs: number | undefined;
  /** Since the link was established; undefined where nothing counts. */
  readonly traffic: LinkTraffic | undefined;
  /** Of the last minute, to and from the other end; undefined where the two have nothing to compare. */
  readonly loss: { readonly to: Lost; readonly from: Lost } | undefined;
}

/** Frames that were sent, and those of them that did not arrive. */
export interface Lost {
  readonly frames: number;
  readonly lost: number;
}

/** What a peer says of all its links at one moment. */
export interface LinkSummary {
  /** Milliseconds on a clock of the peer's own that never goes back: who wants rates reads twice. */
  readonly countedMs: number;
  readonly links: readonly LinkView[];
}

/** Links of one summary: more than a peer has with the usual limit. */
export const linksMax = 256;

/** Those that are told where there are too many: what carries most. */
export function mostUsed(links: readonly LinkView[]): readonly LinkView[] {
  if (links.length <= linksMax) return links;
  return links.toSorted((a, b) => carried(b) - carried(a)).slice(0, linksMax);
}

function carried({ traffic }: LinkView): number {
  return traffic === undefined ? 0 : traffic.sentBytes + traffic.receivedBytes;
}

const mtuMax = 65_535;
const roundTripMaxMs = 3_600_000;
/** It is shown on terminals. */
const overlayName = /^[A-Za-z0-9_-]{0,32}$/;

/** Whether its end can have meant it. */
export function isPlausible({ overlay, mtu = 0, roundTripMs = 0, loss }: LinkView): boolean {
  const ways = loss === undefined ? [] : [loss.to, loss.from];
  return (
    overlayName.test(overlay) &&
    mtu <= mtuMax &&
    roundTripMs <= roundTripMaxMs &&
    ways.every(({ frames, lost }) => lost <= frames)
  );
}
