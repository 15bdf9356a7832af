import { describe, expect, test } from "bun:test";
import { ContainerWatch } from "../../lib/daemon/container-watch.ts";
import { loneWorld } from "../sim/world.ts";

const id = "ab".repeat(32);
const other = "cd".repeat(32);

/** A watch over one container of an engine and a namespace that is not there. */
function watched() {
  const { world, clock } = loneWorld();
  const told: string[] = [];
  const holders = new Set([id, "netns:weave-test-nowhere"]);
  const tell = (what: string) => (ident: string) => {
    told.push(`${what} ${ident === id ? "ours" : ident}`);
  };
  const attached = new Set<string>();
  const watch = new ContainerWatch(
    world,
    () => new Set(holders),
    () => attached,
    {
      died: tell("died"),
      started: tell("started"),
      gone(ident) {
        holders.delete(ident);
        tell("gone")(ident);
      },
    },
  );
  const heard = (): string[] => told.splice(0);
  return { watch, world, clock, heard, holders, attached };
}

describe("the watch over an engine's containers", () => {
  test("tells of each stop and start that the engine tells of", () => {
    const { watch, heard } = watched();
    watch.died(id);
    watch.started(id);
    watch.died(id);
    watch.destroyed(id);
    expect(heard()).toEqual(["died ours", "started ours", "died ours", "gone ours"]);
  });

  test("tells once of what is found to have happened", () => {
    const { watch, heard } = watched();
    watch.found([{ id, running: true }]);
    expect(heard()).toEqual([]);
    for (const running of [false, false, true, true]) watch.found([{ id, running }]);
    expect(heard()).toEqual(["died ours", "started ours"]);
    watch.found([{ id: other, running: true }]);
    watch.found([]);
    expect(heard()).toEqual(["gone ours"]);
  });

  test("does not tell again of a stop that the engine told of", () => {
    const { watch, heard } = watched();
    watch.died(id);
    watch.found([{ id, running: false }]);
    expect(heard()).toEqual(["died ours"]);
  });

  test("lets no time run out while the engine is away, which may start it again", () => {
    const { watch, heard } = watched();
    watch.died(id);
    watch.lost();
    expect(heard()).toEqual(["died ours", "started ours"]);
    watch.lost();
    expect(heard()).toEqual([]);
    watch.found([{ id, running: false }]);
    expect(heard()).toEqual(["died ours"]);
  });

  test("takes nothing from a container of another engine that is about to be attached", () => {
    const { watch, heard, holders, attached } = watched();
    watch.found([{ id, running: true }]);
    holders.add(other);
    watch.found([{ id, running: true }]);
    attached.add(other);
    watch.found([{ id, running: true }]);
    expect(heard()).toEqual([]);
    attached.delete(other);
    watch.found([{ id, running: true }]);
    watch.found([{ id, running: true }]);
    expect(heard()).toEqual([`gone ${other}`]);
  });

  test("takes nothing from a container of another engine, for as long as it is attached", () => {
    const { watch, heard, attached } = watched();
    attached.add(id);
    watch.found([]);
    expect(heard()).toEqual([]);
    attached.delete(id);
    for (let look = 0; look < 3; look++) watch.found([]);
    expect(heard()).toEqual(["gone ours"]);
  });
});

describe("the watch over namespaces", () => {
  test("tells of one that was deleted, and needs no engine for it", () => {
    const { clock, heard } = watched();
    clock.run(5_000);
    expect(heard()).toEqual(["gone netns:weave-test-nowhere"]);
  });

  test("leaves no timer when it stops", () => {
    const { watch, world } = watched();
    watch.stop();
    expect(world.timers).toBe(0);
  });
});
