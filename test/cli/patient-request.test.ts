import { afterEach, beforeEach, describe, expect, jest, test } from "bun:test";
import { weave } from "./command-line.ts";

beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
});

/** What a command says on stderr when the cluster takes a while to agree. */
async function saidMeanwhile(words: string[], isTerminal: boolean): Promise<string> {
  const agreed = Promise.withResolvers<string>();
  const asked = Promise.withResolvers<void>();
  const outcome = weave(words, {
    isTerminal,
    answer: () => {
      asked.resolve();
      return agreed.promise;
    },
  });
  await asked.promise;
  jest.advanceTimersByTime(60_000);
  agreed.resolve(JSON.stringify({ cidrs: [] }));
  return (await outcome).stderr;
}

describe("a command that waits for the cluster", () => {
  for (const words of [["attach", "netns:c1"], ["expose"], ["prime"]]) {
    test(`weave ${words[0]} says once what for, to people and not to scripts`, async () => {
      expect(await saidMeanwhile(words, true)).toMatch(
        /^waiting for the cluster to agree [^\n]*\n$/,
      );
      expect(await saidMeanwhile(words, false)).toBe("");
    });
  }

  test("and is answered at once says nothing", async () => {
    const { stderr } = await weave(["prime"], { isTerminal: true, answer: () => "" });
    jest.advanceTimersByTime(60_000);
    expect(stderr).toBe("");
  });
});
