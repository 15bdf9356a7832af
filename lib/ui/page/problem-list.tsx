import type { Picture } from "../../api/picture-models.ts";
import { Choice } from "./parts.tsx";
import type { Problem } from "./problems.ts";
import type { Question } from "./question.ts";
import { Remedy } from "./remedy.tsx";
import { type Thing, titleOf } from "./things.ts";

export interface ProblemListProps {
  readonly picture: Picture;
  readonly things: ReadonlyMap<string, Thing>;
  /** Missing while nobody has looked yet. */
  readonly problems: readonly Problem[] | undefined;
  readonly shown: Problem | undefined;
  show(problem: Problem | undefined): void;
  select(key: string): void;
  ask(question: Question): void;
}

/** What is wrong and what to do; one that is chosen shows in the picture what it is about. */
export function ProblemList(props: ProblemListProps) {
  const { picture, things, problems, shown, show, select, ask } = props;
  if (problems === undefined) return <p class="faint">Looking…</p>;
  if (problems.length === 0) return <NoProblems />;
  return (
    <ul class="plain" aria-label="Problems, the worst first">
      {problems.map((problem) => {
        const isShown = shown !== undefined && isSame(problem, shown);
        const question = questionOf(problem);
        const about = problem.about.flatMap((key) => things.get(key) ?? []);
        return (
          <li key={problem.code + problem.sentence} class={`finding ${problem.severity}`}>
            <button
              type="button"
              class="problem"
              aria-pressed={isShown}
              onClick={() => show(isShown ? undefined : problem)}
            >
              <span class={`mark ${colours[problem.severity]}`}>{problem.severity}</span>{" "}
              {problem.sentence}
            </button>
            <Remedy {...problem} />
            {question !== undefined && (
              <button type="button" class="action" onClick={() => ask(question)}>
                What policies let them open
              </button>
            )}
            {about.length > 0 && (
              <p class="about">
                {about.map((thing) => (
                  <Choice key={thing.key} onChoose={() => select(thing.key)}>
                    {titleOf(thing, picture)}
                  </Choice>
                ))}
              </p>
            )}
          </li>
        );
      })}
    </ul>
  );
}

const colours = { error: "broken", warning: "slow", note: "faint" } as const;

/** What may be asked at once of a problem with two ends. */
function questionOf({ code, about }: Problem): Question | undefined {
  const [from, to, ...more] = about;
  const hasEnds = from !== undefined && to !== undefined && more.length === 0;
  return code === "POLICY_BLOCKS" && hasEnds ? { kind: "policy", from, to } : undefined;
}

/** They are found anew again and again. */
export function isSame(a: Problem, b: Problem): boolean {
  return a.code === b.code && a.about.join() === b.about.join();
}

/** What was looked at, so that nothing found means something. */
export function NoProblems() {
  return (
    <p>
      <span class="mark good">✓ No problem is known.</span>{" "}
      <span class="faint">
        This host was examined, and what it hears of others. Open the page there for what only they
        can see.
      </span>
    </p>
  );
}
