import type { ComponentChildren } from "preact";
import { linkFacts } from "../../api/link-ends.ts";
import type { PictureLink } from "../../api/picture-models.ts";
import type { HostClock } from "./host-clocks.ts";
import { healthOf } from "./things.ts";

/** What many parts of the page are made of. */

/** Health in words and colour: colour alone says nothing to many. */
export function HealthMark({ link }: { link: PictureLink }) {
  const { own, oneSided, established } = link;
  const { overlay, encrypted } = linkFacts(link);
  const health = healthOf(link);
  const isHalf = established && oneSided && own === undefined;
  const broken = isHalf ? "one way only" : (own?.state ?? "not established");
  const text = health === "broken" ? broken : overlay || "established";
  return (
    <span class={`mark ${health}`}>
      {text}
      {encrypted ? ", encrypted" : ""}
    </span>
  );
}

/** How a host's clock is; one that is right has no colour. */
export function ClockMark({ clock, lead = "" }: { clock: HostClock; lead?: string }) {
  return (
    <span class={clock.state === "right" ? "" : `mark ${clockColours[clock.state]}`}>
      {lead}
      {clock.text}
    </span>
  );
}

const clockColours = { off: "slow", far: "broken" } as const;

export function Row({ term, children }: { term: string; children: ComponentChildren }) {
  return (
    <>
      <dt>{term}</dt>
      <dd>{children}</dd>
    </>
  );
}

export function Choice({ onChoose, children }: { onChoose(): void; children: ComponentChildren }) {
  return (
    <button type="button" class="choice" onClick={onChoose}>
      {children}
    </button>
  );
}
