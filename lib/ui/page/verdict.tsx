import { AnswerBox, type AnswerProps } from "./answer-box.tsx";
import { askWays } from "./server.ts";
import { useAnswer } from "./use-answer.ts";
import { portsText, reasonsOf, summaryOf, type Way } from "./verdict-text.ts";

/** What policies let two open to each other, and which of them decide. */
export function Verdict(props: AnswerProps) {
  const { from, to } = props;
  const awaited = useAnswer(askWays, from.place, to.place);
  return (
    <AnswerBox
      {...props}
      label="Policy verdict"
      heading={`Policies: ${from.title} ⇄ ${to.title}`}
      awaited={awaited}
    >
      {({ ways, enforced }) => (
        <>
          {!enforced && ways.some((way) => summaryOf(way) !== "allowed") && (
            <p class="mark slow">This host does not enforce policies now; others may.</p>
          )}
          {ways.map((way, index) => (
            <WayPart
              key={index}
              way={way}
              title={index === 0 ? `${from.title} → ${to.title}` : `${to.title} → ${from.title}`}
            />
          ))}
        </>
      )}
    </AnswerBox>
  );
}

const words = { allowed: "allowed", denied: "denied", partly: "some is allowed" } as const;
const marks = { allowed: "good", denied: "broken", partly: "slow" } as const;

function WayPart({ way, title }: { way: Way; title: string }) {
  const summary = summaryOf(way);
  return (
    <section class="way" aria-label={title}>
      <h3>
        {title} <span class={`mark ${marks[summary]}`}>{words[summary]}</span>
      </h3>
      <ul class="plain">
        {way.verdicts.map((verdict, index) => (
          <li key={portsText(way, index)} class={`finding ${verdict.allowed ? "fine" : "error"}`}>
            <span class={`mark ${verdict.allowed ? "good" : "broken"}`}>
              {verdict.allowed ? "✓ allowed" : "✕ denied"}
            </span>{" "}
            {portsText(way, index)}
            {reasonsOf(verdict).map((reason) => (
              <p key={reason} class="faint">
                {reason}
              </p>
            ))}
          </li>
        ))}
      </ul>
      {!way.complete && <p class="faint">Policies name more ports than are shown.</p>}
    </section>
  );
}
