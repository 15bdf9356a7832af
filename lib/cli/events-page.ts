import { eventKinds } from "../base/network-event.ts";

/** `docs/events.md`: every kind of event. */
export function eventsMarkdown(): string {
  const lines = [
    "# What `weave events` tells",
    "",
    "This page is made from the program's own table of events (`bun run generate`). A kind keeps its",
    "meaning and its details between releases; the sentences may change.",
    "",
    "    weave events --since 1h",
    "    weave events -f --kind link --kind container",
    "",
    "The router keeps what happens on its host and in its network, in the order in which it happens: the",
    "latest thousands in memory, more in `events.jsonl` and `events.jsonl.1` in its state folder",
    "(`/var/lib/weave`), 4 MiB each, for root alone. Each line there is one event as JSON. Nothing in an",
    "event is secret. A kind that comes in a flood is thinned out to 20 a second, and `events.skipped`",
    "says how many were not kept. `weave reset` deletes the files.",
    "",
    "Programs read `weave events --json` ([json.md](json.md)) or `GET /events` ([api.md](api.md)), which",
    "also is a stream of server-sent events.",
    "",
    "| kind | meaning | details |",
    "| --- | --- | --- |",
  ];
  for (const [kind, { meaning, details }] of Object.entries(eventKinds)) {
    lines.push(`| \`${kind}\` | ${meaning} | ${details.map((each) => `\`${each}\``).join(", ")} |`);
  }
  return `${lines.join("\n")}\n`;
}
