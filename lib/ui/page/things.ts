import type {
  Picture,
  PictureContainer,
  PictureLink,
  PicturePeer,
} from "../../api/picture-models.ts";

/** What can be pointed at. */
export type Thing =
  | { readonly kind: "peer"; readonly key: string; readonly peer: PicturePeer }
  | { readonly kind: "container"; readonly key: string; readonly container: PictureContainer }
  | { readonly kind: "link"; readonly key: string; readonly link: PictureLink };

export const peerKey = (name: string): string => `peer ${name}`;
export const containerKey = ({ peer, id }: PictureContainer): string => `container ${peer} ${id}`;
export const linkKey = ({ from, to }: PictureLink): string => `link ${from} ${to}`;

/** Everything of a picture by its key. */
export function thingsOf({ peers, containers, links }: Picture): ReadonlyMap<string, Thing> {
  const all: Thing[] = [
    ...peers.map((peer): Thing => ({ kind: "peer", key: peerKey(peer.name), peer })),
    ...containers.map(
      (container): Thing => ({ kind: "container", key: containerKey(container), container }),
    ),
    ...links.map((link): Thing => ({ kind: "link", key: linkKey(link), link })),
  ];
  return new Map(all.map((thing) => [thing.key, thing]));
}

/** By which people know a peer: its nickname, unless it has none. */
export function peerTitle({ nickname, name }: PicturePeer): string {
  return nickname || name;
}

export function titleOf(thing: Thing, picture: Picture): string {
  switch (thing.kind) {
    case "peer":
      return peerTitle(thing.peer);
    case "container":
      return thing.container.name;
    case "link": {
      const title = (name: string) =>
        picture.peers.filter((each) => each.name === name).map(peerTitle)[0] ?? name;
      return `${title(thing.link.from)} – ${title(thing.link.to)}`;
    }
  }
}

/** How the router's own commands would name it; links have no such name. */
export function placeOf(thing: Thing): string | undefined {
  if (thing.kind === "peer") return thing.peer.name;
  if (thing.kind === "container") return thing.container.addresses[0]?.split("/")[0];
  return undefined;
}

/** How well a link carries frames. */
export type Health = "good" | "slow" | "broken";

export function healthOf({ established, own }: PictureLink): Health {
  if (!established || (own !== undefined && own.state !== "established")) return "broken";
  return own?.overlay === "sleeve" ? "slow" : "good";
}

/** At most so many are shown; who wants others says more of them. */
const foundMax = 100;

/** Things whose titles, names, addresses or ids have all words of `query`, the best first. */
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
  if (thing.kind === "peer") return thing.peer.name;
  if (thing.kind === "link") return "";
  const { id, names, addresses } = thing.container;
  return [id, ...names, ...addresses].join(" ");
}
