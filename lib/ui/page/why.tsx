import { useEffect, useState } from "preact/hooks";
import type { Explanation } from "../../diagnosis/why/explanation.ts";
import { askWhy } from "./server.ts";

export interface WhyProps {
  /** Places as the router's commands name them, and as people do. */
  readonly from: { readonly place: string; readonly title: string };
  readonly to: { readonly place: string; readonly title: string };
  close(): void;
}

/** Whether and how a frame gets from one place to another, as `weave why` says it. */
export function Why({ from, to, close }: WhyProps) {
  const [answer, setAnswer] = useState<Explanation>();
  const [trouble, setTrouble] = useState<string>();
  useEffect(() => {
    let isWanted = true;
    setAnswer(undefined);
    setTrouble(undefined);
    askWhy(from.place, to.place).then(
      (explanation) => isWanted && setAnswer(explanation),
      (error: unknown) => isWanted && setTrouble(error instanceof Error ? error.message : "failed"),
    );
    return () => {
      isWanted = false;
    };
  }, [from.place, to.place]);
  return (
    <section aria-live="polite" aria-label="Why" class="why">
      <h2>
        {from.title} → {to.title}
        <button type="button" class="quiet" onClick={close} aria-label="Close the explanation">
          ✕
        </button>
      </h2>
      {trouble !== undefined && <p class="mark broken">{trouble}</p>}
      {answer === undefined && trouble === undefined && <p class="faint">Looking…</p>}
      {answer !== undefined && <Answer answer={answer} />}
    </section>
  );
}

const healthOfVerdict = { whole: "good", degraded: "slow", broken: "broken" } as const;

function Answer({ answer }: { answer: Explanation }) {
  return (
    <>
      <p class={`mark ${healthOfVerdict[answer.verdict]}`}>{answer.answer}</p>
      {answer.findings.map(({ code, sentence, remedy, commands }) => (
        <div key={code + sentence} class="finding">
          <strong>{code}</strong> {sentence}
          <p>{remedy}</p>
          {commands.length > 0 && <pre>{commands.join("\n")}</pre>}
        </div>
      ))}
      <ol class="steps">
        {answer.steps.map(({ title, details }) => (
          <li key={title}>
            {title}
            <ul class="plain faint">
              {details.map(({ name, value }) => (
                <li key={name}>
                  {name}: {value}
                </li>
              ))}
            </ul>
          </li>
        ))}
      </ol>
    </>
  );
}
