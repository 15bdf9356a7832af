import { shareText } from "../../base/share-text.ts";
import type { ClusterFacts, ConnectionFact, Facts, PathFact } from "../facts.ts";
import { type Finding, finding } from "../finding.ts";
import { hostOf, isByIpv6, labelOf, peerLabel, peerWord } from "../labels.ts";
import { shellLine } from "../shell-words.ts";
import { nameCollision } from "./identity.ts";

/** What VXLAN puts around a frame: Ethernet, IPv4, UDP and its own header. */
export const vxlanOverhead = 14 + 20 + 8 + 8;

/** More than any encapsulation of ours adds, with any cipher. */
const overheadMax = 128;

const etherMtu = 1500;

/** Within so long of a change of overlay its reasons and sizes may be those of a moment. */
const settlingMs = 5_000;

/** Of fewer frames a share is chance; a smaller one is what networks are like. */
const tellingFrames = 1000;
const tellingLoss = 0.01;

/** Hosts in one sentence. */
const namedMax = 3;

/** The links of this router, and the peers that no link leads to. */
export function checkLinks(facts: Facts): Finding[] {
  const { cluster } = facts;
  if (cluster === undefined) return [];
  return [
    ...cluster.mesh.connections.flatMap((connection) => linkFindings(facts, connection)),
    ...oneWayStrangers(facts),
    ...unreachable(cluster),
  ];
}

/** What is wrong with one connection, or with the attempt to make it. */
export function linkFindings(facts: Facts, connection: ConnectionFact): Finding[] {
  const { state, error } = connection;
  if (error !== undefined) {
    return isBeyondUs(facts, connection, error) ? [] : [failed(facts, connection, error)];
  }
  if (state === "pending") return [pending(connection)];
  if (state !== "established") return [];
  const loses = losing(facts, connection);
  if (isSettling(facts, connection)) return loses;
  return [...loses, ...mtuFindings(facts, connection), ...degraded(connection)];
}

/** It is not known yet what carries frames best, and how large they may be. */
function isSettling({ cluster }: Facts, { sinceMs }: ConnectionFact): boolean {
  return sinceMs !== undefined && (cluster?.nowMs ?? 0) - sinceMs < settlingMs;
}

/**
 * An address by which others reach a peer, of a family in which this host reaches nobody: no fault
 * of any of them, for frames go through others. Whoever is not reached at all is named for that.
 */
function isBeyondUs(
  { cluster }: Facts,
  { address }: ConnectionFact,
  { code }: NonNullable<ConnectionFact["error"]>,
): boolean {
  const isWanted = cluster?.mesh.targets.some((target) => hostOf(target) === hostOf(address));
  return !isWanted && unreachableFamily.has(code);
}

const unreachableFamily: ReadonlySet<string> = new Set(
  ["ENETUNREACH", "EADDRNOTAVAIL", "EAFNOSUPPORT"].map((name) => `TCP_${name}`),
);

function failed(
  facts: Facts,
  { address }: ConnectionFact,
  error: NonNullable<ConnectionFact["error"]>,
): Finding {
  if (error.code === "NAME_COLLISION") return nameCollision(facts, address, error.text);
  if (facts.host.halfOpen.includes(hostOf(address))) return oneWay(address);
  const first = error.remedy ?? "run 'weave doctor' on that host";
  return finding("LINK_FAILED", address, `no connection to ${address}: ${error.text}`, {
    remedy: `${first}; forget the host if it is gone for good`,
    commands: [shellLine("weave", "forget", targetOf(facts, address))],
  });
}

/** The attempt of the other end to connect says more than that ours failed. */
function oneWay(address: string): Finding {
  return heardOnly(address, [hostOf(address)]);
}

/** Hosts that nobody here has asked for: those that named this one when they were launched. */
export function oneWayStrangers({ host, cluster }: Facts): Finding[] {
  const known = new Set(cluster?.mesh.connections.map(({ address }) => hostOf(address)));
  const strangers = host.halfOpen.filter((each) => !known.has(each));
  return strangers.length === 0 ? [] : [heardOnly(strangers[0]!, strangers)];
}

/** @param hosts at least one; of very many, as forged packets make, a few are named */
function heardOnly(about: string, hosts: readonly string[]): Finding {
  const [first] = hosts;
  const more = hosts.length > namedMax ? ` and ${hosts.length - namedMax} others` : "";
  const who = `${hosts.slice(0, namedMax).join(", ")}${more}`;
  const sentence = `packets of ${who} arrive here, but none of this host's arrive there: connections begin and the answer is not heard`;
  return finding("LINK_ONE_WAY", about, sentence, {
    commands: [shellLine("ip", "route", "get", first!), shellLine("tracepath", "-n", first!)],
  });
}

/** A target has the port only where it is not the router's own. */
function targetOf({ setup }: Facts, address: string): string {
  const own = `:${setup.port}`;
  return address.endsWith(own) ? hostOf(address) : address;
}

function pending({ peer, address }: ConnectionFact): Finding {
  const who = peer === undefined ? address : peerLabel(peer);
  return finding("LINK_PENDING", who, `frames do not get through to ${who} at ${address} by UDP`);
}

function losing({ cluster }: Facts, { address, peer, loss }: ConnectionFact): Finding[] {
  if (loss === undefined || peer === undefined) return [];
  const who = peerLabel(peer);
  const { to, from } = loss.recent;
  const path = cluster?.paths.find(({ remote }) => remote === hostOf(address));
  const ways = [
    { tally: to, way: `to ${who}` },
    { tally: from, way: `from ${who}` },
  ].filter(({ tally: { frames, lost } }) => frames >= tellingFrames && lost > tellingLoss * frames);
  if (ways.length === 0) return [];
  const shares = ways.map(
    ({ tally: { frames, lost }, way }) => `${shareText(lost / frames)} of ${frames} frames ${way}`,
  );
  return [
    finding("LINK_LOSES", who, `${shares.join(" and ")} got lost within the last minute`, {
      commands: path ? [shellLine("ip", "-s", "link", "show", "dev", path.device)] : [],
    }),
  ];
}

function degraded(connection: ConnectionFact): Finding[] {
  const { degraded: isDegraded, peer, attributes, reason, address } = connection;
  // By IPv6 there is no better overlay to be had.
  if (isDegraded !== true || peer === undefined || isByIpv6(address)) return [];
  const who = peerLabel(peer);
  const overlay = String(attributes?.name ?? "");
  const why = reason?.split("; ").slice(1).join("; ") ?? "";
  return [
    finding("LINK_DEGRADED", who, `frames to ${who} take ${overlay}: ${why}`, {
      remedy: `run 'weave doctor' on ${peer.nickname || peer.name} too, and open the UDP port of the fast datapath between both`,
    }),
  ];
}

/** Where packets to a peer shrink: at our own device, or somewhere behind it. */
function mtuFindings({ cluster, host, setup }: Facts, connection: ConnectionFact): Finding[] {
  const { address, peer } = connection;
  const path = cluster?.paths.find(({ remote }) => remote === hostOf(address));
  if (path === undefined || peer === undefined) return [];
  const who = peerLabel(peer);
  const device = host.devices.find(({ name }) => name === path.device);
  const bridge = host.devices.find(({ name }) => name === setup.bridge);
  const needed = (bridge?.mtu ?? 0) + vxlanOverhead;
  const mayTunnel = host.datapath.backend !== undefined && !isByIpv6(address);
  const isTooSmall = mayTunnel && (device?.mtu ?? needed) < needed;
  if (isTooSmall && connection.degraded === true) {
    const mtu = Math.max(needed, etherMtu);
    const sentence = `${path.device}, towards ${who}, has MTU ${device?.mtu}: the fast datapath needs ${needed}`;
    return [
      finding("UNDERLAY_MTU", path.device, sentence, {
        commands: [shellLine("ip", "link", "set", "dev", path.device, "mtu", mtu)],
      }),
    ];
  }
  return shrunk(path, who, connection.attributes, bridge?.mtu ?? 0);
}

/** What containers may send at most is no fault of the path. */
function shrunk(
  path: PathFact,
  who: string,
  attributes: ConnectionFact["attributes"],
  bridgeMtu: number,
): Finding[] {
  const inner = attributes?.mtu;
  if (typeof inner !== "number" || inner >= bridgeMtu || inner + overheadMax >= path.mtu) return [];
  const sentence = `on the way to ${who} packets shrink: containers' of ${inner} octets pass whole, though ${path.device} takes ${path.mtu}`;
  return [
    finding("PATH_MTU_SMALL", who, sentence, {
      commands: [shellLine("tracepath", "-n", path.remote)],
    }),
  ];
}

/** Known, and no chain of established links leads there. */
function unreachable({ mesh }: ClusterFacts): Finding[] {
  const reached = new Set(mesh.unicastRoutes.map(({ dest }) => dest));
  const pendingTo = new Set(mesh.connections.map(({ peer }) => peer?.name));
  return mesh.peers
    .filter(({ name }) => name !== mesh.name && !reached.has(name) && !pendingTo.has(name))
    .map((peer) => unreachablePeer(mesh, peer.name));
}

/** With the address at which another peer knows it, where one does. */
export function unreachablePeer(mesh: ClusterFacts["mesh"], name: string): Finding {
  const label = labelOf(mesh, name);
  const known = mesh.peers
    .flatMap(({ connections }) => connections)
    .find((link) => link.name === name);
  return finding("PEER_UNREACHABLE", label, `no established connections lead to ${label}`, {
    commands: known === undefined ? [] : [shellLine("weave", "connect", hostOf(known.address))],
    ...(known === undefined && { remedy: `run 'weave doctor' on ${peerWord(mesh, name)}` }),
  });
}
