import type {
  Picture,
  PictureContainer,
  PictureLink,
  PictureName,
  PicturePeer,
} from "./picture-models.ts";

type ByKey<Item> = Readonly<Record<string, Item>>;

/** A picture in which everything has a key under which it stays, so that it can be told what changes. */
export interface KeyedPicture extends Pick<Picture, "self" | "version" | "ring"> {
  readonly peers: ByKey<PicturePeer>;
  readonly links: ByKey<PictureLink>;
  readonly containers: ByKey<PictureContainer>;
  readonly names: ByKey<PictureName>;
}

export function keyedPicture({ peers, links, containers, names, ...rest }: Picture): KeyedPicture {
  return {
    ...rest,
    peers: byKey(peers, ({ name }) => name),
    links: byKey(links, ({ from, to }) => `${from} ${to}`),
    containers: byKey(containers, ({ peer, id }) => `${peer} ${id}`),
    names: byKey(names, ({ name, address, peer }) => `${peer} ${address} ${name}`),
  };
}

/** The picture as `GET /picture` has it; what is new since the first one comes last. */
export function plainPicture(keyed: KeyedPicture): Picture {
  const { peers, links, containers, names, ...rest } = keyed;
  return {
    ...rest,
    ...{ peers: Object.values(peers), links: Object.values(links) },
    ...{ containers: Object.values(containers), names: Object.values(names) },
  };
}

function byKey<Item>(items: readonly Item[], keyOf: (item: Item) => string): ByKey<Item> {
  return Object.fromEntries(items.map((item) => [keyOf(item), item]));
}
