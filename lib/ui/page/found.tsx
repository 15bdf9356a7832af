import type { Picture } from "../../api/picture-models.ts";
import { counted } from "../../base/counted.ts";
import { Choice } from "./parts.tsx";
import { placeOf, type Thing, titleOf } from "./things.ts";

export interface FoundProps {
  readonly found: readonly Thing[];
  /** Of all, also of those that are not among `found`. */
  readonly count: number;
  readonly picture: Picture;
  readonly selected: string | undefined;
  select(key: string): void;
}

/** What a search has found. */
export function Found({ found, count, picture, selected, select }: FoundProps) {
  return (
    <section aria-label="Found">
      <p class="faint" role="status">
        {count === 0 ? "Nothing is called so." : `${counted(count, "thing")} found`}
        {count > found.length ? `, the first ${found.length}:` : ""}
      </p>
      <ul class="plain found">
        {found.map((thing) => (
          <li key={thing.key} class={thing.key === selected ? "chosen" : ""}>
            <Choice onChoose={() => select(thing.key)}>{titleOf(thing, picture)}</Choice>{" "}
            <span class="faint">{placeOf(thing)}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}
