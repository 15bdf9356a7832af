import { describe, expect, test } from "bun:test";
import { WeaveError } from "../../../lib/base/errors.ts";
import { type Task, TaskList } from "../../../lib/kubernetes/agent/task-list.ts";
import { SimWorld } from "../../../lib/simulator/world.ts";
import { VirtualClock } from "../../sim/virtual-clock.ts";
import { settled } from "./settled.ts";

function started(tasks: readonly Task[]) {
  const clock = new VirtualClock();
  const world = new SimWorld(clock, 1);
  const list = new TaskList(world, tasks);
  list.start();
  const pass = async (ms: number): Promise<void> => {
    await settled();
    clock.run(ms);
    await settled();
  };
  return { list, world, pass };
}

const refusal = new WeaveError("K8S_FORBIDDEN", "not allowed", { remedy: "apply the Role" });

describe("tasks of a node", () => {
  test("are done when those before them are, and beside each other otherwise", async () => {
    const done: string[] = [];
    const gate = Promise.withResolvers<void>();
    const task = (name: string, after: string[], gated = false): Task => ({
      ...{ name, after, awaits: `no ${name}` },
      async run() {
        if (gated) await gate.promise;
        done.push(name);
      },
    });
    const { list, pass } = started([
      ...[task("network", ["address"]), task("address", [], true), task("list", [])],
      task("all", ["network", "list"]),
    ]);
    await pass(0);
    expect(done).toEqual(["list"]);
    expect(list.awaited()).toEqual(["no network", "no address", "no all"]);
    gate.resolve();
    await pass(0);
    expect(done).toEqual(["list", "address", "network", "all"]);
    expect(list.awaited()).toEqual([]);
    await list.stop();
  });

  test("are tried again after growing pauses, and tell meanwhile why they fail", async () => {
    let tries = 0;
    const { list, world, pass } = started([
      {
        ...{ name: "list", awaits: "this peer is not listed" },
        async run() {
          if (++tries < 5) throw refusal;
        },
      },
    ]);
    await pass(0);
    expect(list.status()).toMatchObject([
      {
        ...{ name: "list", isDone: false, awaits: "this peer is not listed" },
        trouble: { code: "K8S_FORBIDDEN", text: "not allowed", remedy: "apply the Role" },
      },
    ]);
    expect(list.awaited()).toEqual(["this peer is not listed: not allowed"]);
    for (const [ms, expected] of [
      [999, 1],
      [1, 2],
      [2000, 3],
      [4000, 4],
      [8000, 5],
    ] as const) {
      await pass(ms);
      expect(tries).toBe(expected);
    }
    expect(list.status()).toMatchObject([{ name: "list", isDone: true }]);
    expect(list.status()[0]).not.toHaveProperty("trouble");
    // Said once, however often it fails.
    const warnings = world.lines.filter((line) => line.startsWith("warn"));
    expect(warnings).toEqual(["warn this peer is not listed: not allowed; trying again"]);
    await list.stop();
  });

  test("end with the router, whatever they wait for", async () => {
    let ended = false;
    const { list, pass } = started([
      {
        ...{ name: "address", awaits: "no address" },
        async run(signal) {
          await new Promise((resolve) => signal.addEventListener("abort", resolve));
          ended = true;
          signal.throwIfAborted();
        },
      },
      { name: "network", awaits: "no network", after: ["address"], run: async () => {} },
    ]);
    await pass(1000);
    await list.stop();
    expect(ended).toBe(true);
    expect(list.awaited()).toEqual(["no address", "no network"]);
  });
});
