import type { PictureNews } from "../../api/picture-log.ts";
import type { Diagnosis } from "../../diagnosis/doctor/diagnosis.ts";
import type { Explanation } from "../../diagnosis/why/explanation.ts";
import { authorization } from "./token.ts";
import type { Ways } from "./verdict-text.ts";

/** What the page asks of the router that serves it. */

/** A tunnel to the router's host that has broken may say nothing for ever. */
const answerMaxMs = 30_000;

/** @throws Error with the router's own sentence */
async function ask<Answer>(path: string): Promise<Answer> {
  const response = await fetch(path, {
    headers: { Accept: "application/json", ...authorization() },
    signal: AbortSignal.timeout(answerMaxMs),
  }).catch((error: unknown) => {
    throw error instanceof Error && error.name === "TimeoutError"
      ? new Error(`the router has not answered for ${answerMaxMs / 1000} s`)
      : error;
  });
  if (response.ok) return (await response.json()) as Answer;
  const text = await response.text();
  throw new Error(sentenceOf(text) ?? `the router answered with status ${response.status}`);
}

function sentenceOf(text: string): string | undefined {
  try {
    const { message, remedy } = JSON.parse(text) as { message?: string; remedy?: string };
    return remedy === undefined ? message : `${message}: ${remedy}`;
  } catch {
    return text.trim() || undefined;
  }
}

/** @param since the version that the page has; empty for none */
export function askPicture(since: string): Promise<PictureNews> {
  return ask(`/picture/changes?${new URLSearchParams({ since })}`);
}

export function askWhy(from: string, to: string): Promise<Explanation> {
  return ask(`/why?${new URLSearchParams({ from, to })}`);
}

/** What two may open to each other. */
export function askWays(from: string, to: string): Promise<Ways> {
  return ask(`/policy/ways?${new URLSearchParams({ from, to })}`);
}

export const askDoctor = (): Promise<Diagnosis> => ask("/doctor");
