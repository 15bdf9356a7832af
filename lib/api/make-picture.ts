import { pictureContainers, pictureNames } from "./picture-containers.ts";
import type { Picture, PictureLink, PicturePeer } from "./picture-models.ts";
import type { ConnectionReport, PeerReport, Report, TrafficReport } from "./report.ts";
import type { ListedContainer, ToldContainer } from "./router-control.ts";

type OwnTraffic = NonNullable<NonNullable<PictureLink["own"]>["traffic"]>;

/**
 * What is to be seen at a glance of the report, of this host's containers, and of what all hosts tell
 * of theirs.
 */
export function makePicture(
  report: Report,
  here: readonly ListedContainer[],
  told: readonly ToldContainer[],
): Picture {
  const { Router, IPAM } = report;
  const peers = Router.Peers ?? [];
  const reached = new Set((Router.UnicastRoutes ?? []).map(({ Dest }) => Dest));
  return {
    self: Router.Name,
    version: report.Version,
    peers: peers.map(
      ({ Name, NickName }): PicturePeer => ({
        ...{ name: Name, nickname: NickName },
        reached: Name === Router.Name || reached.has(Name),
      }),
    ),
    links: pictureLinks(peers, Router.Name, Router.Connections ?? []),
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

/** One for each pair, whichever of the two tells of it. */
function pictureLinks(
  peers: readonly PeerReport[],
  self: string,
  connections: readonly ConnectionReport[],
): PictureLink[] {
  const found = new Map<string, PictureLink>();
  const byAddress = new Map(connections.map((each) => [each.Address, each]));
  for (const { Name, Connections } of peers) {
    for (const { Name: other, Address, Established } of Connections ?? []) {
      const [from, to] = Name < other ? [Name, other] : [other, Name];
      const before = found.get(`${from} ${to}`);
      const own = Name === self ? byAddress.get(Address) : undefined;
      found.set(`${from} ${to}`, {
        ...before,
        ...{ from, to, established: Established || before?.established === true },
        oneSided: before === undefined ? Established : before.established !== Established,
        ...(own !== undefined && { own: ownLink(own) }),
      });
    }
  }
  return [...found.values()];
}

function ownLink(connection: ConnectionReport): NonNullable<PictureLink["own"]> {
  const { Address, State, Info, Attrs, RoundTripMs, Since, Reason, Traffic } = connection;
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
  };
}

function linkTraffic(carried: TrafficReport): OwnTraffic {
  const { SentPackets, SentBytes, ReceivedPackets, ReceivedBytes } = carried;
  return {
    ...{ sentPackets: SentPackets, sentBytes: SentBytes },
    ...{ receivedPackets: ReceivedPackets, receivedBytes: ReceivedBytes },
  };
}
