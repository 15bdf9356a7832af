import { utf8 } from "../base/bytes.ts";
import { isList, isObject, type Json, type JsonObject } from "./json.ts";

/** What may be shortened, by its place; logs lose their oldest records. */
const lists: readonly (readonly string[])[] = [
  ["history", "gossip"],
  ["history", "topology"],
  ["history", "owners"],
  ["events"],
  ["findings"],
  ["policies"],
  ["metrics"],
  ["platform", "devices"],
  ["report", "DNS", "Entries"],
  ["report", "IPAM", "Entries"],
  ["report", "Router", "Peers"],
  ["report", "Router", "Connections"],
  ["report", "Router", "MACs"],
  ["report", "Router", "UnicastRoutes"],
  ["report", "Router", "BroadcastRoutes"],
];

export interface Shortened {
  readonly document: JsonObject;
  readonly leftOut: readonly { readonly what: string; readonly count: number }[];
}

/** Halves whatever list is the longest as JSON, until the whole has no more than `lengthMax` octets. */
export function shorten(whole: JsonObject, lengthMax: number): Shortened {
  let document = whole;
  const leftOut = new Map<string, number>();
  for (;;) {
    const excess = lengthOf(document) - lengthMax;
    const longest = excess > 0 ? longestOf(document) : undefined;
    if (longest === undefined) break;
    const { place, items } = longest;
    const kept = items.slice(-Math.floor(items.length / 2));
    const what = place.join(".");
    leftOut.set(what, (leftOut.get(what) ?? 0) + items.length - kept.length);
    document = withMember(document, place, kept);
  }
  return { document, leftOut: [...leftOut].map(([what, count]) => ({ what, count })) };
}

interface Part {
  readonly place: readonly string[];
  readonly items: readonly Json[];
  readonly length: number;
}

/** `undefined` when nothing is left to shorten. */
function longestOf(document: JsonObject): Part | undefined {
  let longest: Part | undefined;
  for (const place of lists) {
    const found = place.reduce<Json | undefined>(memberOf, document);
    // A text counts as its lines.
    const items = typeof found === "string" ? found.split("\n") : found;
    if (!isList(items) || items.length < 2) continue;
    const length = lengthOf(items);
    if (longest === undefined || length > longest.length) longest = { place, items, length };
  }
  return longest;
}

function memberOf(value: Json | undefined, name: string): Json | undefined {
  return isObject(value) ? value[name] : undefined;
}

function withMember(
  value: JsonObject,
  [name, ...rest]: readonly string[],
  items: readonly Json[],
): JsonObject {
  const before = value[name!];
  if (rest.length > 0 && isObject(before)) {
    return { ...value, [name!]: withMember(before, rest, items) };
  }
  return { ...value, [name!]: typeof before === "string" ? items.join("\n") : items };
}

/** In octets: names may be of any letters. */
function lengthOf(value: Json): number {
  return utf8(JSON.stringify(value)).length;
}
