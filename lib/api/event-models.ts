import * as v from "valibot";
import type { EventQuery, NetworkEvent } from "../base/network-event.ts";
import type { Cancel } from "../base/world.ts";
import { told } from "./json-schema.ts";

/** One event, as a line of `GET /events` and of `weave events --json`. */
export const eventModel = v.object({
  id: told(v.number(), "grows by one from event to event"),
  at: told(v.string(), "RFC 3339, with milliseconds, UTC"),
  kind: told(v.string(), "see docs/events.md"),
  text: told(v.string(), "the same in words"),
  details: told(v.record(v.string(), v.unknown()), "by the kind"),
  by: v.optional(
    told(
      v.object({
        kind: told(v.string(), "`cli`, `cni`, `api`, `tcp`, `proxy`, `plugin`, `engine` or `kube`"),
        user: v.optional(told(v.string(), "who is logged in, as the command says it")),
        pid: v.optional(told(v.number(), "of the process, as it sees it itself")),
      }),
      "who asked; absent where nobody did",
    ),
  ),
});

export type EventModel = v.InferOutput<typeof eventModel>;

/** What has happened, and what happens from now on. */
export interface EventControl {
  /** Oldest first. */
  read(query: EventQuery): readonly NetworkEvent[];
  follow(follower: (event: NetworkEvent) => void): Cancel;
}
