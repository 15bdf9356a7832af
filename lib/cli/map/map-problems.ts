import type { Difference } from "../../api/link-ends.ts";
import type { Picture } from "../../api/picture-models.ts";
import { shellWord } from "../../diagnosis/shell-words.ts";
import type { MissingHost } from "../live/missing-hosts.ts";
import type { OwnLink } from "../live/own-links.ts";
import { countText } from "../terminal/quantities.ts";
import type { MapHost, MapLink } from "./map-graph.ts";

/** What of the network is not as it should be, a sentence each. */
export function mapProblems(
  { peers }: Picture,
  own: readonly OwnLink[],
  {
    hosts,
    links,
    missing,
  }: {
    hosts: readonly MapHost[];
    links: readonly MapLink[];
    missing: readonly MissingHost[];
  },
): string[] {
  const nicknames = new Map(peers.map(({ name, nickname }) => [name, nickname]));
  const nickname = (name: string): string => nicknames.get(name) ?? name;
  return [
    ...own.filter(({ state }) => state !== "established").map(attemptText),
    ...links
      .filter(({ state }) => state === "one-sided")
      .map(({ from, to }) => `only one of ${nickname(from)} and ${nickname(to)} has their link`),
    ...links.flatMap(({ from, to, differences }) =>
      differences.map((each) => differenceText(each, nickname(from), nickname(to))),
    ),
    ...hosts
      .filter(({ isReached }) => !isReached)
      .map((host) => `no way leads to ${host.nickname}`),
    ...missing.map(
      ({ name, nickname: called, addresses }) =>
        `${called} (${name}) is not heard of and owns ${countText(addresses)} addresses: ` +
        `'weave rmpeer ${plainWord(called) ?? name}' if it is gone for good`,
    ),
  ];
}

/** A word that a shell takes as it is; `undefined` for what somebody's nickname may have besides. */
function plainWord(word: string): string | undefined {
  return shellWord(word) === word ? word : undefined;
}

function differenceText(difference: Difference, one: string, other: string): string {
  const { what, from, to } = difference;
  if (what === "overlay") {
    return `${one} sends to ${other} by ${from}, and ${other} to ${one} by ${to}`;
  }
  if (what === "mtu") {
    return `${one} sends packets of ${from} octets to ${other}, and ${other} of ${to} to ${one}`;
  }
  const [sealing, clear] = from === "yes" ? [one, other] : [other, one];
  return `${sealing} encrypts what it sends to ${clear}, and ${clear} sends in clear`;
}

function attemptText({ nickname, address, state, reason, remedy }: OwnLink): string {
  const who = nickname === undefined ? address : `${nickname} at ${address}`;
  const why = reason === "" ? "" : `: ${reason}`;
  return `${who} ${state}${why}${remedy === undefined ? "" : `; ${remedy}`}`;
}
