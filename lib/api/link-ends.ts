import type { Picture, PictureLink, PictureLinkEnd } from "./picture-models.ts";

/** What is known of a link, whoever says it. */
export interface LinkFacts {
  /** What carries frames; empty where nobody says so. */
  readonly overlay: string;
  /** Whether frames are, both ways. */
  readonly encrypted: boolean | undefined;
  /** Octets of a packet, whichever way it goes. */
  readonly mtu: number | undefined;
  readonly roundTripMs: number | undefined;
}

/** Carries frames where the kernel does not: the lesser of two. */
const lesserOverlay = "sleeve";

/** Of its own links a host believes itself; of others what their ends say, the lesser where they differ. */
export function linkFacts({ own, ends: { from, to } }: PictureLink): LinkFacts {
  const ends = own === undefined ? [from, to].filter((each) => each !== undefined) : [own];
  const overlays = ends.map(({ overlay }) => overlay).filter((each) => each !== "");
  return {
    overlay: overlays.find((each) => each === lesserOverlay) ?? overlays[0] ?? "",
    encrypted: ends.length === 0 ? undefined : ends.every(({ encrypted }) => encrypted),
    mtu: least(ends.map(({ mtu }) => mtu)),
    roundTripMs: least(ends.map(({ roundTripMs }) => roundTripMs)),
  };
}

function least(values: ReadonlyArray<number | null>): number | undefined {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? undefined : Math.min(...known);
}

/** What two ends of a link say otherwise than each other. */
export interface Difference {
  readonly what: "overlay" | "encrypted" | "mtu";
  readonly from: string;
  readonly to: string;
}

/** None while one end has told nothing, or has no link that works. */
export function differences({ ends: { from, to } }: PictureLink): Difference[] {
  if (from?.established !== true || to?.established !== true) return [];
  const found = (["overlay", "encrypted", "mtu"] as const).flatMap((what): Difference[] => {
    const [one, other] = [valueText(from, what), valueText(to, what)];
    return one === other || one === "" || other === "" ? [] : [{ what, from: one, to: other }];
  });
  // Each overlay has a size of packets of its own.
  const isByOverlay = found.some(({ what }) => what === "overlay");
  return isByOverlay ? found.filter(({ what }) => what !== "mtu") : found;
}

/** Empty for what is not known. */
function valueText(end: PictureLinkEnd, what: Difference["what"]): string {
  const value = end[what];
  return typeof value === "boolean" ? (value ? "yes" : "no") : String(value ?? "");
}

/** Hosts of a link that have told nothing of it, by peer name. */
export function silentEnds({ self }: Picture, { from, to, ends }: PictureLink): string[] {
  const isSilent = (name: string, end: PictureLinkEnd | undefined): boolean =>
    end === undefined && name !== self;
  return [...(isSilent(from, ends.from) ? [from] : []), ...(isSilent(to, ends.to) ? [to] : [])];
}
