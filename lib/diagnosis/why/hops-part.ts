import { formatIp, tryParseIp } from "../../base/ip.ts";
import type { PeerGraph } from "../../base/peer-graph.ts";
import { unicastRoutes } from "../../base/peer-graph.ts";
import { formatPeerName, noPeer, type PeerName, parsePeerName } from "../../base/peer-name.ts";
import { underlayFindings } from "../doctor/firewall.ts";
import { linkFindings, oneWayStrangers, unreachablePeer } from "../doctor/links.ts";
import type { ConnectionFact, Facts, MeshFacts, PathFact } from "../facts.ts";
import type { Finding } from "../finding.ts";
import { hostOf, labelOf } from "../labels.ts";
import { ago } from "./ago.ts";
import { detailsOf, type Part, type Step } from "./explanation.ts";
import type { Question } from "./question.ts";

/** The part of the way between two hosts, and how it is carried as far as this host knows. */
export interface HopsPart extends Part {
  /** Of the first hop that this host has a hand in: `fastdp`, `sleeve`. */
  readonly overlay: string | undefined;
  /** Inner packets up to this size pass whole on the hops that this host knows. */
  readonly mtu: number | undefined;
  readonly hops: number;
}

/** From router to router over the topology; each passes frames on as its own walk of it says. */
export function hopsPart(question: Question, from: string, to: string): HopsPart {
  const mesh = question.facts.cluster?.mesh;
  if (mesh === undefined || from === to) return noHops([]);
  const way = wayBetween(mesh, from, to);
  if (way === undefined) {
    // The attempts to reach it tell more than that there is no way.
    const other = from === mesh.name ? to : from;
    const { facts } = question;
    return noHops([
      ...attempts(facts, other),
      ...oneWayStrangers(facts),
      unreachablePeer(mesh, other),
    ]);
  }
  const hops = way.slice(1).map((peer, at) => hop(question, way[at]!, peer));
  const known = hops.flatMap(({ connection }) => connection ?? []);
  return {
    steps: hops.map(({ step }) => step),
    findings: hops.flatMap(({ findings }) => findings),
    overlay: known
      .map(({ attributes }) => attributes?.name)
      .find((name) => name !== undefined)
      ?.toString(),
    mtu: smallest(known),
    hops: hops.length,
  };
}

function noHops(findings: readonly Finding[]): HopsPart {
  return { steps: [], findings, overlay: undefined, mtu: undefined, hops: 0 };
}

/** Everything wrong with connections to a peer, or to an address at which others know it. */
function attempts(facts: Facts, name: string): Finding[] {
  const { mesh } = facts.cluster!;
  const addresses = new Set(
    mesh.peers
      .flatMap(({ connections }) => connections)
      .filter((link) => link.name === name)
      .map(({ address }) => hostOf(address)),
  );
  return mesh.connections
    .filter(({ peer, address }) => peer?.name === name || addresses.has(hostOf(address)))
    .flatMap((connection) => [
      ...linkFindings(facts, connection),
      ...filterFindings(facts, pathTo(facts, connection)),
    ]);
}

/** The peers on the way, both ends included; `undefined` when there is none. */
function wayBetween(mesh: MeshFacts, from: string, to: string): string[] | undefined {
  const graph = establishedGraph(mesh);
  const goal = parsePeerName(to);
  const way = [parsePeerName(from)];
  // Every peer computes its own first hop: on equal data the way ends after as many steps as peers.
  for (const _ of mesh.peers) {
    const here = way.at(-1)!;
    if (here === goal) return way.map(formatPeerName);
    const next = unicastRoutes(graph, here).get(goal);
    if (next === undefined || next === noPeer) return undefined;
    way.push(next);
  }
  return way.at(-1) === goal ? way.map(formatPeerName) : undefined;
}

/** Links that both ends call established: the ones that packets take. */
function establishedGraph({ peers }: MeshFacts): PeerGraph {
  const claims = new Map(
    peers.map(({ name, connections }) => [
      name,
      new Set(connections.filter(({ established }) => established).map((link) => link.name)),
    ]),
  );
  return {
    neighbours(peer: PeerName) {
      const name = formatPeerName(peer);
      return [...(claims.get(name) ?? [])]
        .filter((other) => claims.get(other)?.has(name) === true)
        .map(parsePeerName);
    },
  };
}

interface Hop {
  readonly step: Step;
  readonly findings: readonly Finding[];
  /** Missing for a link between two others. */
  readonly connection: ConnectionFact | undefined;
}

function hop(question: Question, from: string, to: string): Hop {
  const { facts } = question;
  const { mesh } = facts.cluster!;
  const title = `${shortLabel(mesh, from)} → ${shortLabel(mesh, to)}`;
  const other = from === mesh.name ? to : to === mesh.name ? from : undefined;
  const connection = mesh.connections.find(
    ({ peer }) => other !== undefined && peer?.name === other,
  );
  if (connection === undefined) {
    const link = mesh.peers
      .find(({ name }) => name === from)
      ?.connections.find(({ name }) => name === to);
    const seen = `by ${shortLabel(mesh, from)} and ${shortLabel(mesh, to)} alone`;
    const details = detailsOf({ address: link?.address, overlay: `known ${seen}` });
    return { step: { kind: "hop", title, details }, findings: [], connection };
  }
  const path = pathTo(facts, connection);
  return {
    step: { kind: "hop", title, details: hopDetails(question, connection, path) },
    findings: [...linkFindings(facts, connection), ...filterFindings(facts, path)],
    connection,
  };
}

function hopDetails({ facts }: Question, connection: ConnectionFact, path: PathFact | undefined) {
  const { attributes, address, reason, sinceMs } = connection;
  const overlay = String(attributes?.name ?? "none");
  const { backend } = facts.host.datapath;
  const kernel = overlay === "fastdp" && backend !== undefined ? `, ${backend} in the kernel` : "";
  return detailsOf({
    address,
    overlay: `${overlay}${kernel}`,
    reason,
    cipher: cipherText(attributes, overlay),
    mtu:
      attributes?.mtu === undefined ? undefined : `packets of ${attributes.mtu} octets pass whole`,
    underlay: path && underlayText(path),
    filter: path && (filterFindings(facts, path).length === 0 ? "lets routers talk" : "see below"),
    lost: lossText(connection.loss),
    since: sinceMs === undefined ? undefined : sinceText(sinceMs, facts.cluster!.nowMs),
  });
}

/** `undefined` while nothing is known to have got lost. */
function lossText(loss: ConnectionFact["loss"]): string | undefined {
  if (loss === undefined || loss.recent.to.lost + loss.recent.from.lost === 0) return undefined;
  const [to, from] = [loss.recent.to, loss.recent.from].map(
    ({ frames, lost }) => `${lost} of ${frames} frames`,
  );
  return `${to} sent, ${from} received, within the last minute`;
}

function sinceText(sinceMs: number, nowMs: number): string {
  return `${new Date(sinceMs).toISOString().replace(/\.\d+Z$/, "Z")}, ${ago(sinceMs, nowMs)}`;
}

function cipherText(attributes: ConnectionFact["attributes"], overlay: string): string {
  if (attributes?.encrypted !== true) return "none, frames travel in clear";
  return attributes.seal === undefined ? `ESP of the kernel (${overlay})` : String(attributes.seal);
}

function underlayText({ device, mtu, gateway }: PathFact): string {
  const via = gateway === undefined ? "" : ` via ${formatIp(gateway)}`;
  return `over ${device}${via}, MTU ${mtu}`;
}

function pathTo({ cluster }: Facts, { address }: ConnectionFact): PathFact | undefined {
  return cluster?.paths.find(({ remote }) => remote === hostOf(address));
}

function filterFindings(facts: Facts, path: PathFact | undefined): Finding[] {
  const address = path && tryParseIp(path.remote);
  if (path === undefined || address === undefined) return [];
  return underlayFindings(facts, { address, device: path.device });
}

function smallest(connections: readonly ConnectionFact[]): number | undefined {
  const sizes = connections.flatMap(({ attributes }) =>
    typeof attributes?.mtu === "number" ? [attributes.mtu] : [],
  );
  return sizes.length === 0 ? undefined : Math.min(...sizes);
}

function shortLabel(mesh: MeshFacts, name: string): string {
  const nickname = mesh.peers.find((peer) => peer.name === name)?.nickname ?? "";
  return nickname === "" ? labelOf(mesh, name) : nickname;
}
