import { expect, test } from "bun:test";
import { Steps } from "../../../lib/daemon/adoption/steps.ts";

function record() {
  const done: string[] = [];
  const step = (name: string, fails?: "action" | "undo") => ({
    says: name,
    action() {
      if (fails === "action") throw new Error(`${name} fails`);
      done.push(name);
    },
    undo: {
      says: `not ${name}`,
      action() {
        if (fails === "undo") throw new Error(`${name} stays`);
        done.push(`not ${name}`);
      },
    },
  });
  return { done, step };
}

test("steps are taken back latest first, the one that failed included", async () => {
  const { done, step } = record();
  const said: string[] = [];
  const steps = new Steps((sentence) => said.push(sentence), new AbortController().signal);
  await steps.run(step("one"));
  await steps.run({ action: () => void done.push("silent") });
  await steps.run(step("two", "undo"));
  await expect(steps.run(step("three", "action"))).rejects.toThrow("three fails");
  await steps.takeBack();
  expect(done).toEqual(["one", "silent", "two", "not three", "not one"]);
  const back = ["not three", "not two", "that failed: two stays", "not one"];
  expect(said).toEqual(["one", "two", "three", ...back]);
});

test("an interrupt begins no further step", async () => {
  const { done, step } = record();
  const controller = new AbortController();
  const steps = new Steps(() => {}, controller.signal);
  await steps.run(step("one"));
  controller.abort();
  await expect(steps.run(step("two"))).rejects.toThrow("interrupted");
  await steps.takeBack();
  expect(done).toEqual(["one", "not one"]);
});
