import { describe, expect, test } from "bun:test";
import {
  answeringRules,
  Hearing,
  type HearingRules,
  originalRules,
  ownKindRules,
  showingRules,
} from "../../../lib/overlay/fastdp/hearing.ts";

/** Full heartbeats every `everyMs`, from and until these times. */
function hear(hearing: Hearing, fromMs: number, untilMs: number, everyMs: number): void {
  for (let atMs = fromMs; atMs <= untilMs; atMs += everyMs) {
    hearing.check(atMs);
    hearing.heard(atMs, true);
  }
}

/** How long after `fromMs` it hears again when full heartbeats come every `everyMs`. */
function settling(hearing: Hearing, fromMs: number, everyMs: number): number {
  for (let atMs = fromMs; ; atMs += everyMs) {
    hearing.check(atMs);
    hearing.heard(atMs, true);
    if (hearing.hears) return atMs - fromMs;
  }
}

describe("a path that is suspected", () => {
  const suspected = () => {
    const asked: string[] = [];
    const hearing = new Hearing(showingRules, 0, () => asked.push("asked"));
    hear(hearing, 0, 3000, 1000);
    return { hearing, asked };
  };

  test("is lost a quarter of a second after an answer that nothing follows", () => {
    const { hearing, asked } = suspected();
    expect(hearing.suspect(3200)).toBe(true);
    expect([asked.length, hearing.askedMs]).toEqual([1, 3200]);
    expect(hearing.suspect(3300)).toBe(false);
    hearing.answered(3210);
    hearing.check(3459);
    expect(hearing.hears).toBe(true);
    hearing.check(3460);
    expect(hearing.hears).toBe(false);
  });

  test("is as good as before when a heartbeat comes, and may be suspected again", () => {
    const { hearing, asked } = suspected();
    hearing.suspect(3200);
    hearing.answered(3210);
    hearing.heard(3300, false);
    expect([hearing.askedMs, hearing.deadlineMs]).toEqual([undefined, 3300 + 1300]);
    expect(hearing.suspect(3400)).toBe(true);
    expect(asked.length).toBe(2);
  });

  test("stays while the peer does not answer: its router may hang", () => {
    const { hearing } = suspected();
    hearing.suspect(3200);
    hearing.check(60_000);
    expect(hearing.hears).toBe(true);
  });

  test("is not asked about where nobody would answer, or nothing was heard yet", () => {
    const quiet = new Hearing(ownKindRules, 0);
    hear(quiet, 0, 3000, 1000);
    expect(quiet.suspect(3200)).toBe(false);
    expect(new Hearing(showingRules, 0).suspect(3200)).toBe(false);
  });
});

describe("a peer", () => {
  test("that never says anything is given up after 25 s, whatever it is", () => {
    for (const rules of [originalRules, ownKindRules]) {
      const hearing = new Hearing(rules, 1000);
      expect(hearing.deadlineMs).toBe(26_000);
      hearing.check(25_999);
      expect(hearing.hears).toBe(true);
      hearing.check(26_000);
      expect([hearing.hears, hearing.began]).toEqual([false, false]);
      expect(hearing.deadlineMs).toBe(Number.POSITIVE_INFINITY);
      hearing.heard(40_000, true);
      expect(hearing.hears).toBe(true);
    }
  });

  test("of our kind is lost after four and a half seconds of silence", () => {
    const hearing = new Hearing(ownKindRules, 0);
    hear(hearing, 500, 10_000, 1000);
    expect(hearing.deadlineMs).toBe(9500 + 4500);
    hearing.check(13_999);
    expect(hearing.hears).toBe(true);
    hearing.check(14_000);
    expect(hearing.hears).toBe(false);
  });

  test("of our kind is lost when nothing long gets through, however much that is brief does", () => {
    const hearing = new Hearing(ownKindRules, 0);
    hearing.heard(0, true);
    for (let atMs = 1000; atMs < 25_000; atMs += 1000) {
      hearing.check(atMs);
      hearing.heard(atMs, false);
      expect(hearing.hears).toBe(true);
    }
    hearing.check(25_000);
    expect(hearing.hears).toBe(false);
    hearing.heard(25_500, false);
    expect(hearing.hears).toBe(false);
  });

  test("of the original is lost after two heartbeats that did not come", () => {
    const hearing = new Hearing(originalRules, 0);
    hear(hearing, 0, 100_000, 10_000);
    hearing.check(124_999);
    expect(hearing.hears).toBe(true);
    hearing.check(125_000);
    expect(hearing.hears).toBe(false);
  });
});

describe("a peer that can be asked whether it lives", () => {
  function silent(): { hearing: Hearing; asked: number[]; check: (nowMs: number) => void } {
    const asked: number[] = [];
    let nowMs = 0;
    const hearing = new Hearing(answeringRules, nowMs, () => asked.push(nowMs));
    hear(hearing, 0, 9000, 1000);
    const check = (atMs: number): void => {
      nowMs = atMs;
      hearing.check(atMs);
    };
    expect(hearing.deadlineMs).toBe(12_000);
    check(12_000);
    return { hearing, asked, check };
  }

  test("is asked after three seconds of silence, once, and is heard as long as it says nothing", () => {
    const { hearing, asked, check } = silent();
    expect([asked, hearing.asks]).toEqual([[12_000], true]);
    expect(hearing.deadlineMs).toBe(Number.POSITIVE_INFINITY);
    check(100_000);
    expect([asked, hearing.hears]).toEqual([[12_000], true]);
  });

  test("is lost when it lives and nothing comes from it all the same", () => {
    const { hearing, check } = silent();
    hearing.answered(12_100);
    expect(hearing.deadlineMs).toBe(13_600);
    check(13_599);
    expect(hearing.hears).toBe(true);
    check(13_600);
    expect(hearing.hears).toBe(false);
  });

  test("that answers late, as after it was stopped, has its time to be heard", () => {
    const { hearing, asked, check } = silent();
    hearing.answered(42_000);
    check(43_000);
    hearing.heard(43_000, true);
    expect([hearing.hears, hearing.asks]).toEqual([true, false]);
    expect(hearing.deadlineMs).toBe(46_000);
    check(46_000);
    expect(asked).toEqual([12_000, 46_000]);
  });

  test("has its time to be heard once more when we ourselves come late", () => {
    const { hearing, check } = silent();
    hearing.answered(12_100);
    check(14_000);
    expect([hearing.hears, hearing.deadlineMs]).toEqual([true, 15_500]);
    check(17_000);
    expect(hearing.hears).toBe(false);
  });

  test("is not taken to be alive by an answer that nobody asked for", () => {
    const { hearing, check } = silent();
    hearing.heard(13_000, true);
    hearing.answered(13_100);
    check(16_000);
    check(100_000);
    expect(hearing.hears).toBe(true);
  });
});

describe("a peer that shows that it lives when it is asked", () => {
  test("is asked as soon as a heartbeat is late, and lost when its answer alone comes", () => {
    const asked: number[] = [];
    const hearing = new Hearing(showingRules, 0, () => asked.push(hearing.deadlineMs));
    hear(hearing, 0, 9000, 1100);
    const lastMs = 8800;
    expect(hearing.deadlineMs).toBe(lastMs + 1300);
    hearing.check(lastMs + 1300);
    expect(asked.length).toBe(1);
    hearing.answered(lastMs + 1310);
    hearing.check(lastMs + 2009);
    expect(hearing.hears).toBe(true);
    hearing.check(lastMs + 2010);
    expect(hearing.hears).toBe(false);
  });

  test("is lost when nothing long gets through, though each one that is missing makes a silence", () => {
    const hearing = new Hearing(showingRules, 0);
    hearing.heard(0, true);
    for (let atMs = 2000; atMs < 25_000; atMs += 2000) {
      hearing.check(atMs);
      hearing.heard(atMs, false);
      expect(hearing.hears).toBe(true);
    }
    hearing.check(25_000);
    expect(hearing.hears).toBe(false);
  });
});

describe("a path that was lost", () => {
  function lost(
    rules: HearingRules,
    times: number,
    everyMs: number,
  ): { hearing: Hearing; nowMs: number } {
    const hearing = new Hearing(rules, 0);
    hearing.heard(0, true);
    let nowMs = 0;
    for (let loss = 1; loss <= times; loss++) {
      nowMs += 30_000;
      hearing.check(nowMs);
      expect(hearing.hears).toBe(false);
      if (loss < times) nowMs += settling(hearing, nowMs, everyMs);
    }
    return { hearing, nowMs };
  }

  test("is trusted again the sooner the less often it was lost", () => {
    const waits = [1, 2, 3, 4, 5].map((times) => {
      const { hearing, nowMs } = lost(ownKindRules, times, 1000);
      return settling(hearing, nowMs + 1000, 1000);
    });
    expect(waits).toEqual([2000, 10_000, 20_000, 30_000, 30_000]);
  });

  test("to a peer of the original is trusted at once the first time", () => {
    const waits = [1, 2, 3].map((times) => {
      const { hearing, nowMs } = lost(originalRules, times, 10_000);
      return settling(hearing, nowMs + 1000, 10_000);
    });
    expect(waits).toEqual([0, 10_000, 20_000]);
  });

  test("has to be without silence while it is tried", () => {
    const { hearing, nowMs } = lost(ownKindRules, 2, 1000);
    hear(hearing, nowMs, nowMs + 8000, 1000);
    hear(hearing, nowMs + 14_000, nowMs + 23_000, 1000);
    expect(hearing.hears).toBe(false);
    hear(hearing, nowMs + 24_000, nowMs + 24_000, 1000);
    expect(hearing.hears).toBe(true);
  });

  test("is forgiven after ten minutes", () => {
    const { hearing, nowMs } = lost(ownKindRules, 4, 1000);
    const later = nowMs + settling(hearing, nowMs, 1000);
    hear(hearing, later, later + 700_000, 1000);
    const lostMs = later + 730_000;
    hearing.check(lostMs);
    expect(hearing.hears).toBe(false);
    expect(settling(hearing, lostMs + 1000, 1000)).toBe(2000);
  });
});
