import type { PictureContainer } from "../../api/picture-models.ts";
import { counted } from "../../base/counted.ts";
import { fitText, widthOf } from "../terminal/fit.ts";
import type { Glyphs } from "../terminal/glyphs.ts";
import { roundTripText } from "../terminal/quantities.ts";
import { type Line, span, type Tone } from "../terminal/spans.ts";
import type { Island, MapHost, MapLink } from "./map-graph.ts";

/** How hosts, links and containers are written, whatever picture they are in. */

export interface MapStyle {
  readonly glyphs: Glyphs;
  /** Columns of the page. */
  readonly columns: number;
  readonly hasContainers: boolean;
  /** Whether nothing is summarised. */
  readonly hasAll: boolean;
  /** Whether the network has a password, so that only exceptions are worth a word. */
  readonly isEncrypted: boolean;
}

export function hostLine(host: MapHost, { glyphs, hasContainers }: MapStyle): Line {
  const { nickname, isSelf, isReached, containers } = host;
  const count =
    containers.length > 0 && !hasContainers ? [counted(containers.length, "container")] : [];
  const notes = [...(isSelf ? ["this host"] : []), ...count];
  return [
    span(`${isReached ? glyphs.host : glyphs.lostHost} `, isReached ? "good" : "bad"),
    span(nickname, isSelf ? "accent" : "strong"),
    ...(notes.length === 0 ? [] : [span(`  ${notes.join(", ")}`, "faint")]),
  ];
}

/** `fastdp 0.31 ms`, `retrying`; empty for one of which nobody tells more than that it is there. */
export function linkText(
  { state, overlay, roundTripMs, isEncrypted }: MapLink,
  style: MapStyle,
): string {
  if (state !== "established") return state;
  if (overlay === "") return "";
  const trip = roundTripMs === undefined ? [] : [roundTripText(roundTripMs)];
  const clear = style.isEncrypted && isEncrypted === false ? ["in clear"] : [];
  return [overlay, ...trip, ...clear].join(" ");
}

export function linkTone({ state, overlay }: MapLink): Tone | undefined {
  if (state === "established")
    return overlay === "" || overlay === "fastdp" ? undefined : "warning";
  return "bad";
}

/** Where not all are asked for, so many of a host are shown. */
const containersMax = 8;

/** A line for each container of a host, to stand below it. */
export function containerLines({ containers }: MapHost, style: MapStyle): Line[] {
  if (!style.hasContainers) return [];
  const shown = style.hasAll ? containers : containers.slice(0, containersMax);
  const more = containers.length - shown.length;
  const widest = Math.max(0, ...shown.map(({ name }) => widthOf(name)));
  return [
    ...shown.map((each) => containerLine(each, widest, style)),
    ...(more > 0 ? [[span(`    ${style.glyphs.ellipsis} ${more} more`, "faint")]] : []),
  ];
}

function containerLine(
  { name, addresses }: PictureContainer,
  widest: number,
  { glyphs }: MapStyle,
): Line {
  const text = fitText(name, widest, glyphs.ellipsis);
  return [span(`    ${text}`), span(`  ${addresses.join(" ")}`, "faint")];
}

/** The link between two hosts; undefined where there is none. */
export function linkFinder({ links }: Island): (a: string, b: string) => MapLink | undefined {
  const found = new Map(links.map((link) => [`${link.from} ${link.to}`, link]));
  return (a, b) => found.get(`${a} ${b}`) ?? found.get(`${b} ${a}`);
}
