import { describe, expect, test } from "bun:test";
import { EventJournal } from "../../../lib/daemon/events/event-journal.ts";
import { calmly } from "../../../lib/daemon/page/calm-doctor.ts";
import type { Diagnosis } from "../../../lib/diagnosis/doctor/diagnosis.ts";

/** A doctor who takes `tookMs` each time, and counts. */
function doctor(tookMs: number) {
  let nowMs = 1000;
  const looked: Diagnosis[] = [];
  const world = { now: () => nowMs, monotonicMs: () => nowMs };
  const events = new EventJournal(world);
  const calm = calmly(
    {
      async doctor() {
        nowMs += tookMs;
        const examined = { router: "host1", links: 0, peers: looked.length, containers: 0 };
        const found: Diagnosis = { examined, findings: [] };
        looked.push(found);
        if (looked.length === 3) throw new Error("cannot look");
        return found;
      },
      why: async (from) => {
        throw new Error(`why ${from}`);
      },
    },
    events,
    world,
  );
  const wait = (ms: number): void => {
    nowMs += ms;
  };
  return { calm, looked, wait, emit: events.emit };
}

describe("a doctor for the page", () => {
  test("looks once for all who ask at the same time, and soon after", async () => {
    const { calm, looked, wait } = doctor(10);
    const [a, b] = await Promise.all([calm.doctor(), calm.doctor()]);
    wait(4_900);
    expect(await calm.doctor()).toBe(a);
    expect(a).toBe(b);
    wait(200);
    expect(await calm.doctor()).not.toBe(a);
    expect(looked).toHaveLength(2);
  });

  test("rests the longer the longer it looked", async () => {
    const { calm, looked, wait } = doctor(400);
    await calm.doctor();
    wait(11_500);
    await calm.doctor();
    expect(looked).toHaveLength(1);
    wait(501);
    await calm.doctor();
    expect(looked).toHaveLength(2);
  });

  test("looks sooner when something has happened since", async () => {
    const { calm, looked, wait, emit } = doctor(400);
    emit("router.stopping", {});
    await calm.doctor();
    wait(5_500);
    await calm.doctor();
    expect(looked).toHaveLength(1);
    emit("router.stopping", {});
    await calm.doctor();
    await calm.doctor();
    expect(looked).toHaveLength(2);
  });

  test("says why it could not look, and looks again", async () => {
    const { calm, wait } = doctor(1);
    await calm.doctor();
    wait(6_000);
    await calm.doctor();
    wait(6_000);
    expect(calm.doctor()).rejects.toThrow("cannot look");
    await Promise.resolve();
    wait(6_000);
    expect(await calm.doctor()).toMatchObject({ examined: { peers: 3 } });
    expect(calm.why("here", undefined)).rejects.toThrow("why here");
  });
});
