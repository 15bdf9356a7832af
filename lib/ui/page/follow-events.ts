import type { EventModel } from "../../api/event-models.ts";
import { BoundedLines } from "../../base/bounded-lines.ts";
import { authorization } from "./token.ts";

/** The router says something every five seconds; a tunnel that has broken may say nothing for ever. */
const silenceMaxMs = 20_000;

/** Until it is asked again after a connection has ended. */
const retryMs = 3000;

/** More than any event has. */
const lineCharactersMax = 1 << 20;

/** Calls `heard` with every event once, those of before first, until the signal. */
export async function followEvents(
  heard: (event: EventModel) => void,
  signal: AbortSignal,
): Promise<void> {
  let lastId = "";
  while (!signal.aborted) {
    await connection(lastId, signal, (event) => {
      lastId = String(event.id);
      heard(event);
    }).catch(() => {
      // The picture says why the router does not answer; here it is asked again.
    });
    await new Promise((resolve) => setTimeout(resolve, retryMs));
  }
}

/** Resolves or rejects when one connection has ended. */
async function connection(
  after: string,
  signal: AbortSignal,
  heard: (event: EventModel) => void,
): Promise<void> {
  const silence = new AbortController();
  const giveUp = (): void => silence.abort();
  let timer = setTimeout(giveUp, silenceMaxMs);
  try {
    const response = await fetch(`/events?${new URLSearchParams({ follow: "true", after })}`, {
      headers: authorization(),
      signal: AbortSignal.any([signal, silence.signal]),
    });
    if (!response.ok || response.body === null) return;
    const lines = new BoundedLines(lineCharactersMax, () => new Error("that is no event"));
    const reader = response.body.getReader();
    for (let read = await reader.read(); !read.done; read = await reader.read()) {
      clearTimeout(timer);
      timer = setTimeout(giveUp, silenceMaxMs);
      for (const line of lines.push(read.value)) {
        if (line !== "") heard(JSON.parse(line) as EventModel);
      }
    }
  } finally {
    clearTimeout(timer);
  }
}
