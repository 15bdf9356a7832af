import type { Picture, PictureContainer } from "../../api/picture-models.ts";
import { containerKey, peerKey, peerTitle } from "./things.ts";

/** By what containers stand together. */
export const groupings = ["host", "subnet", "name"] as const;
export type Grouping = (typeof groupings)[number];

/** Containers that stand together, around their host if they have one in common. */
export interface Group {
  /** That of the host's peer where there is one. */
  readonly key: string;
  readonly title: string;
  readonly isHost: boolean;
  readonly isSelf: boolean;
  readonly reached: boolean;
  /** Keys of containers, in an order that lasts. */
  readonly members: readonly string[];
}

export function groupsOf(picture: Picture, by: Grouping): Group[] {
  const members = new Map<string, PictureContainer[]>();
  for (const container of picture.containers) {
    const key = groupKey(container, by);
    members.set(key, [...(members.get(key) ?? []), container]);
  }
  const keysOf = (key: string) => (members.get(key) ?? []).map(containerKey).sort();
  if (by === "host") {
    return picture.peers.map((peer) => {
      const key = peerKey(peer.name);
      const { reached } = peer;
      const isSelf = peer.name === picture.self;
      return { key, title: peerTitle(peer), isHost: true, isSelf, reached, members: keysOf(key) };
    });
  }
  return [...members.keys()].sort().map((key) => ({
    ...{ key, title: key.slice(by.length + 1), isHost: false, isSelf: false, reached: true },
    members: keysOf(key),
  }));
}

function groupKey(container: PictureContainer, by: Grouping): string {
  if (by === "host") return peerKey(container.peer);
  if (by === "subnet") return `subnet ${subnetOf(container.addresses[0])}`;
  return `name ${stemOf(container.name)}`;
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
