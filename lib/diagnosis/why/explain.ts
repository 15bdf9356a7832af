import { counted } from "../../base/counted.ts";
import { formatIp, formatIpv4, type IpAddress } from "../../base/ip.ts";
import { disagreements } from "../doctor/addresses.ts";
import { linkFindings, oneWayStrangers } from "../doctor/links.ts";
import type { ContainerFacts } from "../facts.ts";
import type { Finding } from "../finding.ts";
import { hostOf, labelOf, peerWord } from "../labels.ts";
import { shellLine } from "../shell-words.ts";
import { bridgePart, containerPart, macOf } from "./container-part.ts";
import { detailsOf, type Explanation, joined, type Part, verdictOn } from "./explanation.ts";
import { type HopsPart, hopsPart } from "./hops-part.ts";
import {
  type NowherePlace,
  namesOf,
  type PeerPlace,
  type Place,
  peerOf,
  placeOf,
  type RemotePlace,
} from "./places.ts";
import { policyPart } from "./policy-part.ts";
import type { Question } from "./question.ts";

type KnownPlace = Exclude<Place, NowherePlace>;

/**
 * Follows a frame from one place to another, as far as this host can see:
 *
 *   container ─▶ its route, its neighbour entry ─▶ bridge ─▶ host ─▶ … ─▶ host ─▶ container
 *
 * Nothing is sent: what is told is what kernel and router know at the moment.
 */
export function explain(question: Question): Explanation {
  const { from: first, to: second } = question;
  const from = placeOf(question, first);
  const to = second && placeOf(question, second);
  if (from.kind === "nowhere") return nowhere(question, from);
  if (to?.kind === "nowhere") return nowhere(question, to);
  return to === undefined ? onePlace(question, from) : twoPlaces(question, from, to);
}

function nowhere(question: Question, place: NowherePlace): Explanation {
  return {
    from: question.from.text,
    to: question.to?.text ?? null,
    verdict: verdictOn([place.finding]),
    answer: place.finding.sentence,
    steps: [],
    findings: [place.finding, ...attemptsAt(question, place.label)],
  };
}

/**
 * What is not known here may be a host to which no connection comes about, or on one that is heard
 * and does not hear this one.
 */
function attemptsAt({ facts }: Question, label: string): Finding[] {
  const connections = facts.cluster?.mesh.connections ?? [];
  return [
    ...connections
      .filter(({ address }) => hostOf(address) === label)
      .flatMap((connection) => linkFindings(facts, connection)),
    ...oneWayStrangers(facts),
  ];
}

/** A container of this host for itself; what is elsewhere as seen from this host's router. */
function onePlace(question: Question, place: KnownPlace): Explanation {
  if (place.kind === "container" || place.kind === "bridge") {
    const whole = joined(
      insidePart(question, place, undefined),
      namesPart(question, place.address),
    );
    return told(question, place, undefined, whole, undefined);
  }
  const router = selfPlace(question);
  return twoPlaces(question, router, place, place.label);
}

function selfPlace({ facts }: Question): PeerPlace {
  const { name, nickname } = facts.cluster!.mesh;
  return { kind: "peer", label: nickname || name, peer: name, address: undefined };
}

function twoPlaces(
  question: Question,
  from: KnownPlace,
  to: KnownPlace,
  only: string | null = null,
): Explanation {
  const peers = [peerOf(question, from), peerOf(question, to)] as const;
  const hops = hopsPart(question, ...peers);
  const whole = joined(
    { steps: [], findings: disagreements(question.facts, (peer) => peers.includes(peer)) },
    insidePart(question, from, to.address),
    policyPart(question),
    hops,
    insidePart(question, to, from.address, from),
    namesPart(question, to.address),
  );
  return told(question, from, to, whole, hops, only);
}

/** The end of the way at one place; of another host's inside only that it cannot be seen. */
function insidePart(
  question: Question,
  place: KnownPlace,
  other: IpAddress | undefined,
  from?: KnownPlace,
): Part {
  switch (place.kind) {
    case "container": {
      const inside = containerPart(question, place.container, other);
      const sender: ContainerFacts | undefined =
        from?.kind === "container" ? from.container : place.container;
      // The bridge is the same for both containers of one host: told once, with the first.
      if (from?.kind === "container" || from?.kind === "bridge") return inside;
      const bridge = bridgePart(question, place.container, macOf(question, sender, other));
      return from === undefined ? joined(inside, bridge) : joined(bridge, inside);
    }
    case "bridge":
      return bridgePart(question, undefined, macOf(question, undefined, other));
    case "remote":
      return unseenPart(question, place, other);
    case "peer":
      return { steps: [], findings: [] };
  }
}

/** There the same is asked by addresses: what a container is called here says nothing there. */
function unseenPart(question: Question, place: RemotePlace, other: IpAddress | undefined): Part {
  const { mesh } = question.facts.cluster!;
  const { label, peer, because, address } = place;
  const isFirst = question.from.text === label;
  const ends = isFirst ? [address, other] : [other, address];
  const words = ends.flatMap((each) => (each === undefined ? [] : [formatIp(each)]));
  const details = detailsOf({
    host: `${labelOf(mesh, peer)}: ${because}`,
    inside: `cannot be seen from here; on ${peerWord(mesh, peer)} run: ${shellLine("weave", "why", ...words)}`,
  });
  return { steps: [{ kind: "unseen", title: label, details }], findings: [] };
}

function namesPart(question: Question, address: IpAddress | undefined): Part {
  const names = address === undefined ? [] : namesOf(question, address);
  if (names.length === 0) return { steps: [], findings: [] };
  const details = names.map(({ hostname, address: value, origin }) => ({
    name: hostname,
    value: `${formatIpv4(value)}, registered by ${labelOf(question.facts.cluster!.mesh, origin)}`,
  }));
  return { steps: [{ kind: "names", title: "names", details }], findings: [] };
}

function told(
  question: Question,
  from: KnownPlace,
  to: KnownPlace | undefined,
  { steps, findings }: Part,
  hops: HopsPart | undefined,
  only: string | null = null,
): Explanation {
  const verdict = verdictOn(findings);
  const way = to === undefined ? from.label : `${from.label} to ${to.label}`;
  const carried = hops === undefined ? "" : carriedText(hops);
  const worst: Finding | undefined = findings[0];
  const answers = {
    whole: `${way}: nothing found in the way${carried}`,
    degraded: `${way}: there is a way${carried}, but ${worst?.sentence}`,
    broken: `${way}: broken, for ${worst?.sentence}`,
  };
  return {
    from: only === null ? question.from.text : from.label,
    to: only ?? question.to?.text ?? null,
    verdict,
    answer: answers[verdict],
    steps,
    findings,
  };
}

/** `, by fastdp over 1 hop, packets up to 1376 octets`. */
function carriedText({ overlay, hops, mtu }: HopsPart): string {
  if (hops === 0) return ", within this host";
  const by = overlay === undefined ? "" : `, by ${overlay}`;
  const size = mtu === undefined ? "" : `, packets up to ${mtu} octets`;
  return `${by} over ${counted(hops, "hop")}${size}`;
}
