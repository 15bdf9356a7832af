import { useCallback, useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { EventModel } from "../../api/event-models.ts";
import type { Picture } from "../../api/picture-models.ts";
import { Choice, Details, Heading } from "./details.tsx";
import { Graph } from "./graph.tsx";
import { type Grouping, groupings } from "./grouping.ts";
import { Ring } from "./ring.tsx";
import { healthOf, placeOf, search, type Thing, thingsOf, titleOf } from "./things.ts";
import { useNetwork } from "./use-network.ts";
import { Why } from "./why.tsx";

const tabs = ["Network", "Addresses", "Events"] as const;
type Tab = (typeof tabs)[number];

/** The whole page. */
export function App() {
  const { picture, events, trouble } = useNetwork();
  if (picture === undefined) {
    return <main class="waiting">{trouble ?? "Looking at the network…"}</main>;
  }
  return <Shown picture={picture} events={events} trouble={trouble} />;
}

interface ShownProps {
  readonly picture: Picture;
  readonly events: readonly EventModel[];
  readonly trouble: string | undefined;
}

function Shown({ picture, events, trouble }: ShownProps) {
  const [grouping, setGrouping] = useState<Grouping>("host");
  const [query, setQuery] = useState("");
  const [selected, setSelected] = useState<string>();
  const [whyFrom, setWhyFrom] = useState<string>();
  const [why, setWhy] = useState<{ readonly from: string; readonly to: string }>();
  const [tab, setTab] = useState<Tab>("Network");
  const things = useMemo(() => thingsOf(picture), [picture]);
  const { found, count } = useMemo(() => search(things, picture, query), [things, picture, query]);
  const foundKeys = useMemo(
    () => (query === "" ? undefined : new Set(found.map(({ key }) => key))),
    [query, found],
  );
  const select = useCallback(
    (key: string | undefined) => {
      setSelected(key);
      const to = key === undefined ? undefined : things.get(key);
      if (whyFrom !== undefined && to !== undefined && placeOf(to) !== undefined) {
        setWhy({ from: whyFrom, to: to.key });
        setWhyFrom(undefined);
      }
      if (key !== undefined) setTab("Network");
    },
    [things, whyFrom],
  );
  const ends =
    why && [things.get(why.from), things.get(why.to)].map((thing) => end(thing, picture));
  const chosen = selected === undefined ? undefined : things.get(selected);
  return (
    <div class="app">
      <Top
        {...{ picture, grouping, setGrouping, query, setQuery, trouble }}
        choose={() => found[0] && select(found[0].key)}
        clear={() => {
          setQuery("");
          setWhyFrom(undefined);
          setSelected(undefined);
          setWhy(undefined);
        }}
      />
      <Graph {...{ picture, grouping, selected, select }} found={foundKeys} />
      <aside aria-label="Details">
        <Tabs tab={tab} setTab={setTab} />
        {whyFrom !== undefined && (
          <p class="hint" role="status">
            Now choose where to: in the picture, or by searching.
          </p>
        )}
        {tab === "Network" && ends?.[0] && ends[1] && (
          <Why from={ends[0]} to={ends[1]} close={() => setWhy(undefined)} />
        )}
        {tab === "Network" && query !== "" && (
          <Found {...{ found, count, picture, select, selected }} />
        )}
        {tab === "Network" && chosen !== undefined && (
          <section aria-labelledby="chosen">
            <Heading picture={picture} thing={chosen} />
            {placeOf(chosen) !== undefined && (
              <button type="button" class="action" onClick={() => setWhyFrom(chosen.key)}>
                Why does it (not) reach…
              </button>
            )}
            <Details {...{ picture, thing: chosen, select }} />
          </section>
        )}
        {tab === "Network" && chosen === undefined && query === "" && (
          <Overview picture={picture} select={select} />
        )}
        {tab === "Addresses" && <Ring picture={picture} select={select} />}
        {tab === "Events" && <Events events={events} />}
      </aside>
    </div>
  );
}

function Tabs({ tab, setTab }: { tab: Tab; setTab(tab: Tab): void }) {
  return (
    <div class="tabs" role="tablist" aria-label="What to show">
      {tabs.map((each) => (
        <button
          type="button"
          role="tab"
          key={each}
          aria-selected={tab === each}
          onClick={() => setTab(each)}
        >
          {each}
        </button>
      ))}
    </div>
  );
}

function end(thing: Thing | undefined, picture: Picture) {
  const place = thing && placeOf(thing);
  return thing && place !== undefined ? { place, title: titleOf(thing, picture) } : undefined;
}

interface TopProps extends Pick<ShownProps, "picture" | "trouble"> {
  readonly grouping: Grouping;
  setGrouping(grouping: Grouping): void;
  readonly query: string;
  setQuery(query: string): void;
  choose(): void;
  clear(): void;
}

function Top(props: TopProps) {
  const { picture, trouble, grouping, setGrouping, query, setQuery, choose, clear } = props;
  const field = useRef<HTMLInputElement>(null);
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
          placeholder="Search names, addresses, ids  ( / )"
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
  const broken = links.filter((link) => healthOf(link) === "broken").length;
  const slow = links.filter((link) => healthOf(link) === "slow").length;
  return [
    counted(peers.length, "host"),
    counted(containers.length, "container"),
    counted(links.length, "link"),
    ...(slow > 0 ? [`${slow} by sleeve`] : []),
    ...(broken > 0 ? [`${broken} down`] : []),
  ].join(" · ");
}

function counted(count: number, thing: string): string {
  return `${count} ${thing}${count === 1 ? "" : "s"}`;
}

function Overview({ picture, select }: { picture: Picture; select(key: string): void }) {
  const hosts = [...thingsOf(picture).values()].filter(({ kind }) => kind === "peer");
  const countOf = (thing: Thing): number =>
    thing.kind === "peer"
      ? picture.containers.filter(({ peer }) => peer === thing.peer.name).length
      : 0;
  return (
    <section aria-label="Hosts">
      <h2>Hosts</h2>
      <ul class="plain">
        {hosts.map((thing) => (
          <li key={thing.key}>
            <Choice onChoose={() => select(thing.key)}>{titleOf(thing, picture)}</Choice>{" "}
            <span class="faint">
              {counted(countOf(thing), "container")}
              {thing.kind === "peer" && thing.peer.name === picture.self ? ", this host" : ""}
            </span>
            {thing.kind === "peer" && !thing.peer.reached && (
              <span class="mark broken"> not reached</span>
            )}
          </li>
        ))}
      </ul>
    </section>
  );
}

interface FoundProps {
  readonly found: readonly Thing[];
  readonly count: number;
  readonly picture: Picture;
  readonly selected: string | undefined;
  select(key: string): void;
}

function Found({ found, count, picture, selected, select }: FoundProps) {
  return (
    <section aria-label="Found">
      <p class="faint" role="status">
        {count === 0 ? "Nothing is called so." : `${counted(count, "thing")} found`}
        {count > found.length ? `, the first ${found.length}:` : ""}
      </p>
      <ul class="plain">
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

function Events({ events }: { events: readonly EventModel[] }) {
  if (events.length === 0) return <p class="faint">Nothing has happened yet.</p>;
  return (
    <ol class="events" aria-label="Events, the latest first">
      {events.map(({ id, at, kind, text }) => (
        <li key={id}>
          <time dateTime={at}>{new Date(at).toLocaleTimeString()}</time>
          <span class={`kind ${kind.split(".")[0]}`}>{kind}</span>
          <span>{text}</span>
        </li>
      ))}
    </ol>
  );
}
