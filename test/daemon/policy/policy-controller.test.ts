import { describe, expect, test } from "bun:test";
import { parseCidr, parseIpv4 } from "../../../lib/base/ip.ts";
import { PolicyController, readyMaxMs } from "../../../lib/daemon/policy/policy-controller.ts";
import type { PolicyInputs, PolicySource } from "../../../lib/daemon/policy/policy-input.ts";
import { namespaceOf } from "../../../lib/policy/labels.ts";
import type { NetworkPolicy, Pod } from "../../../lib/policy/objects.ts";
import { VirtualClock } from "../../../lib/simulator/virtual-clock.ts";
import { SimWorld } from "../../../lib/simulator/world.ts";
import { MemoryEnforcer } from "./memory-enforcer.ts";
import { MemoryFlows } from "./memory-flows.ts";

const address = parseIpv4("10.32.0.1");

const deny: NetworkPolicy = { namespace: "default", name: "deny", podSelector: [], ingress: [] };

const pod = (change: Partial<Pod> = {}): Pod => ({
  ...{ id: "uid-1", namespace: "default", name: "web", labels: new Map(), ports: [] },
  ...{ addresses: [address], isLocal: true, sinceMs: 0 },
  ...change,
});

const sandbox = (change: object = {}) => ({
  ...{ container: "c1", namespace: "default", name: "web", uid: "uid-1" },
  ...{ addresses: [address], sinceMs: 1, ...change },
});

const never = new AbortController().signal;

/** A controller on a virtual clock, and all that is around it. */
function setUp(
  options: {
    mode?: "auto" | "on" | "off";
    mark?: boolean;
    resolve?: Pod;
    enforcer?: MemoryEnforcer;
    flows?: MemoryFlows;
    missingForCut?: string;
  } = {},
) {
  const clock = new VirtualClock();
  const lines: string[] = [];
  const log = { debug() {}, info() {}, error() {}, warn: (line: string) => void lines.push(line) };
  const world = Object.assign(new SimWorld(clock, 1), { log });
  const faults: string[] = [];
  const enforcer = options.enforcer ?? new MemoryEnforcer();
  let inputs: PolicyInputs | undefined;
  let mark = options.mark ?? false;
  const source: PolicySource = {
    name: "kubernetes",
    start: (given) => {
      inputs = given;
    },
    ...(options.resolve !== undefined && { resolvePod: async () => options.resolve }),
    faults: () => [...faults],
    stop() {},
  };
  const controller = new PolicyController({
    ...{ world, source, mode: options.mode ?? "on", phaseChanged() {} },
    ...(options.flows && { standing: { flows: options.flows, judgesGroups: false } }),
    enforcer: () => {
      const { missingForCut } = options;
      return { enforcer, reason: "", ...(missingForCut !== undefined && { missingForCut }) };
    },
    mark: {
      get: () => mark,
      set: (isInPlace) => {
        mark = isInPlace;
      },
    },
  });
  controller.start();
  const sync = (policies: NetworkPolicy[] = [], pods: Pod[] = []) => {
    inputs!.namespaces.replaced([namespaceOf("default")]);
    inputs!.pods.replaced(pods);
    inputs!.networkPolicies.replaced(policies);
    inputs!.clusterPolicies.replaced([]);
    inputs!.nodes.replaced([]);
    clock.run(100);
  };
  /** What is judged of packets to the address. */
  const chain = () => {
    const key = enforcer.rules?.targets.ingress.get(address);
    return key === undefined ? undefined : enforcer.rules?.chains.get(key);
  };
  return {
    controller,
    inputs: inputs!,
    enforcer,
    clock,
    sync,
    chain,
    isMarked: () => mark,
    faults,
    lines,
  };
}

describe("a source that has not told everything", () => {
  test("leads to nothing being touched", () => {
    const { controller, inputs, enforcer, clock } = setUp({ mark: true });
    inputs.networkPolicies.replaced([deny]);
    inputs.pods.replaced([pod()]);
    clock.run(60_000);
    expect(controller.phase).toBe("waiting");
    expect(controller.tables.awaited).toEqual(["namespaces", "clusterPolicies", "nodes"]);
    expect(enforcer.deeds).toEqual([]);
  });

  test("has told everything by naming each kind once, and then all is put in place as one", () => {
    const { controller, enforcer, sync, chain } = setUp({ mark: true });
    sync([deny], [pod()]);
    expect(controller.phase).toBe("enforcing");
    expect(enforcer.deeds).toEqual(["replace"]);
    expect(chain()).toBeDefined();
  });
});

describe("changes", () => {
  test("that come together are put in place together, within 20 ms", () => {
    const { inputs, enforcer, clock, sync } = setUp();
    sync();
    for (let at = 0; at < 100; at++) {
      inputs.networkPolicies.put({ ...deny, name: `p${at}` });
      inputs.pods.put(pod({ id: `uid-${at}`, addresses: [address + at] }));
    }
    clock.run(20);
    expect(enforcer.deeds).toEqual(["replace", "apply"]);
    expect(enforcer.rules?.targets.ingress.size).toBe(100);
  });

  test("that change nothing do not reach the packet filter", () => {
    const { inputs, enforcer, clock, sync } = setUp();
    sync([deny], [pod()]);
    inputs.pods.put(pod());
    inputs.pods.removed("nobody");
    inputs.namespaces.put(namespaceOf("elsewhere"));
    clock.run(1000);
    expect(enforcer.deeds).toEqual(["replace"]);
  });

  test("that are refused are tried again, later and later, as a whole", () => {
    const { controller, inputs, enforcer, clock, sync } = setUp();
    sync([], [pod()]);
    enforcer.isBroken = true;
    inputs.networkPolicies.put(deny);
    clock.run(60_000);
    expect(controller.phase).toBe("failing");
    expect(controller.trouble).toMatchObject({ code: "BROKEN", remedy: "mend it" });
    const attempts = enforcer.deeds.length;
    expect(attempts).toBeGreaterThan(5);
    expect(attempts).toBeLessThan(15);
    expect(controller.counts.errors).toBe(attempts - 1);
    enforcer.isBroken = false;
    clock.run(20_000);
    expect(controller.phase).toBe("enforcing");
    expect(enforcer.deeds.at(-1)).toBe("replace");
    expect(controller.trouble).toBeUndefined();
  });
});

describe("connections that stand", () => {
  const peer = parseIpv4("10.32.0.9");
  const flow = (isCut: boolean) => ({
    opening: { source: peer, destination: address, port: undefined },
    ...{ protocol: 6, isCut, isOver: false, isAnnounced: false },
  });
  /** Lets what is awaited go on as well. */
  const settled = async (clock: VirtualClock): Promise<void> => {
    for (let passedMs = 0; passedMs < 500; passedMs += 50) {
      await new Promise(setImmediate);
      clock.run(50);
    }
  };

  test("are cut when a policy comes that does not allow them, and go on when it goes", async () => {
    const flows = new MemoryFlows();
    flows.flows.push(flow(false));
    const { controller, inputs, clock, sync } = setUp({ flows });
    sync([], [pod()]);
    await settled(clock);
    expect(flows.flows[0]?.isCut).toBe(false);
    inputs.networkPolicies.put(deny);
    await settled(clock);
    expect([flows.flows[0]?.isCut, controller.cutter?.cut]).toEqual([true, 1]);
    inputs.networkPolicies.removed("default/deny");
    await settled(clock);
    expect(flows.flows[0]?.isCut).toBe(false);
  });

  test("are seen from their first packet on, also while there are no policies", async () => {
    const { controller, enforcer, sync } = setUp({ flows: new MemoryFlows(), mode: "auto" });
    sync([], [pod()]);
    expect([controller.phase, enforcer.deeds]).toEqual(["enforcing", ["replace"]]);
  });

  test("that a former run has cut go on when policies are enforced no more", async () => {
    const flows = new MemoryFlows();
    flows.flows.push(flow(true));
    const { enforcer, clock } = setUp({ flows, mode: "off", mark: true });
    await settled(clock);
    expect(enforcer.deeds).toEqual(["remove"]);
    expect(flows.flows[0]?.isCut).toBe(false);
  });

  test("are cut by a label, and go on when the last policy goes", async () => {
    const flows = new MemoryFlows();
    flows.flows.push(flow(false));
    const { inputs, enforcer, clock, sync } = setUp({ flows, mode: "auto" });
    const podSelector = [{ key: "app", operator: "Exists" }] as const;
    sync([{ ...deny, podSelector }], [pod()]);
    inputs.pods.put(pod({ labels: new Map([["app", "db"]]) }));
    await settled(clock);
    expect(flows.flows[0]?.isCut).toBe(true);
    inputs.networkPolicies.removed("default/deny");
    await settled(clock);
    expect(enforcer.deeds).toEqual(["replace", "apply", "apply"]);
    expect(flows.flows[0]?.isCut).toBe(false);
  });

  test("that a former run has cut go on before rules that allow them are in place", async () => {
    const flows = new MemoryFlows();
    flows.flows.push(flow(true));
    const enforcer = new MemoryEnforcer();
    const seen: unknown[] = [];
    enforcer.done = () => seen.push(flows.flows[0]?.isCut);
    setUp({ flows, enforcer, mark: true }).sync([], [pod()]);
    expect(seen).toEqual([false]);
  });

  test("of a pod that nobody knows stay as they are", async () => {
    const flows = new MemoryFlows();
    const { controller, clock, sync } = setUp({ flows });
    sync();
    await settled(clock);
    flows.flows.push(flow(false), flow(true));
    controller.tables.admitted.admit(sandbox());
    controller.act();
    await settled(clock);
    expect(flows.looks).toContain("all");
    expect(flows.flows.map(({ isCut }) => isCut)).toEqual([false, true]);
  });

  test("go on where the host cannot end them, and policies are enforced all the same", async () => {
    const flows = new MemoryFlows();
    flows.flows.push(flow(false));
    const { controller, clock, sync, lines } = setUp({ flows, missingForCut: "no marks" });
    sync([deny], [pod()]);
    await settled(clock);
    expect([controller.phase, controller.trouble]).toEqual(["enforcing", undefined]);
    expect(flows.flows[0]?.isCut).toBe(false);
    expect(lines).toEqual([
      "policy: connections that policies do not allow any more go on: no marks",
    ]);
  });
});

describe("what of a policy is not understood", () => {
  test("is in the log once, for as long as it lasts", () => {
    const { controller, faults, lines, sync } = setUp();
    sync();
    faults.push("shop/web: spec.colour is a field that is not known");
    controller.act();
    controller.act();
    const told = "policy: not understood: shop/web: spec.colour is a field that is not known";
    expect(lines).toEqual([told]);
    faults.pop();
    controller.act();
    faults.push("shop/web: spec.colour is a field that is not known");
    controller.act();
    expect(lines).toEqual([told, told]);
  });
});

describe("rules that somebody has changed", () => {
  test("are put back at the next look, and not without cause", () => {
    const { controller, enforcer, sync } = setUp();
    sync([deny], [pod()]);
    controller.check();
    expect(enforcer.deeds).toEqual(["replace"]);
    enforcer.spoilt = true;
    controller.check();
    expect(enforcer.deeds).toEqual(["replace", "replace"]);
  });
});

describe("without policies", () => {
  test("nothing is put in place, and nothing is asked of the packet filter", () => {
    const { controller, enforcer, sync } = setUp({ mode: "auto" });
    sync([], [pod()]);
    expect(controller.phase).toBe("off");
    expect(controller.chosen).toBeUndefined();
    expect(enforcer.deeds).toEqual([]);
  });

  test("what a former run has left goes, and so does all with the last policy", () => {
    const { controller, inputs, enforcer, clock, sync, isMarked } = setUp({
      mode: "auto",
      mark: true,
    });
    sync([], [pod()]);
    expect(enforcer.deeds).toEqual(["remove"]);
    inputs.networkPolicies.put(deny);
    clock.run(20);
    expect(isMarked()).toBe(true);
    inputs.networkPolicies.removed("default/deny");
    clock.run(20);
    expect(enforcer.deeds).toEqual(["remove", "replace", "remove"]);
    expect([controller.phase, isMarked()]).toEqual(["off", false]);
  });

  test("switched off, what is left goes at once, whatever the source says", () => {
    const { enforcer, clock } = setUp({ mode: "off", mark: true });
    clock.run(100);
    expect(enforcer.deeds).toEqual(["remove"]);
  });
});

describe("a process that ends", () => {
  test("touches nothing", () => {
    const { controller, inputs, enforcer, clock, sync } = setUp();
    sync([deny], [pod()]);
    inputs.pods.put(pod({ id: "uid-2" }));
    controller.stop();
    clock.run(60_000);
    controller.check();
    expect(enforcer.deeds).toEqual(["replace"]);
  });
});

describe("a pod that is being made", () => {
  test("is judged by its policies before its interface is there, before its cluster knows its address", async () => {
    const { controller, sync, chain } = setUp();
    sync([deny], [pod({ addresses: [] })]);
    expect(chain()).toBeUndefined();
    await controller.admit(sandbox(), never);
    expect(chain()?.tiers).toHaveLength(1);
    expect(controller.tables.admitted.held).toBe(0);
  });

  test("that nobody knows can open and receive no connection until it is known", async () => {
    const { controller, inputs, enforcer, clock, sync, chain } = setUp();
    sync();
    await controller.admit(sandbox(), never);
    expect(controller.tables.admitted.held).toBe(1);
    expect(chain()?.tiers[0]?.[0]).toMatchObject({ verdict: "deny", peer: { kind: "any" } });
    inputs.pods.put(pod({ addresses: [] }));
    clock.run(20);
    expect(enforcer.rules?.targets.ingress.get(address)).toBeUndefined();
    expect(controller.tables.admitted.held).toBe(0);
  });

  test("is asked for where its source can be asked", async () => {
    const { controller, sync, chain } = setUp({ resolve: pod({ addresses: [] }) });
    sync([deny]);
    await controller.admit(sandbox(), never);
    expect(controller.tables.admitted.held).toBe(0);
    expect(chain()).toBeDefined();
  });

  test("of a namespace that nobody has told of waits for that: policies of the cluster may be about it", async () => {
    const { controller, inputs, enforcer, clock, sync } = setUp();
    const place = { namespace: "new", name: "web" };
    const subject = { namespaces: [], pods: [] };
    const anywhere = { kind: "block", block: parseCidr("0.0.0.0/0"), except: [] } as const;
    const rule = { name: "", action: "deny", peers: [anywhere], ports: "any" } as const;
    sync([], [pod({ ...place, addresses: [] })]);
    inputs.clusterPolicies.put({
      ...{ tier: "admin", name: "closed", priority: 0, subject, ingress: [rule], egress: [] },
    });
    await controller.admit(sandbox(place), never);
    expect(controller.tables.admitted.held).toBe(1);
    expect(enforcer.rules?.targets.ingress.has(address)).toBe(true);
    inputs.namespaces.put(namespaceOf("new"));
    clock.run(20);
    expect(controller.tables.admitted.held).toBe(0);
    expect(enforcer.rules?.targets.ingress.has(address)).toBe(true);
    expect(enforcer.rules?.targets.egress.has(address)).toBe(false);
  });

  test("is known by the id of its runtime, which takes nothing from who has that id", async () => {
    const { controller, inputs, clock, sync, chain } = setUp();
    sync([deny], [pod({ id: "api", runtimeId: "uid-1", addresses: [] })]);
    await controller.admit(sandbox(), never);
    expect(controller.tables.admitted.held).toBe(0);
    expect(chain()).toBeDefined();
    const forged = { id: "uid-2", namespace: "elsewhere", runtimeId: "api" };
    inputs.pods.put(pod({ ...forged, addresses: [parseIpv4("10.32.0.2")] }));
    clock.run(20);
    expect(chain()).toBeDefined();
  });

  test("is not known by what its source says of a namesake", async () => {
    const { controller, sync } = setUp({ resolve: pod({ id: "uid-0" }) });
    sync([deny]);
    await controller.admit(sandbox(), never);
    expect(controller.tables.admitted.held).toBe(1);
    expect(controller.tables.pods.size).toBe(0);
  });

  test("of a name that another pod has still is not taken for that one", async () => {
    const { controller, inputs, clock, sync } = setUp();
    sync([deny], [pod({ id: "uid-0", addresses: [] })]);
    await controller.admit(sandbox(), never);
    expect(controller.tables.admitted.held).toBe(1);
    inputs.pods.removed("uid-0");
    inputs.pods.put(pod({ addresses: [] }));
    clock.run(20);
    expect(controller.tables.admitted.held).toBe(0);
  });

  test("waits for its source, and fails when that says nothing for long", async () => {
    const { controller, clock, enforcer } = setUp();
    const admission = controller.admit(sandbox(), never).then(
      () => "admitted",
      (error) => error.code,
    );
    for (let ms = 0; ms <= readyMaxMs; ms += 50) {
      clock.run(50);
      await Promise.resolve();
    }
    expect(await admission).toBe("POLICY_NOT_READY");
    expect(enforcer.deeds).toEqual([]);
  });

  test("is not made while policies cannot be enforced, and leaves nothing behind", async () => {
    const { controller, enforcer, sync } = setUp();
    sync([deny]);
    enforcer.isBroken = true;
    const failure = await controller.admit(sandbox(), never).catch((error) => error.code);
    expect(failure).toBe("POLICY_NOT_ENFORCED");
    expect(controller.tables.admitted.held).toBe(0);
  });

  test("is judged though the clock of another node says that a pod there had its address later", async () => {
    const { controller, inputs, clock, sync, chain } = setUp();
    const gone = pod({ id: "uid-9", name: "gone", isLocal: false, sinceMs: 1_000_000 });
    sync([deny], [pod({ addresses: [] }), gone]);
    await controller.admit(sandbox(), never);
    expect(chain()).toBeDefined();
    inputs.pods.put({ ...gone, sinceMs: 2_000_000 });
    clock.run(20);
    expect(chain()).toBeDefined();
  });

  test("has the address of its interface alone, whatever its status says of a former one", async () => {
    const former = parseIpv4("10.32.0.9");
    const { controller, enforcer, sync } = setUp();
    sync([deny], [pod({ addresses: [former, "fd00::1"] })]);
    await controller.admit(sandbox(), never);
    expect(new Set(enforcer.rules!.targets.ingress.keys())).toEqual(new Set([address, "fd00::1"]));
  });

  test("stays without a connection when another one that had its address changes, or goes", async () => {
    const { controller, inputs, enforcer, clock, sync } = setUp();
    sync([], [pod({ id: "uid-0", name: "other", addresses: [] })]);
    const other = sandbox({ container: "c0", name: "other", uid: "uid-0" });
    await controller.admit(other, never);
    await controller.admit(sandbox(), never);
    const isHeld = () => enforcer.rules?.targets.ingress.has(address);
    expect(isHeld()).toBe(true);
    inputs.pods.put(
      pod({ id: "uid-0", name: "other", addresses: [], labels: new Map([["a", "b"]]) }),
    );
    clock.run(20);
    expect(isHeld()).toBe(true);
    controller.dismiss("c0");
    clock.run(20);
    expect(isHeld()).toBe(true);
  });

  test("frees its address with its interface, for the next one", async () => {
    const { controller, inputs, enforcer, clock, sync } = setUp();
    sync([], []);
    await controller.admit(sandbox(), never);
    controller.dismiss("c1");
    clock.run(20);
    expect(enforcer.rules?.targets.ingress.size).toBe(0);
    inputs.pods.put(pod({ addresses: [] }));
    clock.run(20);
    expect(enforcer.rules?.targets.ingress.size).toBe(0);
  });
});
