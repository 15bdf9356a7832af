import { describe, expect, test } from "bun:test";
import { ContainerWatch } from "../../lib/daemon/container-watch.ts";
import type { ContainerEngine } from "../../lib/host/container.ts";
import { loneWorld } from "../sim/world.ts";

const id = "ab".repeat(32);

/** An engine with one container, and what the watch made of it. */
function watched() {
  const { world, clock } = loneWorld();
  const state = { exists: true, running: true, answers: true };
  const told: string[] = [];
  const engine: ContainerEngine = {
    async inspect() {
      return state.exists ? { id, pid: 0, hostname: "", domainname: "" } : undefined;
    },
    async runningIds() {
      if (!state.answers) throw new Error("no engine");
      return state.running ? [id] : [];
    },
  };
  const watch = new ContainerWatch(world, () => [id, "netns:weave-test-nowhere"], engine, {
    died: () => told.push("died"),
    started: () => told.push("started"),
    gone: (ident) => {
      if (ident === id) told.push("gone");
    },
  });
  const look = async (): Promise<string[]> => {
    clock.run(5_000);
    // The engine's answers are promises; each takes a turn or two.
    for (let turn = 0; turn < 10; turn++) await Promise.resolve();
    return told.splice(0);
  };
  return { state, look, watch, world };
}

describe("the watch over an engine's containers", () => {
  test("tells once of a stop, and of the start after it", async () => {
    const { state, look } = watched();
    expect(await look()).toEqual([]);
    state.running = false;
    expect(await look()).toEqual(["died"]);
    expect(await look()).toEqual([]);
    state.running = true;
    expect(await look()).toEqual(["started"]);
  });

  test("tells of a container that was removed", async () => {
    const { state, look } = watched();
    state.running = false;
    state.exists = false;
    expect(await look()).toEqual(["gone"]);
  });

  test("takes nothing away while the engine does not answer", async () => {
    const { state, look } = watched();
    state.running = false;
    state.answers = false;
    expect(await look()).toEqual([]);
  });

  test("leaves no timer when it stops", () => {
    const { watch, world } = watched();
    watch.stop();
    expect(world.timers).toBe(0);
  });
});
