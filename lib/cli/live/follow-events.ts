import { type EventModel, eventModel } from "../../api/event-models.ts";
import { BoundedLines } from "../../base/bounded-lines.ts";
import { WeaveError } from "../../base/errors.ts";
import { readAnswer } from "../answer.ts";
import type { ApiClient } from "../api-client.ts";
import { ApiError } from "../api-error.ts";
import type { Pace } from "./repeat.ts";

/** Of one event; its texts are bounded where it is made. */
const lineCharactersMax = 1 << 20;

/** How long to leave a router alone that does not answer. */
const againMs = 1000;

export interface EventRequest {
  readonly query: ReadonlyArray<readonly [string, string]>;
  heard(event: EventModel): void;
  /** Given, the answer goes on with what happens, until it is aborted. */
  readonly signal?: AbortSignal;
}

/** Events that the router tells of, the oldest first. @throws ApiError */
export async function readEvents(api: ApiClient, request: EventRequest): Promise<void> {
  const { signal, heard } = request;
  const lines = new BoundedLines(
    lineCharactersMax,
    () => new WeaveError("API_ANSWER", "the router told of an event that is too long"),
  );
  try {
    await api.request({
      method: "GET",
      path: ["events"],
      query: [...request.query, ...(signal === undefined ? [] : [["follow", "true"] as const])],
      received(part) {
        // An empty line says that nothing has happened.
        for (const line of lines.push(part)) if (line !== "") heard(readAnswer(eventModel, line));
      },
      ...(signal !== undefined && { signal }),
    });
  } catch (error) {
    if (signal?.aborted !== true) throw error;
  }
}

/**
 * The same over restarts of the router: none is told twice, and those of meanwhile are not missed. A
 * router that was reset counts from 1 again, so that it is asked by time.
 */
export async function followEvents(
  api: ApiClient,
  request: Required<EventRequest> & { readonly pace: Pace },
): Promise<void> {
  const { signal, pace, heard } = request;
  let { query } = request;
  let last: EventModel | undefined;
  while (!signal.aborted) {
    try {
      await readEvents(api, {
        ...{ signal, query },
        heard(event) {
          if (event.at === last?.at && event.id <= last.id) return;
          last = event;
          heard(event);
        },
      });
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
    }
    if (last !== undefined) {
      query = [...request.query.filter(([name]) => name !== "since"), ["since", last.at]];
    }
    await pace.wait(againMs, signal);
  }
}
