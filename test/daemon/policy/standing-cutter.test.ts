import { describe, expect, test } from "bun:test";
import { parseIpv4 } from "../../../lib/base/ip.ts";
import type { EventSink } from "../../../lib/base/network-event.ts";
import { StandingCutter } from "../../../lib/daemon/policy/standing-cutter.ts";
import { flowsMax, lookThrough } from "../../../lib/daemon/policy/standing-look.ts";
import type { Pod } from "../../../lib/policy/objects.ts";
import type { RuleSet } from "../../../lib/policy/rule-set.ts";
import { VirtualClock } from "../../../lib/simulator/virtual-clock.ts";
import { SimWorld } from "../../../lib/simulator/world.ts";
import { type MemoryFlow, MemoryFlows } from "./memory-flows.ts";

const [web, db] = ["10.32.0.1", "10.32.0.2"].map(parseIpv4) as [number, number];

function rules(verdict: "allow" | "deny"): RuleSet {
  const rule = { peer: { kind: "any" }, ports: "any", origin: "test", verdict } as const;
  return {
    ...{ sets: new Map(), portSets: new Map(), chains: new Map([["all", { tiers: [[rule]] }]]) },
    targets: { ingress: new Map([[db, "all"]]), egress: new Map() },
  };
}

const flow = (change: Partial<MemoryFlow> = {}): MemoryFlow => ({
  opening: { source: web, destination: db, port: { protocol: "TCP", port: 5432 } },
  ...{ protocol: 6, isCut: false, isOver: false, isAnnounced: false, ...change },
});

const pod: Pod = {
  ...{ id: "1", namespace: "shop", name: "db", labels: new Map(), ports: [] },
  ...{ addresses: [db], isLocal: true, sinceMs: 0 },
};

function setUp(...flows: readonly MemoryFlow[]) {
  const clock = new VirtualClock();
  let lookedMs = 0;
  const world = Object.assign(new SimWorld(clock, 1), {
    monotonicMs: () => clock.nowMs + lookedMs,
  });
  const table = new MemoryFlows();
  table.flows.push(...flows);
  const told: unknown[] = [];
  const emit: EventSink = (kind, details) => void told.push([kind, details]);
  const cutter = new StandingCutter(
    world,
    { flows: table, judgesGroups: false, emit },
    (address) => (address === db ? pod : undefined),
  );
  /** Lets time pass, and what is awaited meanwhile be done. */
  const pass = async (ms: number): Promise<void> => {
    for (let passed = 0; passed < ms; passed++) {
      clock.run(1);
      await new Promise(setImmediate);
    }
  };
  /** So long it takes the kernel to tell of a flow. */
  const takes = (ms: number): void => {
    lookedMs += ms;
  };
  return { ...{ cutter, table, told, pass, takes }, lines: world.lines };
}

describe("flows that rules would not let begin any more", () => {
  test("are cut a moment after the rules changed, told of by the names of their ends, and counted", async () => {
    const other = flow({ opening: { source: db, destination: web, port: undefined }, protocol: 1 });
    const { cutter, table, told, pass, lines } = setUp(flow(), other);
    cutter.changed(rules("deny"));
    await pass(100);
    expect(table.flows.map(({ isCut }) => isCut)).toEqual([true, false]);
    expect(told).toEqual([["policy.cut", { count: 1, flows: ["TCP 10.32.0.1 to shop/db:5432"] }]]);
    expect(lines).toEqual([
      "info policy: ended a connection no longer allowed: TCP 10.32.0.1 to shop/db:5432",
    ]);
    expect(cutter.cut).toBe(1);
  });

  test("are named up to five of them, as what they are", async () => {
    const opening = { source: web, destination: db, port: undefined };
    const many = [1, 58, 47, 6, 6, 6, 6].map((protocol) => flow({ protocol, opening }));
    const { cutter, told, pass, lines } = setUp(...many);
    cutter.changed(rules("deny"));
    await pass(100);
    const ends = "10.32.0.1 to shop/db";
    const flows = ["ICMP", "ICMP", "protocol 47", "protocol 6", "protocol 6"];
    expect(told).toEqual([
      ["policy.cut", { count: 7, flows: flows.map((what) => `${what} ${ends}`) }],
    ]);
    expect(lines[0]).toStartWith("info policy: ended 7 connections no longer allowed: ICMP ");
    expect(lines[0]).toEndWith(", and 2 more");
  });

  test("are not told of when their ends had said goodbye, or they ended meanwhile", async () => {
    const { cutter, table, told, pass } = setUp(flow({ isOver: true }), flow());
    const [over, ended] = table.flows;
    table.told = () => {
      table.flows.length = 1;
    };
    cutter.changed(rules("deny"));
    await pass(100);
    expect([over!.isCut, told, cutter.cut]).toEqual([true, [], 0]);
    expect(table.flows).not.toContain(ended);
  });

  test("go on when rules allow them again, and when there are none any more", async () => {
    for (const after of [rules("allow"), undefined]) {
      const { cutter, table, told, pass } = setUp(flow({ isCut: true }));
      cutter.changed(after);
      await pass(100);
      expect(table.flows[0]?.isCut).toBe(false);
      expect(told).toEqual([]);
    }
  });

  test("of a former run go on before the rules that allow them are in place", () => {
    const { cutter, table } = setUp(flow({ isCut: true }));
    cutter.prepare(rules("deny"));
    expect(table.flows[0]?.isCut).toBe(true);
    cutter.prepare(rules("allow"));
    expect(table.flows[0]?.isCut).toBe(false);
    expect(table.looks).toEqual(["cut", "cut"]);
  });

  test("are those that were cut alone where nobody is judged", async () => {
    const { cutter, table, pass } = setUp();
    cutter.changed({ ...rules("deny"), targets: { ingress: new Map(), egress: new Map() } });
    await pass(100);
    expect(table.looks).toEqual(["cut"]);
  });
});

describe("a look through the flows", () => {
  test("is one for all changes of a moment", async () => {
    const { cutter, table, pass } = setUp();
    for (let change = 0; change < 10; change++) cutter.changed(rules("deny"));
    await pass(1000);
    expect(table.looks).toEqual(["all"]);
  });

  test("is followed by another one when rules change under way, after a rest", async () => {
    const { cutter, table, pass, takes } = setUp(flow(), flow());
    let hasChanged = false;
    table.told = () => {
      takes(20);
      if (!hasChanged) cutter.changed(rules("allow"));
      hasChanged = true;
    };
    cutter.changed(rules("deny"));
    await pass(100);
    expect(table.looks).toEqual(["all"]);
    await pass(500);
    expect(table.looks).toEqual(["all", "all"]);
    expect(table.flows.map(({ isCut }) => isCut)).toEqual([false, false]);
  });

  test("lets others have their turn", async () => {
    const { cutter, table, pass, takes } = setUp(...Array.from({ length: 10 }, () => flow()));
    table.told = () => takes(5);
    cutter.changed(rules("deny"));
    const cut: number[] = [];
    while (cut.at(-1) !== 10) {
      await pass(1);
      cut.push(table.flows.filter(({ isCut }) => isCut).length);
    }
    expect(new Set(cut).size).toBeGreaterThan(5);
  });

  test("that fails is said once and tried again, later and later, until it succeeds", async () => {
    const { cutter, table, pass, lines } = setUp(flow());
    table.isBroken = true;
    cutter.changed(rules("deny"));
    await pass(2000);
    const text = "connections that policies do not allow any more go on: the kernel does not tell";
    expect(lines).toEqual([`warn policy: ${text}`]);
    expect(cutter.trouble).toEqual({
      why: "the kernel does not tell",
      remedy: "it is tried again",
    });
    expect(table.looks).toHaveLength(4);
    table.isBroken = false;
    await pass(4000);
    expect(cutter.trouble).toBeUndefined();
    expect(table.flows[0]?.isCut).toBe(true);
  });

  test("is none where the host cannot do it, which says what to do", async () => {
    const { cutter, table, pass, lines } = setUp(flow());
    cutter.unable("the kernel has no marks");
    cutter.prepare(rules("deny"));
    cutter.changed(rules("deny"));
    await pass(1000);
    expect(table.looks).toEqual([]);
    expect(cutter.trouble?.remedy).toContain("--policy-standing keep");
    expect(lines).toHaveLength(1);
  });

  test("does not begin, or goes no further, after the end", async () => {
    const { cutter, table, pass, takes } = setUp(...Array.from({ length: 10 }, () => flow()));
    table.told = () => {
      takes(5);
      cutter.stop();
    };
    cutter.changed(rules("deny"));
    await pass(300);
    expect(table.flows.filter(({ isCut }) => isCut)).toHaveLength(1);
    cutter.changed(rules("deny"));
    await pass(300);
    expect(table.looks).toEqual(["all"]);
  });

  test("ends, with a reason, where there are more flows than any kernel has", async () => {
    const { table } = setUp();
    const part = Array.from({ length: 4096 }, () => flow());
    const look = { ...table.look("all"), next: () => part };
    const world = new SimWorld(new VirtualClock(), 1);
    const judge = { rules: rules("allow"), judgesGroups: false };
    const looked = { flows: [], cut: 0, tookMs: 0 };
    const looking = lookThrough(world, look, judge, looked, new AbortController().signal);
    expect(looking).rejects.toThrow(`more than ${flowsMax} connections`);
  });
});
