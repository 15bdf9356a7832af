import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { ContainerStates } from "../../lib/docker/container-states.ts";

const nothing = { started: [], died: [], destroyed: [] };
const on = (id: string) => ({ id, running: true });
const off = (id: string) => ({ id, running: false });

describe("what was missed of an engine's containers", () => {
  test("is nothing at the first list, which is how it begins", () => {
    expect(new ContainerStates().listed([on("a"), off("b")])).toEqual(nothing);
  });

  test("is the difference between what was told and what is", () => {
    const states = new ContainerStates();
    states.listed([on("stays"), on("ends"), on("goes"), off("comes"), off("rests"), off("went")]);
    expect(
      states.listed([on("stays"), off("ends"), on("comes"), off("rests"), on("new"), off("made")]),
    ).toEqual({ started: ["comes", "new"], died: ["ends"], destroyed: ["goes", "went"] });
    expect(states.listed([on("stays"), off("ends"), on("comes"), on("new")])).toEqual({
      ...nothing,
      destroyed: ["rests", "made"],
    });
  });

  test("is nothing of what events have told", () => {
    const states = new ContainerStates();
    states.listed([on("a"), off("b")]);
    states.event({ action: "die", id: "a" });
    states.event({ action: "start", id: "b" });
    states.event({ action: "start", id: "c" });
    states.event({ action: "die", id: "c" });
    states.event({ action: "destroy", id: "c" });
    expect(states.listed([off("a"), on("b")])).toEqual(nothing);
  });

  test("is a start that could not be told", () => {
    const states = new ContainerStates();
    states.listed([]);
    states.event({ action: "start", id: "a" });
    states.untold("a");
    expect(states.listed([on("a")]).started).toEqual(["a"]);
    expect(states.listed([on("a")])).toEqual(nothing);
  });

  test("is told so that whoever listens knows how all stand, whatever events were lost", () => {
    const ids = fc.constantFrom("a", "b", "c", "d");
    const event = fc.record({
      action: fc.constantFrom("start" as const, "die" as const, "destroy" as const),
      id: ids,
      heard: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(event, { maxLength: 30 }), (events) => {
        const states = new ContainerStates();
        const [engine, listener] = [new Map<string, boolean>(), new Map<string, boolean>()];
        states.listed([]);
        const happens = (to: Map<string, boolean>, action: string, id: string): void => {
          if (action === "destroy") to.delete(id);
          else to.set(id, action === "start");
        };
        for (const { action, id, heard } of events) {
          happens(engine, action, id);
          if (!heard) continue;
          states.event({ action, id });
          happens(listener, action, id);
        }
        const missed = states.listed([...engine].map(([id, running]) => ({ id, running })));
        for (const id of missed.started) happens(listener, "start", id);
        for (const id of missed.died) happens(listener, "die", id);
        for (const id of missed.destroyed) happens(listener, "destroy", id);
        const running = (of: Map<string, boolean>) => [...of].filter(([, runs]) => runs).sort();
        expect(running(listener)).toEqual(running(engine));
        // Nobody needs to hear of one that was made and has not run.
        for (const [id] of listener) expect(engine.has(id)).toBe(true);
      }),
      { seed: 1, numRuns: 500 },
    );
  });
});
