import type { Bundle } from "./bundle.ts";
import type { KnownNames } from "./pseudonyms.ts";

/** Members of an event's details that name somebody. */
const detailKinds = {
  peer: "peers",
  nickname: "nicknames",
  container: "containers",
  name: "hostnames",
  namespace: "others",
  policy: "others",
} as const satisfies Readonly<Record<string, keyof KnownNames>>;

type Parts = Pick<Bundle, "report" | "events" | "history" | "policies">;

/** Names of hosts, containers and the like, wherever a bundle says what they are. */
export function namesIn({ report, events, history, policies }: Parts): KnownNames {
  const peers = report.Router.Peers ?? [];
  const entries = report.DNS?.Entries ?? [];
  const domain = (report.DNS?.Domain ?? "").replace(/\.$/, "");
  const names = {
    peers: [
      report.Router.Name,
      ...peers.flatMap(({ Name, Connections }) => [
        Name,
        ...(Connections ?? []).map((each) => each.Name),
      ]),
      ...(report.IPAM?.Entries ?? []).map(({ Peer }) => Peer),
      ...entries.map(({ Origin }) => Origin),
      ...history.topology.flatMap((each) => each.peers),
      ...history.owners.flatMap(({ from, to }) => [from ?? "", to ?? ""]),
      ...history.gossip.flatMap(({ neighbour, origin }) => [neighbour, origin ?? ""]),
    ],
    nicknames: [report.Router.NickName, ...peers.map(({ NickName }) => NickName)],
    hostnames: entries.map(({ Hostname }) => Hostname),
    containers: entries.map(({ ContainerID }) => ContainerID),
    others: [
      ...policies.flatMap(({ namespace, name }) => [namespace, name]),
      ...(domain === "" || domain === "weave.local" ? [] : [domain]),
    ],
  };
  for (const { kind, details } of events) {
    for (const [member, where] of Object.entries(detailKinds)) {
      const name = details[member];
      if (typeof name !== "string") continue;
      const isRouter = kind === "router.started" && member === "name";
      names[isRouter ? "peers" : where].push(name);
    }
    if (kind === "policy.cut") names.others.push(...namesInFlows(details.flows));
  }
  return {
    ...names,
    peers: names.peers.filter((name) => name !== ""),
    hostnames: names.hostnames.map((name) => withoutDomain(name, domain)),
    containers: names.containers.filter((ident) => !ident.startsWith("weave:")),
  };
}

/** Namespaces and names of `TCP shop/web to shop/db:5432`. */
function namesInFlows(flows: unknown): string[] {
  const texts = Array.isArray(flows) ? flows.filter((each) => typeof each === "string") : [];
  return texts.flatMap((text) =>
    [...text.matchAll(/([^\s/]+)\/([^\s/:]+)/g)].flatMap(([, namespace, name]) => [
      namespace!,
      name!,
    ]),
  );
}

/** `web` of `web.weave.local.`. */
function withoutDomain(hostname: string, domain: string): string {
  const bare = hostname.replace(/\.$/, "");
  return bare.endsWith(`.${domain}`) ? bare.slice(0, -domain.length - 1) : bare;
}
