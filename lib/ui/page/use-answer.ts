import { useEffect, useState } from "preact/hooks";

export interface Awaited<Answer> {
  readonly answer: Answer | undefined;
  /** Why there is none. */
  readonly trouble: string | undefined;
}

/** What the router answers about two places; asked anew when they are others. */
export function useAnswer<Answer>(
  ask: (from: string, to: string) => Promise<Answer>,
  from: string,
  to: string,
): Awaited<Answer> {
  const [got, setGot] = useState<Awaited<Answer>>(nothing);
  useEffect(() => {
    let isWanted = true;
    setGot(nothing);
    const take = (next: Awaited<Answer>): void => {
      if (isWanted) setGot(next);
    };
    ask(from, to).then(
      (answer) => take({ answer, trouble: undefined }),
      (error: unknown) => take({ answer: undefined, trouble: textOf(error) }),
    );
    return () => {
      isWanted = false;
    };
  }, [ask, from, to]);
  return got;
}

const nothing = { answer: undefined, trouble: undefined };

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
