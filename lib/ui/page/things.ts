import { linkFacts } from "../../api/link-ends.ts";
import type {
  Picture,
  PictureContainer,
  PictureLink,
  PictureName,
  PicturePeer,
} from "../../api/picture-models.ts";

/** What can be pointed at. */
export type Thing =
  | { readonly kind: "peer"; readonly key: string; readonly peer: PicturePeer }
  | { readonly kind: "container"; readonly key: string; readonly container: PictureContainer }
  | { readonly kind: "link"; readonly key: string; readonly link: PictureLink }
  /** In DNS, of what is no container. */
  | { readonly kind: "name"; readonly key: string; readonly name: PictureName };

export const peerKey = (name: string): string => `peer ${name}`;
export const containerKey = ({ peer, id }: PictureContainer): string => `container ${peer} ${id}`;
export const linkKey = ({ from, to }: Pick<PictureLink, "from" | "to">): string =>
  `link ${from} ${to}`;
export const nameKey = ({ name, address }: PictureName): string => `name ${name} ${address}`;

/** Everything of a picture by its key. */
export function thingsOf(picture: Picture): ReadonlyMap<string, Thing> {
  const { peers, containers, links, names } = picture;
  const all: Thing[] = [
    ...peers.map((peer): Thing => ({ kind: "peer", key: peerKey(peer.name), peer })),
    ...containers.map(
      (container): Thing => ({ kind: "container", key: containerKey(container), container }),
    ),
    ...links.map((link): Thing => ({ kind: "link", key: linkKey(link), link })),
    ...names.map((name): Thing => ({ kind: "name", key: nameKey(name), name })),
  ];
  return new Map(all.map((thing) => [thing.key, thing]));
}

/** By which people know a peer: its nickname, unless it has none. */
export function peerTitle({ nickname, name }: PicturePeer): string {
  return nickname || name;
}

/** The same of a peer that may be gone. */
export function titleOfPeer({ peers }: Picture, name: string): string {
  const peer = peers.find((each) => each.name === name);
  return peer === undefined ? name : peerTitle(peer);
}

export function titleOf(thing: Thing, picture: Picture): string {
  switch (thing.kind) {
    case "peer":
      return peerTitle(thing.peer);
    case "container":
      return thing.container.name;
    case "name":
      return withoutDot(thing.name.name);
    case "link": {
      const [from, to] = [thing.link.from, thing.link.to].map((name) => titleOfPeer(picture, name));
      return `${from} – ${to}`;
    }
  }
}

/** A name in DNS as people write it. */
export function withoutDot(name: string): string {
  return name.replace(/\.$/, "");
}

/** How the router's own commands would name it; links have no such name. */
export function placeOf(thing: Thing): string | undefined {
  switch (thing.kind) {
    case "peer":
      return thing.peer.name;
    case "container":
      return thing.container.addresses[0]?.split("/")[0];
    case "name":
      return thing.name.address;
    case "link":
      return undefined;
  }
}

/** How well a link carries frames; `plain` where nobody tells by what. */
export type Health = "good" | "slow" | "plain" | "broken";

export function healthOf(link: PictureLink): Health {
  const { established, oneSided, own } = link;
  const isBroken = !established || (own === undefined ? oneSided : own.state !== "established");
  if (isBroken) return "broken";
  const { overlay } = linkFacts(link);
  return overlay === "sleeve" ? "slow" : overlay === "" ? "plain" : "good";
}

/** At most so many are shown; who wants others says more of them. */
const foundMax = 100;

/** Things whose titles, names, addresses, labels or ids have all words of `query`, the best first. */
export function search(
  things: ReadonlyMap<string, Thing>,
  picture: Picture,
  query: string,
): { readonly found: readonly Thing[]; readonly count: number } {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  const scored = [...things.values()].flatMap((thing) => {
    if (thing.kind === "link") return [];
    const title = titleOf(thing, picture).toLowerCase();
    const text = `${title} ${textOf(thing)}`.toLowerCase();
    if (!words.every((word) => text.includes(word))) return [];
    const begins = words.some((word) => title.startsWith(word)) ? 0 : 1;
    return [{ thing, title, order: begins * 2 + (thing.kind === "peer" ? 0 : 1) }];
  });
  scored.sort((a, b) => a.order - b.order || (a.title < b.title ? -1 : 1));
  return { found: scored.slice(0, foundMax).map(({ thing }) => thing), count: scored.length };
}

function textOf(thing: Thing): string {
  switch (thing.kind) {
    case "peer":
      return thing.peer.name;
    case "name":
      return thing.name.address;
    case "container": {
      const { id, names, addresses, labels } = thing.container;
      const pairs = Object.entries(labels).map(([key, value]) => `${key}=${value}`);
      return [id, ...names, ...addresses, ...pairs].join(" ");
    }
    case "link":
      return "";
  }
}
