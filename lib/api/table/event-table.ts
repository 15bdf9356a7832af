import { eventModel } from "../event-models.ts";
import { jsonSchema } from "../json-schema.ts";
import type { RouteTable } from "../route-spec.ts";

export const eventTable = {
  events: {
    method: "get",
    path: "/events",
    summary: "tell what has happened, and what happens",
    parameters: [
      { name: "after", meaning: "only events after the one with this `id`" },
      { name: "since", meaning: "only events at or after this time: RFC 3339" },
      { name: "kind", meaning: "only this kind, or all before its dot", isRepeatable: true },
      {
        name: "container",
        meaning: "only what is about this container: its id, or how that begins",
        isRepeatable: true,
      },
      {
        name: "peer",
        meaning: "only what is about this peer: its name or nickname",
        isRepeatable: true,
      },
      { name: "follow", meaning: "go on with events as they happen", isSwitch: true },
    ],
    answer:
      "a line of JSON for each event, the oldest first: the latest thousands. With `follow` lines come as things happen, and an empty one every few seconds; who reads too slowly is cut off, and asks again with `after`. With `Accept: text/event-stream` server-sent events with the same JSON, whose `Last-Event-ID` is understood",
    success: {
      status: 200,
      text: {
        type: "application/x-ndjson",
        example:
          '{"id":7,"at":"2026-01-02T15:04:05.000Z","kind":"container.gone","text":"container web is gone","details":{"container":"web"}}\n',
      },
      json: jsonSchema(eventModel),
    },
    fails: [400],
  },
} as const satisfies RouteTable;
