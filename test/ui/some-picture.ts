import type {
  Picture,
  PictureContainer,
  PictureLink,
  PictureLinkEnd,
} from "../../lib/api/picture-models.ts";

export interface Sketch {
  /** Nicknames; the first is this host. */
  readonly peers: readonly string[];
  readonly containers?: readonly ContainerSketch[];
  readonly names?: Picture["names"];
}

/** Where it is by nickname, what it is called, and what else there is to say of it. */
export type ContainerSketch = Pick<PictureContainer, "peer" | "name"> & Partial<PictureContainer>;

/** A picture of a full mesh. Peers are called `7a:<nickname>`. */
export function some({ peers, containers = [], names: others = [] }: Sketch): Picture {
  const names = peers.map((nickname) => `7a:${nickname}`);
  return {
    self: names[0]!,
    version: "3.0.0",
    peers: peers.map((nickname) => ({
      ...{ name: `7a:${nickname}`, nickname, reached: true, told: null },
    })),
    links: names.flatMap((from, index) => names.slice(index + 1).map((to) => link(from, to))),
    containers: containers.map((each, index) => ({
      ...{ names: [], addresses: [], labels: {}, namespace: "" },
      ...each,
      ...{ id: index.toString(16).padStart(64, "0"), peer: `7a:${each.peer}` },
    })),
    ...{ names: [...others], ring: null },
  };
}

/** @param own what this host says of it, which is `from` */
export function link(
  from: string,
  to: string,
  own?: Partial<NonNullable<PictureLink["own"]>>,
): PictureLink {
  const plain = { from, to, established: true, oneSided: false, ends: {} };
  if (own === undefined) return plain;
  return {
    ...plain,
    ends: { from: end(own) },
    own: {
      ...{ address: "10.0.0.2:6783", state: "established", since: null, reason: "", info: "" },
      ...end(own),
      ...{ loss: null, clockOffsetMs: null },
      ...own,
    },
  };
}

export function end({ overlay, traffic, mtu }: Partial<PictureLinkEnd> = {}): PictureLinkEnd {
  return {
    ...{ established: true, encrypted: false, roundTripMs: 0.3 },
    ...{ overlay: overlay ?? "fastdp", mtu: mtu ?? 1376, traffic: traffic ?? null, loss: null },
  };
}
