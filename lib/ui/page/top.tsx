import { useEffect, useMemo, useRef } from "preact/hooks";
import type { Picture } from "../../api/picture-models.ts";
import { counted } from "../../base/counted.ts";
import { type Grouping, groupingsOf } from "./grouping.ts";
import { healthOf } from "./things.ts";

export interface TopProps {
  readonly picture: Picture;
  readonly trouble: string | undefined;
  readonly grouping: Grouping;
  setGrouping(grouping: Grouping): void;
  readonly query: string;
  setQuery(query: string): void;
  choose(): void;
  clear(): void;
}

/** What there is in one line, searching, and by what containers stand together. */
export function Top(props: TopProps) {
  const { picture, trouble, grouping, setGrouping, query, setQuery, choose, clear } = props;
  const field = useRef<HTMLInputElement>(null);
  const groupings = useMemo(() => groupingsOf(picture, grouping), [picture, grouping]);
  useEffect(() => {
    const pressed = (event: KeyboardEvent): void => {
      const isTyping = event.target instanceof HTMLInputElement;
      if (event.key === "/" && !isTyping) {
        event.preventDefault();
        field.current?.focus();
      }
      if (event.key === "Escape") clear();
    };
    document.addEventListener("keydown", pressed);
    return () => document.removeEventListener("keydown", pressed);
  }, [clear]);
  return (
    <header>
      <h1>weave</h1>
      <p class="summary" role="status">
        {trouble === undefined ? summaryOf(picture) : `Not up to date: ${trouble}`}
      </p>
      <label>
        <span class="unseen">Search</span>
        <input
          ref={field}
          type="search"
          placeholder="Search names, addresses, labels ( / )"
          value={query}
          onInput={(event) => setQuery(event.currentTarget.value)}
          onKeyDown={(event) => event.key === "Enter" && choose()}
        />
      </label>
      <label class="by">
        Group by{" "}
        <select
          value={grouping}
          onChange={(event) => setGrouping(event.currentTarget.value as Grouping)}
        >
          {groupings.map((each) => (
            <option key={each}>{each}</option>
          ))}
        </select>
      </label>
    </header>
  );
}

function summaryOf({ peers, containers, links }: Picture): string {
  const healths = links.map(healthOf);
  const broken = healths.filter((health) => health === "broken").length;
  const slow = healths.filter((health) => health === "slow").length;
  return [
    counted(peers.length, "host"),
    counted(containers.length, "container"),
    counted(links.length, "link"),
    ...(slow > 0 ? [`${slow} by sleeve`] : []),
    ...(broken > 0 ? [`${broken} not as it should be`] : []),
  ].join(" · ");
}
