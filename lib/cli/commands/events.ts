import { eventModel } from "../../api/event-models.ts";
import { BoundedLines } from "../../base/bounded-lines.ts";
import { WeaveError } from "../../base/errors.ts";
import { parseDurationMs } from "../../daemon/duration.ts";
import { readAnswer } from "../answer.ts";
import type { CommandHandler, Output } from "../context.ts";
import { writeJson } from "../json-output.ts";

/** Of one event; its texts are bounded where it is made. */
const lineCharactersMax = 1 << 20;

export const events: CommandHandler = async ({ api, flags, stdout, interrupts }) => {
  const isJson = flags.enabled("json");
  const lines = new BoundedLines(
    lineCharactersMax,
    () => new WeaveError("API_ANSWER", "the router told of an event that is too long"),
  );
  const since = flags.text("since");
  const signal = flags.enabled("follow") ? interrupts() : undefined;
  try {
    await api.request({
      method: "GET",
      path: ["events"],
      query: [
        ...(since === undefined ? [] : [["since", timeOf(since)] as const]),
        ...flags.list("kind").map((kind) => ["kind", kind] as const),
        ...(signal === undefined ? [] : [["follow", "true"] as const]),
      ],
      received: (part) => {
        for (const line of lines.push(part)) print(stdout, line, isJson);
      },
      ...(signal !== undefined && { signal }),
    });
  } catch (error) {
    if (signal?.aborted !== true) throw error;
  }
  return 0;
};

/** An empty line says that nothing has happened. */
function print(stdout: Output, line: string, isJson: boolean): void {
  if (line === "") return;
  const event = readAnswer(eventModel, line);
  if (isJson) writeJson(stdout, "event", event);
  else stdout.write(`${event.at.replace("T", " ").replace(/\.\d+Z$/, "Z")}  ${event.text}\n`);
}

/** A time, or how long ago one was, as the router reads it. */
function timeOf(text: string): string {
  if (!/^\d{4}-/.test(text)) return new Date(Date.now() - parseDurationMs(text)).toISOString();
  return text;
}
