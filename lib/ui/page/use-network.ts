import { useEffect, useState } from "preact/hooks";
import type { EventModel } from "../../api/event-models.ts";
import type { Picture } from "../../api/picture-models.ts";
import { askPicture, followEvents } from "./server.ts";

/** How often the picture is asked for while somebody looks: round trips change without an event. */
const periodMs = 5000;
/** After an event, for others that come with it. */
const eventDelayMs = 250;
/** As many events are kept. */
const eventsMax = 300;

export interface Network {
  readonly picture: Picture | undefined;
  /** The latest first. */
  readonly events: readonly EventModel[];
  /** Why there is nothing newer to be seen. */
  readonly trouble: string | undefined;
}

/** The network as it is now, for as long as the page is looked at. */
export function useNetwork(): Network {
  const [picture, setPicture] = useState<Picture>();
  const [events, setEvents] = useState<readonly EventModel[]>([]);
  const [trouble, setTrouble] = useState<string>();

  useEffect(() => {
    const end = new AbortController();
    let timer = 0;
    let text = "";
    const look = async (): Promise<void> => {
      clearTimeout(timer);
      if (!document.hidden) {
        try {
          const next = await askPicture();
          const nextText = JSON.stringify(next);
          if (nextText !== text) setPicture(next);
          text = nextText;
          setTrouble(undefined);
        } catch (error) {
          setTrouble(error instanceof Error ? error.message : String(error));
        }
      }
      if (!end.signal.aborted) soon(periodMs);
    };
    const soon = (delayMs: number): void => {
      clearTimeout(timer);
      timer = window.setTimeout(look, delayMs);
    };
    const shown = (): void => void look();
    document.addEventListener("visibilitychange", shown, { signal: end.signal });
    followEvents((event) => {
      setEvents((before) => [event, ...before].slice(0, eventsMax));
      soon(eventDelayMs);
    }, end.signal);
    void look();
    return () => {
      end.abort();
      clearTimeout(timer);
    };
  }, []);
  return { picture, events, trouble };
}
