import * as v from "valibot";
import { BoundedLines } from "../base/bounded-lines.ts";
import { WeaveError } from "../base/errors.ts";

/** What happens to a container, as far as the router wants to know. */
export interface ContainerEvent {
  readonly action: ContainerAction;
  /** 64 hex digits. */
  readonly id: string;
}

const actions = ["start", "die", "destroy"] as const;
export type ContainerAction = (typeof actions)[number];

/** Path and query of the events that {@link EventLines} reads. */
export const eventsPath = `/events?filters=${encodeURIComponent(
  JSON.stringify({ type: ["container"], event: actions }),
)}`;

/** Events carry the labels of their container, which may be many. */
const lineCharactersMax = 4 << 20;

const schema = v.object({
  Type: v.literal("container"),
  Action: v.picklist(actions),
  Actor: v.object({ ID: v.string() }),
});

/**
 * Reads the engine's stream of events, one JSON object a line, however it is cut into pieces:
 *
 *   {"Type":"container","Action":"die","Actor":{"ID":"4f…","Attributes":{…}},"time":…}
 *
 * What else comes is left out; the older `status` and `id`, which 1.52 has no more, are not needed.
 */
export class EventLines {
  readonly #lines = new BoundedLines(
    lineCharactersMax,
    () => new WeaveError("ENGINE_ANSWER", "the Docker engine sent an event that does not end"),
  );

  /** @throws WeaveError `ENGINE_ANSWER` for a line that does not end, or is no JSON */
  push(chunk: Uint8Array): ContainerEvent[] {
    return this.#lines.push(chunk).flatMap((line) => readEvent(line) ?? []);
  }
}

function readEvent(line: string): ContainerEvent | undefined {
  if (line.trim() === "") return undefined;
  let raw: unknown;
  try {
    raw = JSON.parse(line);
  } catch (cause) {
    throw new WeaveError("ENGINE_ANSWER", "the Docker engine sent an event that is no JSON", {
      cause,
    });
  }
  const parsed = v.safeParse(schema, raw);
  if (!parsed.success) return undefined;
  return { action: parsed.output.Action, id: parsed.output.Actor.ID };
}
