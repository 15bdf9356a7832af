import type { EventModel } from "../../api/event-models.ts";

/** What has happened on this host, the latest first. */
export function EventList({ events }: { events: readonly EventModel[] }) {
  if (events.length === 0) return <p class="faint">Nothing has happened yet.</p>;
  return (
    <ol class="events" aria-label="Events, the latest first">
      {events.map(({ id, at, kind, text }) => (
        <li key={id}>
          <time dateTime={at}>{new Date(at).toLocaleTimeString()}</time>
          <span class="kind">{kind}</span>
          <span>{text}</span>
        </li>
      ))}
    </ol>
  );
}
