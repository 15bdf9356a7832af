import type { NetworkReading } from "../live/network-reading.ts";
import { ratesBetween } from "../live/traffic-rates.ts";
import { keyPressed } from "./top-keys.ts";
import type { Happening, Known, TopState } from "./top-state.ts";

const eventsMax = 500;
const ratesMax = 120;

/** The state after something has happened. */
export function afterwards(state: TopState, happening: Happening): TopState {
  if (happening.what === "key") return keyPressed(state, happening.key);
  return { ...state, live: learned(state.live, happening) };
}

function learned(known: Known, happening: Exclude<Happening, { what: "key" }>): Known {
  switch (happening.what) {
    case "reading":
      return withReading(known, happening.reading);
    case "missed":
      return { ...known, trouble: happening.sentence };
    case "event":
      return { ...known, events: [happening.event, ...known.events].slice(0, eventsMax) };
    case "findings":
      return { ...known, findings: happening.findings };
  }
}

function withReading(known: Known, reading: NetworkReading): Known {
  const { reading: before, rates } = known;
  const latest = before === undefined ? [] : [ratesBetween(before, reading)];
  return { ...known, reading, trouble: undefined, rates: [...rates, ...latest].slice(-ratesMax) };
}
