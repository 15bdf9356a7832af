import { useEffect, useState } from "preact/hooks";
import type { EventModel } from "../../api/event-models.ts";
import type { Picture } from "../../api/picture-models.ts";
import type { Finding } from "../../diagnosis/finding.ts";
import { again } from "./again.ts";
import { followEvents } from "./follow-events.ts";
import { SeenPicture } from "./seen-picture.ts";
import { askDoctor, askPicture } from "./server.ts";
import { type Rates, TrafficLog } from "./traffic.ts";

/** How often is asked while somebody looks: traffic and round trips change without an event. */
const [pictureMs, doctorMs] = [2000, 10_000];
/** After an event, for others that come with it; the doctor waits for what follows from it. */
const [pictureDelayMs, doctorDelayMs] = [250, 1500];
/** Until other hosts have told of their links. */
const toldMs = 800;
/** As many events are kept. */
const eventsMax = 300;

export interface Network {
  readonly picture: Picture | undefined;
  readonly rates: Rates;
  /** Of the host that serves the page; missing before it has been looked at. */
  readonly findings: readonly Finding[] | undefined;
  /** The latest first. */
  readonly events: readonly EventModel[];
  /** Why there is nothing newer to be seen. */
  readonly trouble: string | undefined;
}

/** The network as it is now, for as long as the page is looked at. */
export function useNetwork(): Network {
  const [seen, setSeen] = useState<Pick<Network, "picture" | "rates">>(nothing);
  const [findings, setFindings] = useState<readonly Finding[]>();
  const [events, setEvents] = useState<readonly EventModel[]>([]);
  const [trouble, setTrouble] = useState<string>();

  useEffect(() => {
    const end = new AbortController();
    const traffic = new TrafficLog();
    const shown = new SeenPicture();
    const pictures = again(end.signal, pictureMs, async () => {
      try {
        const picture = shown.take(await askPicture(shown.version));
        traffic.note(picture, performance.now());
        setSeen({ picture, rates: traffic.rates });
        setTrouble(undefined);
      } catch (error) {
        setTrouble(error instanceof Error ? error.message : String(error));
      }
    });
    // Other hosts are asked for their links by the first look, and have told of them then.
    const toldTimer = setTimeout(() => pictures.soon(0), toldMs);
    const doctor = again(end.signal, doctorMs, async () => {
      // Where the router does not answer, the picture says so.
      const diagnosis = await askDoctor().catch(() => undefined);
      if (diagnosis !== undefined) setFindings(diagnosis.findings);
    });
    void followEvents((event) => {
      setEvents((before) => [event, ...before].slice(0, eventsMax));
      pictures.soon(pictureDelayMs);
      doctor.soon(doctorDelayMs);
    }, end.signal);
    return () => {
      clearTimeout(toldTimer);
      end.abort();
    };
  }, []);
  return { ...seen, findings, events, trouble };
}

const nothing = { picture: undefined, rates: new Map() };
