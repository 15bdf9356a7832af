import type { Picture } from "../../api/picture-models.ts";
import { linkKey, peerKey, placeOf, type Thing, titleOf } from "./things.ts";

/** What may be asked about two things: the way of a frame, or what policies let them open. */
export type QuestionKind = "why" | "policy";

/** Keys of both ends; the second is missing until it is chosen. */
export interface Question {
  readonly kind: QuestionKind;
  readonly from: string;
  readonly to?: string;
}

/** One end as the router's commands name it, and as people do. */
export interface End {
  readonly place: string;
  readonly title: string;
}

/** What may be asked about a thing: policies are about whatever has an address. */
export function questionsAbout(thing: Thing): QuestionKind[] {
  if (placeOf(thing) === undefined) return [];
  return thing.kind === "peer" ? ["why"] : ["why", "policy"];
}

/** The question with its second end, if that thing may be one. */
export function answered(question: Question | undefined, thing: Thing): Question | undefined {
  if (question === undefined || question.to !== undefined) return question;
  const isEnd = thing.key !== question.from && questionsAbout(thing).includes(question.kind);
  return isEnd ? { ...question, to: thing.key } : question;
}

/** What stands out while it is asked: both ends, their hosts, and the link between those. */
export function litBy({ from, to }: Question, things: ReadonlyMap<string, Thing>): Set<string> {
  const ends = [from, to ?? ""].flatMap((key) => things.get(key) ?? []);
  const hosts = ends.flatMap((thing) =>
    thing.kind === "container"
      ? thing.container.peer
      : thing.kind === "peer"
        ? thing.peer.name
        : [],
  );
  const [first, second] = hosts.toSorted();
  const link = first !== undefined && second !== undefined ? [{ from: first, to: second }] : [];
  return new Set([...ends.map(({ key }) => key), ...hosts.map(peerKey), ...link.map(linkKey)]);
}

/** Both ends, while both are there. */
export function endsOf(
  { from, to }: Question,
  things: ReadonlyMap<string, Thing>,
  picture: Picture,
): readonly [End, End] | undefined {
  const [first, second] = [from, to ?? ""].map((key) => endOf(things.get(key), picture));
  return first && second ? [first, second] : undefined;
}

function endOf(thing: Thing | undefined, picture: Picture): End | undefined {
  const place = thing && placeOf(thing);
  return thing && place !== undefined ? { place, title: titleOf(thing, picture) } : undefined;
}
