export interface LegendProps {
  /** There are links of which nobody tells. */
  readonly hasUntold: boolean;
  readonly hasWrongClock: boolean;
}

/** What the picture's lines and circles mean. */
export function Legend({ hasUntold, hasWrongClock }: LegendProps) {
  return (
    <details class="legend" open={matchMedia("(min-width: 761px)").matches}>
      <summary>Legend</summary>
      <ul>
        {lines
          .filter(([kind]) => kind !== "plain" || hasUntold)
          .map(([kind, words]) => (
            <li key={kind}>
              <svg viewBox="0 0 28 10" aria-hidden="true">
                <path d="M1 5H27" class={`line ${kind}`} />
                {kind === "sealed" && <path d="M1 5H27" class="line between" />}
              </svg>
              {words}
            </li>
          ))}
        {discs
          .filter(([kind]) => kind !== "late" || hasWrongClock)
          .map(([kind, words]) => (
            <li key={kind}>
              <svg viewBox="0 0 28 10" aria-hidden="true">
                <circle cx="14" cy="5" r="4.5" class={`disc ${kind}`} />
              </svg>
              {words}
            </li>
          ))}
      </ul>
    </details>
  );
}

const lines = [
  ["good", "in the kernel"],
  ["slow", "by sleeve"],
  ["plain", "not told"],
  ["broken", "trouble"],
  ["sealed", "encrypted"],
] as const;

const discs = [
  ["self", "this host"],
  ["other", "host"],
  ["late", "host whose clock is off"],
  ["inside", "container"],
] as const;
