import type { LossFields } from "../../lib/api/loss-model.ts";
import type { Picture, PictureContainer, PictureLink } from "../../lib/api/picture-models.ts";
import type { NetworkReading } from "../../lib/cli/live/network-reading.ts";
import type { ReportModel } from "../../lib/cli/report-model.ts";

/** A network as a router's readings have it, with what a test wants of it. */

export function peerName(number: number): string {
  return `00:00:00:00:00:${number.toString(16).padStart(2, "0")}`;
}

export interface SomeLink {
  readonly ends: readonly [number, number];
  readonly overlay?: "fastdp" | "sleeve";
  readonly roundTripMs?: number;
  readonly loss?: LossFields;
  readonly oneSided?: boolean;
  readonly isEncrypted?: boolean;
  /** Octets so far, each way. */
  readonly carried?: number;
  readonly since?: string;
  /** Of a link of others: the overlay that its ends tell of, as far as they do. */
  readonly told?: readonly string[];
  /** Nothing of the link is known on this host but that it is there. */
  readonly state?: string;
}

export interface SomeNetwork {
  /** Nicknames; the first is this host's. */
  readonly hosts: readonly string[];
  readonly links: readonly SomeLink[];
  /** Host → names of its containers. */
  readonly containers?: Readonly<Record<number, readonly string[]>>;
  readonly attempts?: ReadonlyArray<{ address: string; state: string; info: string }>;
  readonly missing?: ReadonlyArray<{ nickname: string; name: string; addresses: number }>;
  /** By host: the neighbour that passes frames on. */
  readonly via?: Readonly<Record<number, number>>;
  readonly unreached?: readonly number[];
  readonly encryption?: boolean;
  readonly atMs?: number;
}

export function someReading(network: SomeNetwork): NetworkReading {
  const atMs = network.atMs ?? 0;
  const clockMs = Date.UTC(2026, 0, 2, 15, 4, 5) + atMs;
  return { atMs, clockMs, picture: somePicture(network), report: someReport(network) };
}

/** Every host linked to every other. */
export function fullMesh(count: number): SomeNetwork {
  const hosts = Array.from({ length: count }, (_, at) => `host${at + 1}`);
  const links: SomeLink[] = [];
  for (let a = 1; a <= count; a++) {
    for (let b = a + 1; b <= count; b++) {
      links.push({ ends: [a, b], ...(a === 1 && { overlay: "fastdp", roundTripMs: b / 10 }) });
    }
  }
  return { hosts, links };
}

function addressOf(number: number): string {
  return `192.168.77.${number}:6783`;
}

function somePicture(network: SomeNetwork): Picture {
  const { hosts, links, containers = {}, unreached = [] } = network;
  return {
    self: peerName(1),
    version: "3.1.0",
    peers: hosts.map((nickname, at) => ({
      ...{ name: peerName(at + 1), nickname },
      reached: !unreached.includes(at + 1),
      told: null,
    })),
    links: links.map(pictureLink),
    containers: Object.entries(containers).flatMap(([host, names]) =>
      names.map((name, at): PictureContainer => {
        const address = `10.32.${host}.${at + 1}/12`;
        return {
          ...{ id: `netns:${name}`, peer: peerName(Number(host)), name, namespace: "" },
          ...{ names: [`${name}.weave.local.`], addresses: [address], labels: {} },
        };
      }),
    ),
    names: [],
    ring: {
      ...{ range: "10.32.0.0/12", addresses: 1_048_576, active: 3 },
      parts: [{ peer: peerName(1), first: "10.32.0.0", size: 524_288 }],
    },
  };
}

function pictureLink(link: SomeLink): PictureLink {
  const { ends, overlay = "", roundTripMs, oneSided = false, carried, state } = link;
  const [a, b] = ends;
  const isOwn = a === 1 || b === 1;
  const traffic =
    carried === undefined
      ? null
      : { sentPackets: 1, sentBytes: carried, receivedPackets: 1, receivedBytes: carried / 10 };
  return {
    ...{ from: peerName(a), to: peerName(b), established: state === undefined, oneSided },
    ends: endsOf(link),
    ...(isOwn && {
      own: {
        ...{ address: addressOf(a === 1 ? b : a), state: state ?? "established", overlay },
        ...{ encrypted: link.isEncrypted ?? false, mtu: 1376, roundTripMs: roundTripMs ?? null },
        ...{ since: link.since ?? null, reason: "", traffic, info: "" },
        ...{ loss: link.loss ?? null, clockOffsetMs: null },
      },
    }),
  };
}

/** Of links of this host what it says itself; of others what one end says, or each. */
function endsOf({ ends: [a, b], told = [] }: SomeLink): PictureLink["ends"] {
  if (a === 1 || b === 1) return {};
  const [from, to] = told.map((overlay) => ({
    ...{ established: true, overlay, encrypted: false, mtu: 1376, roundTripMs: 0.5 },
    ...{ traffic: null, loss: null },
  }));
  return { ...(from && { from }), ...(to && { to }) };
}

function someReport(network: SomeNetwork): ReportModel {
  const { hosts, links, attempts = [], missing = [], via = {} } = network;
  const own = links.filter(({ ends }) => ends.includes(1));
  return {
    Ready: true,
    Version: "3.1.0",
    Router: {
      ...{ ProtocolMinVersion: 1, ProtocolMaxVersion: 2, PeerDiscovery: true, Port: 6783 },
      ...{ Encryption: network.encryption ?? false, Name: peerName(1), NickName: hosts[0]! },
      ...{ Peers: [], Targets: [], TrustedSubnets: [], Refusals: [] },
      UnicastRoutes: hosts.map((_, at) => ({
        Dest: peerName(at + 1),
        Via: peerName(via[at + 1] ?? at + 1),
      })),
      Connections: [
        ...own.map(({ ends: [a, b], overlay = "", roundTripMs, state, isEncrypted }) => ({
          ...{ Address: addressOf(a === 1 ? b : a), Outbound: true, Info: "", Extensions: [] },
          ...{ State: state ?? "established", Reason: `${overlay}: the peer acknowledges it` },
          Attrs: { name: overlay, mtu: 1376, ...(isEncrypted === true && { encrypted: true }) },
          ...(roundTripMs !== undefined && { RoundTripMs: roundTripMs }),
        })),
        ...attempts.map(({ address, state, info }) => ({
          ...{ Address: address, Outbound: true, State: state, Info: info, Extensions: [] },
          ...{ Attrs: null, Remedy: "is weave running there?" },
        })),
      ],
    },
    IPAM: {
      ...{ Range: "10.32.0.0/12", RangeNumIPs: 1_048_576, ActiveIPs: 3 },
      DefaultSubnet: "10.32.0.0/12",
      Entries: missing.map(({ name, nickname, addresses }) => ({
        ...{ Size: addresses, Peer: name, Nickname: nickname, IsKnownPeer: false },
      })),
    },
    DNS: { Domain: "weave.local.", Upstream: [], Address: "", TTL: 1, Entries: [] },
  };
}
