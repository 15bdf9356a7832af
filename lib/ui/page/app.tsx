import { useCallback, useMemo, useState } from "preact/hooks";
import type { Picture } from "../../api/picture-models.ts";
import { Chosen } from "./details.tsx";
import { EventList } from "./event-list.tsx";
import { Found } from "./found.tsx";
import { Graph } from "./graph.tsx";
import type { Grouping } from "./grouping.ts";
import { NameList } from "./name-list.tsx";
import { Overview } from "./overview.tsx";
import { isSame, ProblemList } from "./problem-list.tsx";
import { type Problem, problemsOf } from "./problems.ts";
import { answered, endsOf, litBy, type Question } from "./question.ts";
import { Ring } from "./ring.tsx";
import { type Tab, Tabs } from "./tabs.tsx";
import { search, thingsOf } from "./things.ts";
import { Top } from "./top.tsx";
import { type Network, useNetwork } from "./use-network.ts";
import { Verdict } from "./verdict.tsx";
import { Why } from "./why.tsx";

/** The whole page. */
export function App() {
  const network = useNetwork();
  const { picture, trouble } = network;
  if (picture === undefined) {
    return <main class="waiting">{trouble ?? "Looking at the network…"}</main>;
  }
  return <Shown network={network} picture={picture} />;
}

function Shown({ network, picture }: { network: Network; picture: Picture }) {
  const { rates, findings, events, trouble } = network;
  const [grouping, setGrouping] = useState<Grouping>("host");
  const [query, setQuery] = useState("");
  const [selected, setSelected] = useState<string>();
  const [question, setQuestion] = useState<Question>();
  const [shownProblem, showProblem] = useState<Problem>();
  const [tab, setTab] = useState<Tab>("Network");
  const things = useMemo(() => thingsOf(picture), [picture]);
  const { found, count } = useMemo(() => search(things, picture, query), [things, picture, query]);
  const problems = useMemo(
    () => findings && problemsOf(picture, findings, events, Date.now()),
    [picture, findings, events],
  );
  const lit = useMemo(() => {
    if (query !== "") return new Set(found.map(({ key }) => key));
    if (question?.to !== undefined) return litBy(question, things);
    const problem = shownProblem && problems?.find((each) => isSame(each, shownProblem));
    return problem && problem.about.length > 0 ? new Set(problem.about) : undefined;
  }, [query, found, question, things, shownProblem, problems]);
  const select = useCallback(
    (key: string | undefined) => {
      const thing = key === undefined ? undefined : things.get(key);
      setSelected(key);
      showProblem(undefined);
      if (thing === undefined) return;
      setQuestion((before) => answered(before, thing));
      setTab("Network");
    },
    [things],
  );
  const clear = useCallback(() => {
    setQuery("");
    setQuestion(undefined);
    setSelected(undefined);
    showProblem(undefined);
  }, []);
  const chosen = selected === undefined ? undefined : things.get(selected);
  const ends = question && endsOf(question, things, picture);
  const close = (): void => setQuestion(undefined);
  const seen = { picture, things, rates, select };
  return (
    <div class="app">
      <Top
        {...{ picture, grouping, setGrouping, query, setQuery, trouble, clear }}
        choose={() => found[0] && select(found[0].key)}
      />
      <Graph {...{ picture, grouping, selected, select, rates, lit, question }} />
      <aside aria-label="Details">
        <Tabs tab={tab} setTab={setTab} problems={problems} />
        {question !== undefined && question.to === undefined && (
          <p class="hint" role="status">
            Now choose the other end: in the picture, or by searching.
          </p>
        )}
        {tab === "Network" && (
          <>
            {question && ends && question.kind === "why" && (
              <Why from={ends[0]} to={ends[1]} close={close} />
            )}
            {question && ends && question.kind === "policy" && (
              <Verdict from={ends[0]} to={ends[1]} close={close} />
            )}
            {query !== "" && <Found {...{ found, count, picture, select, selected }} />}
            {chosen !== undefined && (
              <Chosen
                {...seen}
                thing={chosen}
                ask={(kind) => setQuestion({ kind, from: chosen.key })}
              />
            )}
            {chosen === undefined && query === "" && (
              <Overview {...seen} problems={problems} showProblems={() => setTab("Problems")} />
            )}
          </>
        )}
        {tab === "Problems" && (
          <ProblemList
            {...seen}
            problems={problems}
            shown={shownProblem}
            show={showProblem}
            ask={(asked) => {
              setQuestion(asked);
              setTab("Network");
            }}
          />
        )}
        {tab === "Names" && <NameList {...seen} query={query} />}
        {tab === "Addresses" && <Ring {...seen} />}
        {tab === "Events" && <EventList events={events} />}
      </aside>
    </div>
  );
}
