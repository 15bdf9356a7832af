import { errorCode, errorText, WeaveError } from "../base/errors.ts";

/**
 * What a router's process tells whoever has started it, a line each on descriptor 3:
 *
 *   ready <id of the run> · warm · failed {"code":…,"message":…,"remedy":…}
 */
export function failedAnswer(error: unknown): string {
  const remedy = error instanceof WeaveError ? error.remedy : undefined;
  return `failed ${JSON.stringify({ code: errorCode(error), message: errorText(error), remedy })}`;
}

/**
 * What follows `wanted` in an answer; `undefined` when the process has ended without a word.
 *
 * @throws WeaveError what the process failed with
 */
export function restOfAnswer(answer: string, wanted: "ready" | "warm"): string | undefined {
  const [word = ""] = answer.split(" ", 1);
  const rest = answer.slice(word.length + 1);
  if (word === wanted) return rest;
  if (word !== "failed") return undefined;
  const { code, message, remedy } = JSON.parse(rest) as Record<string, string>;
  throw new WeaveError(code ?? "ROUTER_FAILED", message ?? "", remedy ? { remedy } : {});
}
