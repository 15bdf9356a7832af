import { afterEach, beforeEach, describe, expect, jest, test } from "bun:test";
import { withProgress } from "../../lib/cli/progress.ts";
import { waitingApi } from "../../lib/cli/waiting-api.ts";

beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
});

interface Heard {
  readonly written: string[];
  /** `undefined` for a line that was taken away. */
  readonly passed: (string | undefined)[];
}

function terminal(canPass = true): {
  heard: Heard;
  stderr: Parameters<typeof withProgress>[0]["stderr"];
} {
  const heard: Heard = { written: [], passed: [] };
  const write = (text: string): void => void heard.written.push(text);
  const pass = (line?: string): void => void heard.passed.push(line);
  return { heard, stderr: { write, isTerminal: true, ...(canPass && { pass }) } };
}

describe("who waits for a command at a terminal", () => {
  test("is told after a second what for and for how long, until it is done", async () => {
    const { heard, stderr } = terminal();
    const work = Promise.withResolvers<number>();
    const done = withProgress({ stderr }, "waiting for rain", () => work.promise);
    jest.advanceTimersByTime(999);
    expect(heard.passed).toEqual([]);
    jest.advanceTimersByTime(1);
    jest.advanceTimersByTime(1000);
    expect(heard.passed).toHaveLength(2);
    expect(heard.passed.at(-1)).toStartWith("waiting for rain (");
    work.resolve(7);
    expect(await done).toBe(7);
    expect(heard).toMatchObject({ written: [], passed: { 2: undefined } });
    jest.advanceTimersByTime(10_000);
    expect(heard.passed).toHaveLength(3);
  });

  test("is told once where lines cannot be taken away, and a script not at all", async () => {
    for (const [isTerminal, written] of [
      [true, ["waiting for rain\n"]],
      [false, []],
    ] as const) {
      const { heard, stderr } = terminal(false);
      const work = Promise.withResolvers<void>();
      const output = { ...stderr, isTerminal };
      const done = withProgress({ stderr: output }, "waiting for rain", () => work.promise);
      jest.advanceTimersByTime(60_000);
      work.resolve();
      await done;
      expect(heard.written).toEqual([...written]);
    }
  });

  test("is rid of the line when it fails, and told by now what is waited for", async () => {
    const { heard, stderr } = terminal();
    let step = "first";
    const work = Promise.withResolvers<void>();
    const done = withProgress(
      { stderr },
      () => step,
      () => work.promise,
    );
    jest.advanceTimersByTime(1000);
    step = "second";
    jest.advanceTimersByTime(1000);
    work.reject(new Error("no"));
    expect(done).rejects.toThrow("no");
    await done.catch(() => undefined);
    expect(heard.passed.map((line) => line?.split(" ")[0])).toEqual(["first", "second", undefined]);
  });

  test("hears of a router that takes its time, but for what has a word of its own", async () => {
    const { heard, stderr } = terminal();
    const answer = Promise.withResolvers<string>();
    const api = waitingApi({ stderr, api: { request: () => answer.promise } });
    const own = { patient: true } as const;
    const followed = { signal: new AbortController().signal };
    const asked = [own, followed].map((how) => api.request({ method: "GET", path: [], ...how }));
    jest.advanceTimersByTime(5000);
    expect(heard.passed).toEqual([]);
    asked.push(api.request({ method: "GET", path: [] }));
    jest.advanceTimersByTime(1000);
    expect(heard.passed[0]).toStartWith("waiting for the router to answer (");
    answer.resolve("");
    await Promise.all(asked);
  });
});
