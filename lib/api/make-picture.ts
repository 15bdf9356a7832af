import { shortEngineId } from "../base/engine-id.ts";
import type { Picture, PictureContainer, PictureLink, PicturePeer } from "./picture-models.ts";
import type { ConnectionReport, PeerReport, Report } from "./report.ts";
import type { ListedContainer } from "./router-control.ts";

/** What of the report and of this host's containers is to be seen at a glance. */
export function makePicture(report: Report, containers: readonly ListedContainer[]): Picture {
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
    containers: pictureContainers(report, containers),
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
        ...(own !== undefined && { own: ownLink(own) }),
      });
    }
  }
  return [...found.values()];
}

function ownLink(connection: ConnectionReport): NonNullable<PictureLink["own"]> {
  const { Address, State, Info, Attrs, RoundTripMs, Since, Reason } = connection;
  const mtu = Attrs?.mtu;
  return {
    ...{ address: Address, state: State, info: Info },
    overlay: String(Attrs?.name ?? ""),
    encrypted: Attrs?.encrypted === true,
    mtu: typeof mtu === "number" ? mtu : null,
    roundTripMs: RoundTripMs ?? null,
    since: Since ?? null,
    reason: Reason ?? "",
  };
}

function pictureContainers(
  { Router, DNS }: Report,
  here: readonly ListedContainer[],
): PictureContainer[] {
  const found = new Map<string, PictureContainer>();
  const put = (id: string, peer: string, addresses: readonly string[]): PictureContainer => {
    const key = `${peer} ${id}`;
    const before = found.get(key);
    const known = new Set(before?.addresses.map(bare));
    const all = [
      ...(before?.addresses ?? []),
      ...addresses.filter((each) => !known.has(bare(each))),
    ];
    const names = before?.names ?? [];
    const made = { id, peer, name: before?.name ?? shortId(id), names, addresses: all };
    found.set(key, made);
    return made;
  };
  for (const { ident, cidrs } of here) if (!isNobody(ident)) put(ident, Router.Name, cidrs);
  for (const { Hostname, Origin, ContainerID, Address, Tombstone } of DNS?.Entries ?? []) {
    if (Tombstone !== 0 || isNobody(ContainerID)) continue;
    const { names } = put(ContainerID, Origin, [Address]);
    if (!names.includes(Hostname)) names.push(Hostname);
  }
  return [...found.values()].map((each) => ({ ...each, name: firstName(each.names) ?? each.name }));
}

function bare(address: string): string {
  return address.split("/")[0]!;
}

function firstName(names: readonly string[]): string | undefined {
  return names[0]?.split(".")[0];
}

function shortId(id: string): string {
  return shortEngineId(id) ?? id.replace(/^.*[:/]/, "");
}

/** The router itself has the bridge's addresses, and names of what is outside. */
function isNobody(ident: string): boolean {
  return ident.startsWith("weave:");
}
