import {
  cidrContains,
  equalIp,
  formatIp,
  formatIpv4,
  type IpAddress,
  type Ipv4,
  tryParseIp,
  tryParseIpv4,
} from "../../base/ip.ts";
import type { ContainerFacts } from "../facts.ts";
import { type Finding, finding } from "../finding.ts";
import { hostOf } from "../labels.ts";
import { shellLine } from "../shell-words.ts";
import type { NameFact, Question, Word } from "./question.ts";

/** Where something is that a user names. */
export type Place = ContainerPlace | BridgePlace | RemotePlace | PeerPlace | NowherePlace;

export interface ContainerPlace {
  readonly kind: "container";
  readonly label: string;
  readonly container: ContainerFacts;
  /** The one asked for, else its first. */
  readonly address: IpAddress | undefined;
}

/** This host, as containers see it. */
export interface BridgePlace {
  readonly kind: "bridge";
  readonly label: string;
  readonly address: IpAddress | undefined;
}

/** A container of another host, of which its address is known. */
export interface RemotePlace {
  readonly kind: "remote";
  readonly label: string;
  readonly address: IpAddress;
  readonly peer: string;
  /** How it is known that the address is there. */
  readonly because: string;
}

/** A router. */
export interface PeerPlace {
  readonly kind: "peer";
  readonly label: string;
  readonly peer: string;
  readonly address: undefined;
}

export interface NowherePlace {
  readonly kind: "nowhere";
  readonly label: string;
  readonly address: undefined;
  readonly finding: Finding;
}

function nowhere(label: string, because: string): NowherePlace {
  const unknown = finding("ADDRESS_UNKNOWN", label, because);
  return { kind: "nowhere", label, address: undefined, finding: unknown };
}

const bridgeWord = "weave:expose";

/** What a word means: a container of this host, an address, a peer, a name; in this order. */
export function placeOf(question: Question, word: Word): Place {
  const { text, ident } = word;
  const address = tryParseIp(text);
  return (
    containerPlace(question, ident) ??
    (text === bridgeWord ? bridgePlace(question) : undefined) ??
    (address && addressPlace(question, address, text)) ??
    peerPlace(question, text) ??
    namePlace(question, text) ??
    nowhere(text, `${text} is no container, address, peer or name that is known here`)
  );
}

/** The peer at which it is; ours for what is on this host. */
export function peerOf(question: Question, place: Exclude<Place, NowherePlace>): string {
  const self = question.facts.cluster?.mesh.name ?? "";
  return place.kind === "remote" || place.kind === "peer" ? place.peer : self;
}

function containerPlace({ facts }: Question, ident: string | undefined): Place | undefined {
  if (ident === undefined) return undefined;
  const container = facts.containers.find((each) => each.ident === ident);
  if (container === undefined) return detachedPlace(ident);
  const [first] = [...container.addresses, ...container.held];
  return { kind: "container", label: ident, container, address: first?.address };
}

function detachedPlace(ident: string): NowherePlace {
  const detached = finding("CONTAINER_DETACHED", ident, `${ident} is not attached`, {
    remedy: "attach it",
    commands: [shellLine("weave", "attach", ident)],
  });
  return { kind: "nowhere", label: ident, address: undefined, finding: detached };
}

function bridgePlace({ exposed, facts }: Question): Place {
  const label = `the bridge ${facts.setup.bridge} of this host`;
  return { kind: "bridge", label, address: exposed[0]?.address };
}

function addressPlace(question: Question, address: IpAddress, word: string): Place {
  const { facts, exposed } = question;
  const container = facts.containers.find(({ addresses, held }) =>
    [...addresses, ...held].some((each) => equalIp(each.address, address)),
  );
  if (container !== undefined) {
    return { kind: "container", label: `${word} (${container.ident})`, container, address };
  }
  if (exposed.some((each) => equalIp(each.address, address))) {
    return { kind: "bridge", label: `${word} (the bridge of this host)`, address };
  }
  return (
    peerAt(question, word) ??
    remotePlace(question, address, word) ??
    nowhere(word, `nobody that is known here has ${word}`)
  );
}

function remotePlace(question: Question, address: IpAddress, label: string): Place | undefined {
  const self = question.facts.cluster?.mesh.name;
  const found =
    namedOwner(question, address) ?? seenOwner(question, address) ?? rangeOwner(question, address);
  if (found === undefined) return undefined;
  if (found.peer !== self) return { kind: "remote", label, address, ...found };
  return nowhere(label, `${label} is this host's to give out, and no container here has it`);
}

type Owner = Pick<RemotePlace, "peer" | "because">;

function namedOwner({ names }: Question, address: IpAddress): Owner | undefined {
  const name = names.find((each) => address.family === 4 && each.address === address.value);
  return name && { peer: name.origin, because: `it registered ${name.hostname}` };
}

/** By what containers of this host have been told of the address, and where such frames came from. */
function seenOwner({ facts, macs }: Question, address: IpAddress): Owner | undefined {
  const mac = facts.containers
    .flatMap(({ neighbours }) => neighbours)
    .find((each) => equalIp(each.address, address) && each.mac !== "")?.mac;
  const seen = macs.find((each) => each.mac === mac);
  return (
    seen && { peer: seen.peer, because: `frames of ${seen.mac}, which has it, come from there` }
  );
}

function rangeOwner({ ranges, facts }: Question, address: IpAddress): Owner | undefined {
  const { range } = facts.setup;
  if (address.family !== 4 || range?.address.family !== 4) return undefined;
  if (!cidrContains(range, address)) return undefined;
  const universeSize = 2 ** (32 - range.prefix);
  const isIn = (first: Ipv4, size: number): boolean =>
    (address.value - first + universeSize) % universeSize < size;
  const owner = ranges.find(({ first, size }) => isIn(first, size));
  return owner && { peer: owner.peer, because: "it gives this address out" };
}

/** A router by the address at which this host reaches it. */
function peerAt({ facts }: Question, word: string): Place | undefined {
  const connection = facts.cluster?.mesh.connections.find(
    ({ address }) => hostOf(address) === word,
  );
  const peer = connection?.peer;
  if (peer === undefined) return undefined;
  return { kind: "peer", label: peer.nickname || peer.name, peer: peer.name, address: undefined };
}

function peerPlace(question: Question, word: string): Place | undefined {
  const peers = question.facts.cluster?.mesh.peers ?? [];
  const found =
    peers.find(({ name }) => name === word) ?? peers.find(({ nickname }) => nickname === word);
  if (found === undefined) return peerAt(question, word);
  return {
    kind: "peer",
    label: found.nickname || found.name,
    peer: found.name,
    address: undefined,
  };
}

function namePlace(question: Question, word: string): Place | undefined {
  const [first] = namesLike(question, word);
  if (first === undefined) return undefined;
  const shown = formatIpv4(first.address);
  return addressPlace(question, { family: 4, value: first.address }, shown);
}

/** Entries of a name, short or full. */
export function namesLike({ names }: Pick<Question, "names">, word: string): NameFact[] {
  const wanted = word.replace(/\.$/, "").toLowerCase();
  return names.filter(({ hostname }) => {
    const name = hostname.replace(/\.$/, "").toLowerCase();
    return name === wanted || (!wanted.includes(".") && name.split(".")[0] === wanted);
  });
}

/** Names of an address. */
export function namesOf({ names }: Pick<Question, "names">, address: IpAddress): NameFact[] {
  const shown = formatIp(address);
  return names.filter((each) => each.address === tryParseIpv4(shown));
}
