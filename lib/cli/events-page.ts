import { eventKinds } from "../base/event-kinds.ts";

const [begin, end] = ["<!-- kinds -->", "<!-- /kinds -->"];

/** docs/events.md with the table of all kinds in place of the one that it has. */
export function withEventTable(page: string): string {
  const [from, to] = [page.indexOf(begin), page.indexOf(end)];
  return `${page.slice(0, from + begin.length)}\n${eventTable()}${page.slice(to)}`;
}

function eventTable(): string {
  const rows = Object.entries(eventKinds).map(([kind, { meaning, details, isAsked }]) => {
    const listed = details.map((each) => `\`${each}\``).join(", ");
    return `| \`${kind}\` | ${meaning} | ${listed} | ${isAsked === true ? "•" : ""} |\n`;
  });
  return `| kind | meaning | details | by |\n| --- | --- | --- | --- |\n${rows.join("")}`;
}
