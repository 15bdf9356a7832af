import { formatPeerName, type PeerName, parsePeerName } from "../base/peer-name.ts";
import type { LinkView } from "../links/link-view.ts";
import type { ToldSummary } from "../links/told-links.ts";
import { lossFields } from "./loss-model.ts";
import { lossReport } from "./make-router-report.ts";
import { pictureContainers, pictureNames } from "./picture-containers.ts";
import type { Picture, PictureLink, PictureLinkEnd, PicturePeer } from "./picture-models.ts";
import type { Report } from "./report.ts";
import type { ListedContainer, ToldContainer } from "./router-control.ts";
import type { ConnectionReport, PeerReport, TrafficReport } from "./router-report.ts";

type OwnTraffic = NonNullable<NonNullable<PictureLink["own"]>["traffic"]>;

/**
 * What is to be seen at a glance of the report, of this host's containers, of what all hosts tell of
 * theirs, and of what others tell of their links.
 */
export function makePicture(
  report: Report,
  here: readonly ListedContainer[],
  told: readonly ToldContainer[],
  toldLinks: readonly ToldSummary[],
): Picture {
  const { Router, IPAM } = report;
  const peers = Router.Peers ?? [];
  const reached = new Set((Router.UnicastRoutes ?? []).map(({ Dest }) => Dest));
  const summaries = new Map(toldLinks.map((each) => [formatPeerName(each.peer), each]));
  return {
    self: Router.Name,
    version: report.Version,
    peers: peers.map(
      ({ Name, NickName }): PicturePeer => ({
        ...{ name: Name, nickname: NickName },
        reached: Name === Router.Name || reached.has(Name),
        told: toldOf(summaries.get(Name)),
      }),
    ),
    links: pictureLinks(
      peers,
      Router.Name,
      Router.Connections ?? [],
      new ToldEnds(peers, toldLinks),
    ),
    containers: pictureContainers(report, here, told),
    names: pictureNames(report),
    ring:
      IPAM === undefined
        ? null
        : {
            ...{ range: IPAM.Range, addresses: IPAM.RangeNumIPs, active: IPAM.ActiveIPs },
            parts: (IPAM.Entries ?? []).map(({ Token, Size, Peer }) => ({
              ...{ peer: Peer, first: Token, size: Size },
            })),
          },
  };
}

function toldOf(summary: ToldSummary | undefined): PicturePeer["told"] {
  if (summary === undefined) return null;
  return { at: new Date(summary.atMs).toISOString(), countedMs: summary.countedMs };
}

/** What each peer but this one tells of its links. */
class ToldEnds {
  readonly #told: ReadonlyMap<string, ReadonlyMap<PeerName, LinkView>>;
  readonly #names: ReadonlyMap<string, PeerName>;

  /** Large clusters have tens of thousands: names are read once, and not written for each. */
  constructor(peers: readonly PeerReport[], told: readonly ToldSummary[]) {
    this.#names = new Map(peers.map(({ Name }) => [Name, parsePeerName(Name)]));
    this.#told = new Map(
      told.map(({ peer, links }) => [
        formatPeerName(peer),
        new Map(links.map((link) => [link.peer, link])),
      ]),
    );
  }

  find(teller: string, other: string): PictureLinkEnd | undefined {
    const name = this.#names.get(other);
    const view = name === undefined ? undefined : this.#told.get(teller)?.get(name);
    return view && endOfView(view);
  }
}

/** What is made of a view, which does not change: large clusters are looked at more often than they tell. */
const endsOfViews = new WeakMap<LinkView, PictureLinkEnd>();

function endOfView(view: LinkView): PictureLinkEnd {
  const known = endsOfViews.get(view);
  if (known !== undefined) return known;
  const end = linkEnd(view);
  endsOfViews.set(view, end);
  return end;
}

function linkEnd({ traffic, loss, ...link }: LinkView): PictureLinkEnd {
  return {
    ...{ established: link.isEstablished, overlay: link.overlay, encrypted: link.isEncrypted },
    ...{ mtu: link.mtu ?? null, roundTripMs: link.roundTripMs ?? null },
    traffic: traffic ?? null,
    loss: loss === undefined ? null : lossFields(lossReport(loss)),
  };
}

/** One for each pair, whichever of the two tells of it. */
function pictureLinks(
  peers: readonly PeerReport[],
  self: string,
  connections: readonly ConnectionReport[],
  told: ToldEnds,
): PictureLink[] {
  const found = new Map<string, PictureLink>();
  const byAddress = new Map(connections.map((each) => [each.Address, each]));
  for (const { Name, Connections } of peers) {
    for (const { Name: other, Address, Established } of Connections ?? []) {
      const [from, to] = Name < other ? [Name, other] : [other, Name];
      const before = found.get(`${from} ${to}`);
      const connection = Name === self ? byAddress.get(Address) : undefined;
      const own = connection && ownLink(connection);
      const end = own === undefined ? told.find(Name, other) : ownEnd(own);
      found.set(`${from} ${to}`, {
        ...before,
        ...{ from, to, established: Established || before?.established === true },
        oneSided: before === undefined ? Established : before.established !== Established,
        ends: { ...before?.ends, ...(end && { [from === Name ? "from" : "to"]: end }) },
        ...(own !== undefined && { own }),
      });
    }
  }
  return [...found.values()];
}

function ownLink(connection: ConnectionReport): NonNullable<PictureLink["own"]> {
  const { Address, State, Info, Attrs, RoundTripMs, Since, Reason, Traffic, Loss } = connection;
  const { ClockOffsetMs } = connection;
  const mtu = Attrs?.mtu;
  return {
    ...{ address: Address, state: State, info: Info },
    overlay: String(Attrs?.name ?? ""),
    encrypted: Attrs?.encrypted === true,
    mtu: typeof mtu === "number" ? mtu : null,
    roundTripMs: RoundTripMs ?? null,
    since: Since ?? null,
    reason: Reason ?? "",
    traffic: Traffic === undefined ? null : linkTraffic(Traffic),
    loss: Loss === undefined ? null : lossFields(Loss),
    clockOffsetMs: ClockOffsetMs ?? null,
  };
}

function ownEnd(own: NonNullable<PictureLink["own"]>): PictureLinkEnd {
  const { state, overlay, encrypted, mtu, roundTripMs, traffic, loss } = own;
  const established = state === "established";
  return { established, overlay, encrypted, mtu, roundTripMs, traffic, loss };
}

function linkTraffic(carried: TrafficReport): OwnTraffic {
  const { SentPackets, SentBytes, ReceivedPackets, ReceivedBytes } = carried;
  return {
    ...{ sentPackets: SentPackets, sentBytes: SentBytes },
    ...{ receivedPackets: ReceivedPackets, receivedBytes: ReceivedBytes },
  };
}
