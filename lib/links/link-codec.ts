import { WeaveError } from "../base/errors.ts";
import { type PeerName, peerNameFromNumber } from "../base/peer-name.ts";
import { decodeGob, encodeGob, type GobValue, gob } from "../wire/gob.ts";
import { isPlausible, type LinkSummary, type LinkView, linksMax } from "./link-view.ts";

/**
 * The body of every message on channel `weave-links`, a gob stream of its own. It asks, tells, or
 * does both:
 *
 *   Links │ Clock uint       milliseconds by the sender's clock: no two of its questions are alike
 *         │ Now bool         asks: tell me at once …
 *         │ ForMs uint       … and again and again for so long
 *         │ Tells bool       whether what follows is all that the sender has
 *         │ Links slice of
 *         └─▶ Link │ Peer uint                          the other end
 *                  │ Established bool │ Overlay string │ Encrypted bool
 *                  │ MTU uint                           octets; 0: not known
 *                  │ RoundTrip uint                     microseconds; 0: not known
 *                  │ Counted bool                       whether anything counts; if so:
 *                  │ SentPackets uint     │ SentBytes uint
 *                  │ ReceivedPackets uint │ ReceivedBytes uint
 *                  │ Compared bool                      whether both ends compare what arrives; if so:
 *                  │ FramesTo uint │ LostTo uint │ FramesFrom uint │ LostFrom uint
 */
const linkType = gob.struct("Link", {
  Peer: gob.uint,
  Established: gob.bool,
  Overlay: gob.string,
  Encrypted: gob.bool,
  MTU: gob.uint,
  RoundTrip: gob.uint,
  Counted: gob.bool,
  SentPackets: gob.uint,
  SentBytes: gob.uint,
  ReceivedPackets: gob.uint,
  ReceivedBytes: gob.uint,
  Compared: gob.bool,
  FramesTo: gob.uint,
  LostTo: gob.uint,
  FramesFrom: gob.uint,
  LostFrom: gob.uint,
});

const bodyType = gob.struct("Links", {
  Clock: gob.uint,
  Now: gob.bool,
  ForMs: gob.uint,
  Tells: gob.bool,
  Links: gob.slice(linkType, { name: "Links" }),
});

/** Octets of a message: {@link linksMax} links, with room for fields of later versions. */
export const messageOctetsMax = 64 << 10;

/** Longer than anybody wants to hear without asking again. */
export const interestMaxMs = 60_000;

/** Somebody wants to hear of the links of others. */
export interface Interest {
  /** Whether to tell at once. */
  readonly isNow: boolean;
  /** For how long to tell again and again; 0: not. */
  readonly forMs: number;
}

export interface LinkMessage {
  readonly interest: Interest | undefined;
  readonly summary: LinkSummary | undefined;
}

export function encodeInterest({ isNow, forMs }: Interest, clockMs: number): Uint8Array {
  return encodeGob(bodyType, {
    ...{ Clock: Math.floor(clockMs), Now: isNow, ForMs: Math.floor(forMs) },
    ...{ Tells: false, Links: [] },
  });
}

export function encodeSummary({ countedMs, links }: LinkSummary): Uint8Array {
  return encodeGob(bodyType, {
    ...{ Clock: Math.floor(countedMs), Now: false, ForMs: 0, Tells: true },
    Links: links.map(encodeLink),
  });
}

/** @throws GobError, WeaveError `LINKS_IMPLAUSIBLE`, `PEER_NAME_RANGE` */
export function decodeLinks(payload: Uint8Array): LinkMessage {
  if (payload.length > messageOctetsMax) throw implausible(`${payload.length} octets of links`);
  const { Clock, Now, ForMs, Tells, Links } = decodeGob(bodyType, payload);
  const interest =
    Now || ForMs > 0 ? { isNow: Now, forMs: Math.min(ForMs, interestMaxMs) } : undefined;
  return { interest, summary: Tells ? { countedMs: Clock, links: readLinks(Links) } : undefined };
}

function readLinks(told: ReadonlyArray<GobValue<typeof linkType>>): LinkView[] {
  if (told.length > linksMax) throw implausible(`${told.length} links of one peer`);
  const peers = new Set<PeerName>();
  return told.map((each) => {
    const link = decodeLink(each);
    if (!isPlausible(link)) throw implausible("a link as no link can be");
    if (peers.has(link.peer)) throw implausible("two links between the same two peers");
    peers.add(link.peer);
    return link;
  });
}

function encodeLink({ traffic, loss, ...link }: LinkView): GobValue<typeof linkType> {
  return {
    ...{ Peer: link.peer, Established: link.isEstablished, Overlay: link.overlay },
    ...{ Encrypted: link.isEncrypted, MTU: link.mtu ?? 0 },
    RoundTrip: Math.round((link.roundTripMs ?? 0) * 1000),
    ...{ Counted: traffic !== undefined, SentPackets: traffic?.sentPackets ?? 0 },
    ...{ SentBytes: traffic?.sentBytes ?? 0, ReceivedPackets: traffic?.receivedPackets ?? 0 },
    ReceivedBytes: traffic?.receivedBytes ?? 0,
    ...{ Compared: loss !== undefined, FramesTo: loss?.to.frames ?? 0, LostTo: loss?.to.lost ?? 0 },
    ...{ FramesFrom: loss?.from.frames ?? 0, LostFrom: loss?.from.lost ?? 0 },
  };
}

function decodeLink(told: GobValue<typeof linkType>): LinkView {
  const { SentPackets, SentBytes, ReceivedPackets, ReceivedBytes } = told;
  return {
    ...{ peer: peerNameFromNumber(told.Peer), isEstablished: told.Established },
    ...{ overlay: told.Overlay, isEncrypted: told.Encrypted },
    mtu: told.MTU === 0 ? undefined : told.MTU,
    roundTripMs: told.RoundTrip === 0 ? undefined : told.RoundTrip / 1000,
    traffic: told.Counted
      ? {
          ...{ sentPackets: SentPackets, sentBytes: SentBytes },
          ...{ receivedPackets: ReceivedPackets, receivedBytes: ReceivedBytes },
        }
      : undefined,
    loss: told.Compared
      ? {
          to: { frames: told.FramesTo, lost: told.LostTo },
          from: { frames: told.FramesFrom, lost: told.LostFrom },
        }
      : undefined,
  };
}

function implausible(what: string): WeaveError {
  return new WeaveError("LINKS_IMPLAUSIBLE", what, {
    remedy: "see which release that host runs; what it tells of its links is not shown here",
  });
}
