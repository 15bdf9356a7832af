import type { Picture } from "../../api/picture-models.ts";
import {
  type ClockState,
  clockState,
  clockText,
  farClockText,
  ownClock,
} from "../../diagnosis/clock-offset.ts";

/** What is known of a host's clock. */
export interface HostClock {
  readonly state: ClockState;
  /** `45 s ahead of that of this host`, as the doctor says it. */
  readonly text: string;
}

/** Clocks of the hosts that this one is linked with, by peer name; its own where that is the wrong one. */
export function hostClocks({ self, links }: Pick<Picture, "self" | "links">) {
  const offsets = new Map<string, number>();
  for (const { from, to, own } of links) {
    const offsetMs = own?.clockOffsetMs ?? undefined;
    if (offsetMs !== undefined) offsets.set(from === self ? to : from, offsetMs);
  }
  const own = ownClock([...offsets.values()]);
  const clocks = new Map<string, HostClock>();
  for (const [name, offsetMs] of offsets) {
    const state = own === undefined ? clockState(offsetMs) : "right";
    clocks.set(name, { state, text: textOf(offsetMs, "that of this host", state) });
  }
  if (own !== undefined) {
    const state = clockState(own.offsetMs);
    clocks.set(self, { state, text: textOf(own.offsetMs, own.whose, state) });
  }
  return clocks as ReadonlyMap<string, HostClock>;
}

function textOf(offsetMs: number, whose: string, state: ClockState): string {
  const consequence = state === "far" ? `: ${farClockText}` : "";
  return `${clockText(offsetMs)} ${whose}${consequence}`;
}
