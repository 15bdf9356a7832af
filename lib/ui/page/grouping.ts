import type { Picture, PictureContainer, PicturePeer } from "../../api/picture-models.ts";
import { type HostClock, hostClocks } from "./host-clocks.ts";
import { containerKey, type Health, peerKey, peerTitle } from "./things.ts";

/** By what containers stand together. */
const plainGroupings = ["host", "subnet", "name", "namespace"] as const;
const labelPrefix = "label ";

/** The latter with the label's key behind it. */
export type Grouping = (typeof plainGroupings)[number] | `${typeof labelPrefix}${string}`;

/** Keys of labels that may be chosen, those that most containers have. */
const labelKeysMax = 40;

/** What there is to choose from in a picture; `by` stays among it, also when nothing has it now. */
export function groupingsOf({ containers }: Picture, by: Grouping): Grouping[] {
  const counts = new Map<string, number>();
  for (const { labels } of containers) {
    for (const key of Object.keys(labels)) counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  const keys = [...counts]
    .sort(([a, many], [b, more]) => more - many || (a < b ? -1 : 1))
    .slice(0, labelKeysMax)
    .map(([key]) => key);
  const hasNamespaces = containers.some(({ namespace }) => namespace !== "");
  const plain = plainGroupings.filter((each) => each !== "namespace" || hasNamespaces);
  const labels = keys.sort().map((key): Grouping => `${labelPrefix}${key}`);
  return [...new Set([...plain, ...labels, by])];
}

/** Containers that stand together, around their host if they have one in common. */
export interface Group {
  /** That of the host's peer where there is one. */
  readonly key: string;
  readonly title: string;
  readonly isHost: boolean;
  readonly isSelf: boolean;
  /** Of a host: slow where its clock is off; broken where it is far off, or nothing leads there. */
  readonly health: Exclude<Health, "plain">;
  /** Keys of containers, in an order that lasts. */
  readonly members: readonly string[];
}

export function groupsOf(picture: Picture, by: Grouping): Group[] {
  const members = new Map<string, string[]>();
  for (const container of picture.containers) {
    const key = by === "host" ? peerKey(container.peer) : wordOf(container, by);
    const known = members.get(key);
    if (known === undefined) members.set(key, [containerKey(container)]);
    else known.push(containerKey(container));
  }
  if (by === "host") {
    const clocks = hostClocks(picture);
    return picture.peers.map((peer) => {
      const key = peerKey(peer.name);
      const isSelf = peer.name === picture.self;
      const health = hostHealth(peer, clocks.get(peer.name));
      return {
        ...{ key, title: peerTitle(peer), isHost: true, isSelf, health },
        members: (members.get(key) ?? []).sort(),
      };
    });
  }
  return [...members.keys()].sort().map((title) => ({
    ...{ key: `${by} ${title}`, title, isHost: false, isSelf: false, health: "good" },
    members: members.get(title)!.sort(),
  }));
}

function hostHealth({ reached }: PicturePeer, clock: HostClock | undefined): Group["health"] {
  if (!reached || clock?.state === "far") return "broken";
  return clock?.state === "off" ? "slow" : "good";
}

function wordOf(container: PictureContainer, by: Exclude<Grouping, "host">): string {
  switch (by) {
    case "subnet":
      return subnetOf(container.addresses[0]);
    case "name":
      return stemOf(container.name);
    case "namespace":
      return container.namespace || "not known";
    default: {
      const key = by.slice(labelPrefix.length);
      const { labels } = container;
      return Object.hasOwn(labels, key) ? labels[key] || "(empty)" : `without ${key}`;
    }
  }
}

/** The network of 256 addresses that an address is in: what people recognise. */
function subnetOf(address: string | undefined): string {
  if (address === undefined) return "without address";
  const [a, b, c] = address.split(".");
  return c === undefined ? address : `${a}.${b}.${c}.0/24`;
}

/** `web-3` and `web_4` are both `web`. */
function stemOf(name: string): string {
  return name.replace(/[-_.]?\d+$/, "") || name;
}
