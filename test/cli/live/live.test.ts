import { describe, expect, test } from "bun:test";
import type { ApiRequest } from "../../../lib/cli/api-client.ts";
import { ApiError } from "../../../lib/cli/api-error.ts";
import { ChangePrinter } from "../../../lib/cli/live/change-printer.ts";
import { changedLines } from "../../../lib/cli/live/changed-lines.ts";
import { followEvents } from "../../../lib/cli/live/follow-events.ts";
import { intervalOf, type Pace, repeat } from "../../../lib/cli/live/repeat.ts";
import { ratesBetween } from "../../../lib/cli/live/traffic-rates.ts";
import { type SomeLink, someReading } from "../some-network.ts";

const unreachable = (): never => {
  throw new ApiError("unreachable", "API_NOT_RUNNING", "weave is not running");
};

/** Time that passes only where somebody waits. */
class VirtualPace implements Pace {
  readonly waits: number[] = [];
  #nowMs = 0;

  nowMs(): number {
    return this.#nowMs;
  }

  work(ms: number): void {
    this.#nowMs += ms;
  }

  async wait(ms: number): Promise<void> {
    this.waits.push(ms);
    this.#nowMs += ms;
  }
}

describe("looking again and again", () => {
  test("goes on over a router that does not answer, and ends when it is to", async () => {
    const pace = new VirtualPace();
    const end = new AbortController();
    const story: string[] = [];
    await repeat({
      ...{ intervalMs: 2000, signal: end.signal, pace },
      async look() {
        story.push("look");
        pace.work(300);
        if (story.length === 2) unreachable();
        if (story.length > 3) end.abort();
      },
      missed: (sentence) => story.push(sentence),
    });
    expect(story).toEqual(["look", "look", "weave is not running", "look"]);
    expect(pace.waits).toEqual([2000, 1700, 1700, 1700]);
  });

  test("leaves a router at peace for which it is work", async () => {
    const pace = new VirtualPace();
    const end = new AbortController();
    await repeat({
      ...{ intervalMs: 2000, signal: end.signal, pace, missed() {} },
      async look() {
        pace.work(1000);
        end.abort();
      },
    });
    expect(pace.waits).toEqual([2000, 4000]);
  });

  test("does not hide what is no failure of the router", async () => {
    const look = (): Promise<void> => Promise.reject(new Error("ours"));
    const { signal } = new AbortController();
    const pace = new VirtualPace();
    const repetition = repeat({ intervalMs: 1, signal, pace, look, missed() {} });
    expect(repetition).rejects.toThrow("ours");
  });

  test("has an interval within reason", () => {
    expect(intervalOf("500ms")).toBe(500);
    expect(() => intervalOf("1ms")).toThrow("nobody can look every 1ms");
    expect(() => intervalOf("2h")).toThrow("nobody can look every 2h");
    expect(() => intervalOf("often")).toThrow('invalid duration "often"');
  });
});

describe("events", () => {
  const event = (id: number, second = 5): string => {
    const at = `2026-01-02T15:04:0${second}.678Z`;
    return `${JSON.stringify({ id, at, kind: "k", text: "", details: {} })}\n`;
  };

  test("are followed over a restart of the router, none twice, also when it was reset", async () => {
    const end = new AbortController();
    const wanted = [["since", "x"] as const, ["kind", "link"] as const];
    const asked: string[] = [];
    const heard: number[] = [];
    const answers = [
      event(6) + event(7),
      unreachable,
      event(6) + event(7) + event(8) + event(1, 6),
    ];
    const api = {
      async request({ query = [], received }: ApiRequest): Promise<string> {
        asked.push(query.map((pair) => pair.join("=")).join("&"));
        const answer = answers.shift()!;
        if (typeof answer === "function") return answer();
        received!(new TextEncoder().encode(answer));
        if (answers.length === 0) end.abort();
        return "";
      },
    };
    await followEvents(api, {
      ...{ query: wanted, signal: end.signal, pace: new VirtualPace() },
      heard: ({ id }) => heard.push(id),
    });
    expect(heard).toEqual([6, 7, 8, 1]);
    const again = "kind=link&since=2026-01-02T15:04:05.678Z&follow=true";
    expect(asked).toEqual(["since=x&kind=link&follow=true", again, again]);
  });
});

describe("rates", () => {
  const reading = (atMs: number, link: Partial<SomeLink>) =>
    someReading({ hosts: ["a", "b"], atMs, links: [{ ends: [1, 2], overlay: "sleeve", ...link }] });

  test("are what two readings differ by, in octets a second", () => {
    const { byLink, total } = ratesBetween(
      reading(1000, { carried: 500 }),
      reading(3000, { carried: 2500 }),
    );
    expect(byLink.get("192.168.77.2:6783")).toEqual({ sent: 1000, received: 100 });
    expect(total).toEqual({ sent: 1000, received: 100 });
  });

  test("are not there where nothing counts, nor for a link that was made anew", () => {
    expect(ratesBetween(reading(0, {}), reading(1000, {})).total).toBeUndefined();
    const [before, anew] = [reading(0, { carried: 9 }), reading(1000, { carried: 5 })];
    expect(ratesBetween(before, anew).total).toBeUndefined();
    const later = reading(1000, { carried: 10, since: "2026-01-02T15:04:05Z" });
    expect(ratesBetween(before, later).total).toBeUndefined();
  });
});

describe("a list that changes", () => {
  test("has what is new and what is gone at its place", () => {
    const marked = (before: string, after: string): string =>
      changedLines([...before], [...after])
        .map(({ mark, text }) => `${mark.trim()}${text}`)
        .join(" ");
    expect(marked("abc", "abc")).toBe("a b c");
    expect(marked("abc", "axc")).toBe("a -b +x c");
    expect(marked("abc", "")).toBe("-a -b -c");
    expect(marked("", "ab")).toBe("+a +b");
    expect(marked("aab", "ab")).toBe("a -a b");
    expect(marked("abc", "cab")).toBe("c a b");
    expect(marked("abc", "dcba")).toBe("+d c b a");
  });

  const printed = (isTerminal: boolean, act: (printer: ChangePrinter) => void): string => {
    let text = "";
    const write = (written: string): void => {
      text += written;
    };
    act(new ChangePrinter({ write, isTerminal }, () => new Date("2026-01-02T15:04:05.678Z")));
    return text.replaceAll("2026-01-02 15:04:05Z", "T");
  };

  const story = (printer: ChangePrinter): void => {
    printer.show("one\ntwo\n");
    printer.show("one\ntwo\n");
    printer.missed("gone");
    printer.missed("gone");
    printer.show("one\ntwo\n");
    printer.show("one\nthree\n");
  };

  test("is printed whole to people whenever it changes", () => {
    expect(printed(true, story)).toBe(
      "T\n  one\n  two\n\nT ! gone\nT ! the router answers again\nT\n  one\n- two\n+ three\n\n",
    );
  });

  test("is printed elsewhere as it is, and then what changes of it, a line each with the time", () => {
    expect(printed(false, story)).toBe(
      "T   one\nT   two\nT ! gone\nT ! the router answers again\nT - two\nT + three\n",
    );
  });

  test("was empty, and is not: all of it is new", () => {
    const act = (printer: ChangePrinter): void => {
      printer.show("");
      printer.show("one\n");
    };
    expect(printed(false, act)).toBe("T + one\n");
  });
});
