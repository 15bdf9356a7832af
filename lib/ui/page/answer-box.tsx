import type { ComponentChildren } from "preact";
import type { End } from "./question.ts";
import type { Awaited } from "./use-answer.ts";

export interface AnswerProps {
  readonly from: End;
  readonly to: End;
  close(): void;
}

interface BoxProps<Answer> extends AnswerProps {
  readonly label: string;
  readonly heading: string;
  readonly awaited: Awaited<Answer>;
  children(answer: Answer): ComponentChildren;
}

/** What was asked about two places, and the answer when it is there. */
export function AnswerBox<Answer>(props: BoxProps<Answer>) {
  const { label, heading, awaited, close, children } = props;
  const { answer, trouble } = awaited;
  return (
    <section aria-live="polite" aria-label={label} class="answer">
      <h2>
        {heading}
        <button type="button" class="quiet" onClick={close} aria-label="Close the answer">
          ✕
        </button>
      </h2>
      {trouble !== undefined && <p class="mark broken">{trouble}</p>}
      {answer === undefined && trouble === undefined && <p class="faint">Looking…</p>}
      {answer !== undefined && children(answer)}
    </section>
  );
}
