import type { EventModel } from "../../api/event-models.ts";
import type { NetworkReading } from "../live/network-reading.ts";
import type { TrafficRates } from "../live/traffic-rates.ts";
import type { Key } from "../terminal/keys.ts";

/** What `weave top` knows, and how somebody looks at it. */
export interface TopState {
  readonly live: Known;
  /** What is shown while it is paused. */
  readonly frozen: Known | undefined;
  readonly view: TopView;
  readonly isOver: boolean;
}

export interface Known {
  readonly reading: NetworkReading | undefined;
  /** Between readings, the oldest first. */
  readonly rates: readonly TrafficRates[];
  /** The latest first. */
  readonly events: readonly EventModel[];
  /** Why there is no newer reading. */
  readonly trouble: string | undefined;
  /** What is wrong with this host, in a few words; undefined while it is not known. */
  readonly findings: string | undefined;
}

export const panes = ["links", "containers", "events"] as const;
export type Pane = (typeof panes)[number];

export interface TopView {
  readonly pane: Pane;
  readonly places: Readonly<Record<Pane, Place>>;
  /** Rows without this text are not shown; letter case is no difference. */
  readonly filter: string;
  /** Whether keys go to the filter. */
  readonly isTyping: boolean;
  readonly hasHelp: boolean;
}

/** Where somebody is in a pane. */
export interface Place {
  /** The chosen row, from the top. */
  readonly row: number;
  /** The column by which rows are sorted. */
  readonly sort: number;
  readonly isReversed: boolean;
}

const top: Place = { row: 0, sort: 0, isReversed: false };

export const emptyState: TopState = {
  live: {
    ...{ reading: undefined, rates: [], events: [] },
    ...{ trouble: undefined, findings: undefined },
  },
  frozen: undefined,
  view: {
    pane: "links",
    places: { links: top, containers: top, events: top },
    ...{ filter: "", isTyping: false, hasHelp: false },
  },
  isOver: false,
};

export type Happening =
  | { readonly what: "reading"; readonly reading: NetworkReading }
  | { readonly what: "missed"; readonly sentence: string }
  | { readonly what: "event"; readonly event: EventModel }
  | { readonly what: "findings"; readonly findings: string }
  | { readonly what: "key"; readonly key: Key };

/** What is to be seen. */
export function shownOf({ live, frozen }: TopState): Known {
  return frozen ?? live;
}
