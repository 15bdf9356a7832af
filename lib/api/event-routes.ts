import type { Context, Hono } from "hono";
import { utf8 } from "../base/bytes.ts";
import { WeaveError } from "../base/errors.ts";
import { eventKinds, eventText } from "../base/event-kinds.ts";
import { type EventQuery, isWanted, type NetworkEvent } from "../base/network-event.ts";
import { refuseJson } from "./answers.ts";
import type { EventControl, EventModel } from "./event-models.ts";
import { Parameters } from "./parameters.ts";
import { addRoutes } from "./route-spec.ts";
import { eventTable } from "./table/event-table.ts";

/** How often something is sent when nothing happens, so that both ends notice a dead connection. */
const quietMs = 5000;

/** Octets that wait for a follower who does not read. */
const unreadBytesMax = 1 << 20;

/** Adds `/events`. */
export function eventRoutes(app: Hono, events: EventControl): void {
  addRoutes(app, eventTable, {
    async events(context) {
      try {
        const parameters = await Parameters.of(context);
        const query = readQuery(context, parameters);
        return answer(context, events, query, parameters.isTrue("follow"));
      } catch (error) {
        return refuseJson(context, error);
      }
    },
  });
}

/** How one event is written, and what keeps a connection from being silent. */
interface Form {
  readonly type: string;
  readonly quiet: string;
  write(event: EventModel): string;
}

const lines: Form = {
  type: "application/x-ndjson",
  quiet: "\n",
  write: (event) => `${JSON.stringify(event)}\n`,
};

/** WHATWG HTML, server-sent events. */
const stream: Form = {
  type: "text/event-stream",
  quiet: ":\n\n",
  write: (event) => `id: ${event.id}\ndata: ${JSON.stringify(event)}\n\n`,
};

/** An event for programs and for people. */
export function eventDocument(event: NetworkEvent): EventModel {
  const { id, atMs, kind, details, by } = event;
  const at = new Date(atMs).toISOString();
  const text = eventText(event);
  return { id, at, kind, text, details: { ...details }, ...(by && { by: { ...by } }) };
}

function answer(context: Context, events: EventControl, query: EventQuery, follow: boolean) {
  const form = /\btext\/event-stream\b/.test(context.req.header("Accept") ?? "") ? stream : lines;
  const headers = { "Content-Type": form.type, "Cache-Control": "no-store" };
  const write = (event: NetworkEvent) => form.write(eventDocument(event));
  const past = events.read(query).map(write).join("");
  if (!follow) return context.body(past, 200, headers);
  let end = (): void => {};
  const body = new ReadableStream<Uint8Array>(
    {
      start(controller) {
        const send = (text: string): void => {
          controller.enqueue(utf8(text));
          if ((controller.desiredSize ?? 0) > 0) return;
          end();
          controller.error(new Error("events are not read as fast as they happen"));
        };
        const quiet = setInterval(() => send(form.quiet), quietMs);
        const cancel = events.follow((event) => {
          if (isWanted(event, query)) send(write(event));
        });
        end = () => {
          clearInterval(quiet);
          cancel();
        };
        // Also where there is nothing to tell, so that who follows knows that it does.
        send(past + form.quiet);
      },
      cancel: () => end(),
    },
    { highWaterMark: unreadBytesMax + utf8(past).length, size: (chunk) => chunk?.length ?? 0 },
  );
  context.req.raw.signal.addEventListener("abort", () => end(), { once: true });
  return context.body(body, 200, headers);
}

/** What stands before the dot of kinds: each asks for all of them. */
const kindGroups = new Set(Object.keys(eventKinds).map((kind) => kind.split(".")[0]!));
const knownKinds: ReadonlySet<string> = new Set([...kindGroups, ...Object.keys(eventKinds)]);

/** @throws WeaveError `QUERY_INVALID` */
function readQuery(context: Context, parameters: Parameters): EventQuery {
  const after = parameters.one("after") || (context.req.header("Last-Event-ID") ?? "");
  if (after !== "" && !/^\d{1,15}$/.test(after)) {
    throw new WeaveError("QUERY_INVALID", `"${after}" is not the id of an event`, {
      remedy: "give the number in `id` of an event that was told",
    });
  }
  const since = parameters.one("since");
  const sinceMs = since === "" ? undefined : Date.parse(since);
  if (Number.isNaN(sinceMs)) {
    throw new WeaveError("QUERY_INVALID", `"${since}" is no time`, {
      remedy: "write it as in 2026-01-02T15:04:05Z",
    });
  }
  const [kinds, containers, peers] = ["kind", "container", "peer"].map((name) =>
    parameters.all(name),
  ) as [string[], string[], string[]];
  const unknown = kinds.find((kind) => !knownKinds.has(kind));
  if (unknown !== undefined) {
    throw new WeaveError("QUERY_INVALID", `there are no events of kind "${unknown}"`, {
      remedy: `ask for ${[...kindGroups].join(", ")}, or one kind such as link.lost`,
    });
  }
  return {
    ...(after !== "" && { afterId: Number(after) }),
    ...(sinceMs !== undefined && { sinceMs }),
    ...(kinds.length > 0 && { kinds }),
    ...(containers.length > 0 && { containers }),
    ...(peers.length > 0 && { peers }),
  };
}
