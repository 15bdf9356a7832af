import type { Explanation } from "../../diagnosis/why/explanation.ts";
import { AnswerBox, type AnswerProps } from "./answer-box.tsx";
import { Remedy } from "./remedy.tsx";
import { askWhy } from "./server.ts";
import { useAnswer } from "./use-answer.ts";

/** Whether and how a frame gets from one place to another, as `weave why` says it. */
export function Why(props: AnswerProps) {
  const { from, to } = props;
  const awaited = useAnswer(askWhy, from.place, to.place);
  return (
    <AnswerBox {...props} label="Why" heading={`${from.title} → ${to.title}`} awaited={awaited}>
      {(answer) => <Way answer={answer} />}
    </AnswerBox>
  );
}

const healthOfVerdict = { whole: "good", degraded: "slow", broken: "broken" } as const;

function Way({ answer }: { answer: Explanation }) {
  return (
    <>
      <p class={`mark ${healthOfVerdict[answer.verdict]}`}>{answer.answer}</p>
      {answer.findings.map((finding) => (
        <div key={finding.code + finding.sentence} class={`finding ${finding.severity}`}>
          <p>{finding.sentence}</p>
          <Remedy {...finding} />
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
