import type { EventModel } from "../../api/event-models.ts";
import { callerText } from "../../base/event-kinds.ts";
import { parseDurationMs } from "../../daemon/duration.ts";
import type { CommandHandler, Output } from "../context.ts";
import { forOneLine } from "../for-terminal.ts";
import { writeJson } from "../json-output.ts";
import { readEvents } from "../live/follow-events.ts";

export const events: CommandHandler = async ({ api, flags, stdout, interrupts }) => {
  const isJson = flags.enabled("json");
  const since = flags.text("since");
  await readEvents(api, {
    query: [
      ...(since === undefined ? [] : [["since", timeOf(since)] as const]),
      ...["kind", "container", "peer"].flatMap((name) =>
        flags.list(name).map((value) => [name, value] as const),
      ),
    ],
    heard: (event) => print(stdout, event, isJson),
    ...(flags.enabled("follow") && { signal: interrupts() }),
  });
  return 0;
};

function print(stdout: Output, event: EventModel, isJson: boolean): void {
  if (isJson) writeJson(stdout, "event", event);
  else {
    const at = event.at.replace("T", " ").replace(/\.\d+Z$/, "Z");
    const by = event.by === undefined ? "" : `  [${callerText(event.by)}]`;
    // Names in it are others' to choose: none may look like another event.
    stdout.write(`${forOneLine(`${at}  ${event.text}${by}`)}\n`);
  }
}

/** A time, or how long ago one was, as the router reads it. */
function timeOf(text: string): string {
  if (!/^\d{4}-/.test(text)) return new Date(Date.now() - parseDurationMs(text)).toISOString();
  return text;
}
