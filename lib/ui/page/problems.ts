import type { EventModel } from "../../api/event-models.ts";
import type { Picture } from "../../api/picture-models.ts";
import type { Finding, Severity } from "../../diagnosis/finding.ts";
import { containerKey, linkKey, nameKey, peerKey, titleOfPeer } from "./things.ts";

/** Something that is wrong, or that may be: what it is, and what to do. */
export interface Problem {
  readonly severity: Severity;
  /** As `weave doctor` has it, or the kind of an event. */
  readonly code: string;
  readonly sentence: string;
  readonly remedy: string;
  readonly commands: readonly string[];
  /** Keys of what it is about, what is most particular first. */
  readonly about: readonly string[];
}

/** Of events, those of the last so many minutes. */
const recentMs = 10 * 60_000;

/**
 * What is wrong, the worst first: what the doctor found on the host that serves the page, what the
 * picture shows of other hosts, and what events tell that neither of them knows any more.
 *
 * @param nowMs since 1970
 */
export function problemsOf(
  picture: Picture,
  findings: readonly Finding[],
  events: readonly EventModel[],
  nowMs: number,
): Problem[] {
  const found = findings.map((finding): Problem => {
    const { severity, code, sentence, remedy, commands } = finding;
    return { severity, code, sentence, remedy, commands, about: aboutOf(finding, picture) };
  });
  const known = new Set(found.flatMap(({ about }) => about));
  const named = new Set(findings.map(({ code, about }) => `${code} ${about}`));
  const isNews = ({ at, details }: EventModel): boolean =>
    nowMs - Date.parse(at) < recentMs && !named.has(`POLICY_BLOCKS ${String(details.policy)}`);
  const others = [...oneSidedLinks(picture), ...told(picture, events.filter(isNews))].filter(
    ({ about }) => !about.some((key) => known.has(key)),
  );
  return [...found, ...others].sort(
    (a, b) => order.indexOf(a.severity) - order.indexOf(b.severity),
  );
}

const order: readonly Severity[] = ["error", "warning", "note"];

/**
 * What a finding is about, where that is to be seen: nothing for a peer that is gone, and for what is
 * no peer, link or container the host that it was found on.
 */
function aboutOf({ about, sentence }: Finding, picture: Picture): string[] {
  const { peers, links, containers, names, self } = picture;
  const has = (word: string): boolean => word !== "" && hasWord(about, word);
  const link = links.find(({ own }) => own !== undefined && has(hostOf(own.address)));
  const other = link && (link.from === self ? link.to : link.from);
  const named = peers.filter(({ name, nickname }) => has(name) || about === nickname);
  const inside = containers.filter(
    ({ id, addresses }) =>
      has(id) || addresses.some((each) => hasWord(`${about} ${sentence}`, bare(each))),
  );
  const keys = [
    ...inside.map(containerKey),
    ...names.filter(({ address }) => has(address)).map(nameKey),
    ...(link === undefined ? [] : [linkKey(link)]),
    ...named.map(({ name }) => peerKey(name)),
    ...(other === undefined ? [] : [peerKey(other)]),
  ];
  if (keys.length > 0) return [...new Set(keys)];
  return peerName.test(about) ? [] : [peerKey(self)];
}

const peerName = /\b([0-9a-f]{2}:){5}[0-9a-f]{2}\b/;

/** Not as a part of a longer word: 10.32.0.1 is not in 10.32.0.12. */
function hasWord(text: string, word: string): boolean {
  for (let at = text.indexOf(word); at >= 0; at = text.indexOf(word, at + 1)) {
    const goesOn = /^\.?\w/.test(text.slice(at + word.length));
    if (!goesOn && !/[\w.]/.test(text[at - 1] ?? " ")) return true;
  }
  return false;
}

function bare(address: string): string {
  return address.split("/")[0]!;
}

function hostOf(address: string): string {
  return address.replace(/:\d+$/, "");
}

/** Links of others; of its own a host knows more. */
function oneSidedLinks(picture: Picture): Problem[] {
  return picture.links
    .filter(({ established, oneSided, own }) => established && oneSided && own === undefined)
    .map((link) => {
      const [from, to] = [titleOfPeer(picture, link.from), titleOfPeer(picture, link.to)];
      return {
        ...{ severity: "warning", code: "LINK_ONE_SIDED", commands: [] },
        sentence: `only one of ${from} and ${to} says that frames get through between them`,
        remedy: `run 'weave doctor' on ${from} and on ${to}`,
        about: [linkKey(link), peerKey(link.from), peerKey(link.to)],
      };
    });
}

/** @param events the latest first */
function told(picture: Picture, events: readonly EventModel[]): Problem[] {
  const latest = new Map<string, EventModel>();
  for (const event of events) {
    const subject = subjectOf(event);
    if (!latest.has(subject)) latest.set(subject, event);
  }
  return [...latest.values()].flatMap((event) => {
    if (event.kind === "policy.blocked") return blocked(picture, event);
    return ["link.lost", "gossip.refused"].includes(event.kind) ? ofPeer(picture, event) : [];
  });
}

/** Events of one subject follow from each other: of them the last one holds. */
function subjectOf({ kind, details }: EventModel): string {
  const [area] = kind.split(".");
  const word = (name: string): string => String(details[name] ?? "");
  if (kind === "policy.blocked") return `${kind} ${word("policy")}`;
  return kind === "gossip.refused"
    ? `${kind} ${word("channel")} ${word("peer")}`
    : `${area} ${word("peer")}`;
}

function ofPeer(picture: Picture, { kind, details, text }: EventModel): Problem {
  const peer = String(details.peer ?? "");
  const title = String(details.nickname ?? "") || titleOfPeer(picture, peer);
  const isLost = kind === "link.lost";
  return {
    ...{ severity: "warning", code: kind, commands: [], about: [peerKey(peer)] },
    sentence: isLost ? `the link to ${title} is lost: ${String(details.reason)}` : text,
    remedy: isLost
      ? `see whether ${title} runs, and run 'weave doctor' there`
      : `run 'weave doctor' on ${title}`,
  };
}

/** Until the doctor looks again, who then names the policy as well. */
function blocked(picture: Picture, { details }: EventModel): Problem {
  const ends = [details.source, details.destination].map(String);
  const isEnd = (address: string): boolean => ends.includes(bare(address));
  const about = picture.containers.filter(({ addresses }) => addresses.some(isEnd));
  const what = `${String(details.protocol)} from ${ends.join(" to ")}`;
  const port =
    typeof details.port === "number" ? [`${details.port}/${String(details.protocol)}`] : [];
  return {
    ...{ severity: "note", code: "POLICY_BLOCKS", about: about.map(containerKey) },
    sentence: `blocked by policy ${String(details.policy)}: ${what}`,
    remedy: "change that policy if it should pass",
    commands: [["weave policy explain", ...ends, ...port].join(" ").toLowerCase()],
  };
}
