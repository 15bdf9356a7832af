import { differences, linkFacts } from "../../api/link-ends.ts";
import { byNumber } from "../live/by-number.ts";
import { missingHosts } from "../live/missing-hosts.ts";
import type { NetworkReading } from "../live/network-reading.ts";
import { ownLinks } from "../live/own-links.ts";
import type { Island, MapHost, MapLink, NetworkMap } from "./map-graph.ts";
import { mapProblems } from "./map-problems.ts";

/** What a reading has of the whole network. */
export function networkMap(reading: NetworkReading): NetworkMap {
  const { picture, report } = reading;
  const hosts = mapHosts(reading);
  const links = mapLinks(reading);
  const missing = missingHosts(reading);
  return {
    islands: islandsOf(hosts, links),
    missing,
    problems: mapProblems(picture, ownLinks(reading), { hosts, links, missing }),
    isEncrypted: report.Router.Encryption,
  };
}

function mapHosts({ picture, report }: NetworkReading): MapHost[] {
  const { peers, self, containers } = picture;
  const nicknames = new Map(peers.map(({ name, nickname }) => [name, nickname]));
  const next = new Map(report.Router.UnicastRoutes.map(({ Dest, Via }) => [Dest, Via]));
  const byHost = Map.groupBy(containers, ({ peer }) => peer);
  const hosts = peers.map(({ name, nickname, reached }): MapHost => {
    const via = next.get(name);
    const isSelf = name === self;
    const isDirect = isSelf || via === undefined || via === name;
    return {
      ...{ name, nickname, isSelf, isReached: reached },
      via: isDirect ? undefined : (nicknames.get(via) ?? via),
      containers: (byHost.get(name) ?? []).toSorted((a, b) => byNumber(a.name, b.name)),
    };
  });
  return hosts.toSorted(
    (a, b) =>
      Number(b.isSelf) - Number(a.isSelf) ||
      byNumber(a.nickname, b.nickname) ||
      byNumber(a.name, b.name),
  );
}

function mapLinks({ picture }: NetworkReading): MapLink[] {
  return picture.links.map((link) => {
    const { from, to, established, oneSided, own } = link;
    const { overlay, encrypted, roundTripMs, mtu } = linkFacts(link);
    const told = established ? (oneSided ? "one-sided" : "established") : "pending";
    const state = own !== undefined && own.state !== "established" ? own.state : told;
    return {
      ...{ from, to, state },
      ...{ overlay, isEncrypted: encrypted, roundTripMs, mtu },
      differences: differences(link),
    };
  });
}

/** Hosts that links join, in whatever state, stay together. */
function islandsOf(hosts: readonly MapHost[], links: readonly MapLink[]): Island[] {
  const neighbours = new Map<string, string[]>(hosts.map(({ name }) => [name, []]));
  for (const { from, to } of links) {
    neighbours.get(from)?.push(to);
    neighbours.get(to)?.push(from);
  }
  const islandOf = new Map<string, number>();
  let count = 0;
  for (const { name } of hosts) {
    if (islandOf.has(name)) continue;
    const queue = [name];
    for (let each = queue.pop(); each !== undefined; each = queue.pop()) {
      if (islandOf.has(each)) continue;
      islandOf.set(each, count);
      queue.push(...(neighbours.get(each) ?? []));
    }
    count++;
  }
  const islands = Array.from({ length: count }, (_, number) => ({
    hosts: hosts.filter(({ name }) => islandOf.get(name) === number),
    links: links.filter(({ from }) => islandOf.get(from) === number),
  }));
  const [ours, ...others] = islands;
  if (ours === undefined) return [];
  return [ours, ...others.toSorted((a, b) => b.hosts.length - a.hosts.length)];
}
