import { beforeEach, describe, expect, test } from "bun:test";
import { WeaveError } from "../../lib/base/errors.ts";
import { silentLog } from "../../lib/base/world.ts";
import type { AttachHow } from "../../lib/daemon/containers.ts";
import { currentCaller } from "../../lib/daemon/events/asked-by.ts";
import { inSpan } from "../../lib/daemon/tracing/span.ts";
import { RecordingTracer } from "../../lib/daemon/tracing/tracer.ts";
import { Attacher } from "../../lib/docker/attacher.ts";
import type { EngineContainer } from "../../lib/docker/engine-models.ts";
import type { Container } from "../../lib/host/container.ts";
import type { SpanRecord } from "../../lib/wire/otlp-trace.ts";
import { VirtualClock } from "../sim/virtual-clock.ts";
import { loneWorld } from "../sim/world.ts";
import { someContainer } from "./some-container.ts";

/** An engine, a host and a network, as far as attaching has to do with them. */
class Surroundings {
  readonly clock = new VirtualClock();
  readonly present = new Map<string, EngineContainer>();
  /** Whether the engine does. */
  answers = true;
  /** Namespace paths, in the order of attaching. */
  readonly attached: string[] = [];
  readonly spans: SpanRecord[] = [];
  /** For whom, in the order of attaching. */
  readonly callers: unknown[] = [];
  readonly killedByEngine: string[] = [];
  readonly endedProcesses: number[] = [];
  /** Processes that are still the wait helper. */
  readonly waiting = new Set<number>();
  /** Namespace paths of runs that were detached by hand. */
  readonly detached = new Set<string>();
  /** What attaching does; by default it succeeds at once. */
  attach = async (_: Container, _how: AttachHow, _signal: AbortSignal): Promise<void> => {};

  readonly attacher = new Attacher({
    tracer: new RecordingTracer(loneWorld(1).world, (span) => void this.spans.push(span)),
    world: {
      now: () => this.clock.nowMs,
      monotonicMs: () => this.clock.nowMs,
      after: (delayMs, action) => this.clock.after(delayMs, action),
    },
    log: silentLog,
    engine: {
      inspect: async (id) => {
        if (!this.answers) throw new WeaveError("ENGINE_UNREACHABLE", "no engine answers");
        return this.present.get(id);
      },
      kill: async (id) => {
        this.killedByEngine.push(id);
        return this.end(id);
      },
    },
    containers: {
      wasDetached: ({ namespacePath }) => this.detached.has(namespacePath),
      attachContainer: async (container, how, signal) => {
        this.callers.push(currentCaller()?.kind);
        await inSpan("attach container", {}, () => this.attach(container, how, signal));
        this.attached.push(container.namespacePath);
        const { ident } = container;
        return { ident, cidrs: ["10.32.0.1/12"], interface: "ethwe", mac: "02:00:00:00:00:01" };
      },
    },
    defaults: {
      ...{ byDefault: true, multicastRoute: true, rewriteHosts: true, dns: true },
      noMulticastDir: "/var/lib/weave/w-nomcast",
    },
    isWaiting: (pid) => this.waiting.has(pid),
    endProcess: async (pid, isStill) => {
      if (await isStill()) this.endedProcesses.push(pid);
    },
  });

  run(changes: Partial<EngineContainer> = {}): EngineContainer {
    const container = someContainer(changes);
    this.present.set(container.id, container);
    this.waiting.add(container.pid);
    return container;
  }

  end(id: string): boolean {
    const container = this.present.get(id);
    if (container !== undefined) this.present.set(id, { ...container, pid: 0, running: false });
    return container !== undefined;
  }

  listed() {
    return [...this.present.values()].map(({ id, name, running, labels }) => ({
      ...{ id, names: [name], running, labels },
    }));
  }

  /** Lets what was begun come to its end, as far as it does without time going on. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < 100; turn++) await Promise.resolve();
  }
}

const id = "ab".repeat(32);
const refusal = new WeaveError("CIDR_FORMAT", "10.2.1.1 has no prefix", { remedy: "write /24" });

let at: Surroundings;
let attacher: Attacher;

beforeEach(() => {
  at = new Surroundings();
  attacher = at.attacher;
});

async function fails(): Promise<never> {
  throw refusal;
}

describe("a container that has started", () => {
  test("is attached", async () => {
    attacher.started(at.run());
    await at.settle();
    expect(at.attached).toEqual(["/proc/4321/ns/net"]);
    expect(attacher.counts()).toEqual({ attached: 1, failures: 0 });
  });

  test("is attached once, whoever tells of its start", async () => {
    const container = at.run();
    using expected = attacher.expectStart(id);
    attacher.started(container);
    await expected.attached();
    at.waiting.clear();
    attacher.swept(at.listed());
    await at.settle();
    expect(at.attached).toHaveLength(1);
  });

  test("is attached for the client who waits for it, as a part of what that one traces", async () => {
    const start = { name: "POST start", kind: "server", attributes: {} } as const;
    const tracer = new RecordingTracer(loneWorld(2).world, (span) => void at.spans.push(span));
    const container = at.run();
    await tracer.trace(start, async () => {
      using expected = attacher.expectStart(id);
      // By whom it is told first makes no difference.
      attacher.started(container);
      await expected.attached();
    });
    const [part, request] = at.spans;
    expect(part).toMatchObject({ name: "attach container", parentSpanId: request!.spanId });
    expect(part!.traceId).toBe(request!.traceId);
    expect(at.callers).toEqual(["proxy"]);
  });

  test("by itself is attached for the engine, in a trace of its own", async () => {
    attacher.started(at.run());
    await at.settle();
    const [part, root] = at.spans;
    expect(root).toMatchObject({ name: "container started", parentSpanId: undefined });
    expect(part!.parentSpanId).toBe(root!.spanId);
    expect(at.callers).toEqual(["engine"]);
  });

  test("is attached again when it has started again, and not told of its end", async () => {
    attacher.started(at.run());
    await at.settle();
    attacher.started(at.run({ pid: 5000 }));
    await at.settle();
    expect(at.attached).toEqual(["/proc/4321/ns/net", "/proc/5000/ns/net"]);
  });

  test("is attached again when its end is told of late", async () => {
    const container = at.run();
    await attacher.attachStarted(id);
    attacher.died(id);
    attacher.started(container);
    await at.settle();
    expect(at.attached).toHaveLength(2);
  });

  test("is left alone when it does not wait for us, or is not to be attached", async () => {
    attacher.started(at.run({ entrypoint: ["nginx"] }));
    attacher.started(at.run({ id: "cd".repeat(32), env: ["WEAVE_CIDR=none"] }));
    await at.settle();
    expect(at.attached).toEqual([]);
  });

  test("is left alone when it was detached since, until it starts again", async () => {
    at.detached.add("/proc/4321/ns/net");
    at.run();
    attacher.connected(at.listed());
    await at.settle();
    expect(at.attached).toEqual([]);
    expect(attacher.counts()).toEqual({ attached: 0, failures: 0 });
    attacher.started(at.run({ pid: 5000 }));
    await at.settle();
    expect(at.attached).toEqual(["/proc/5000/ns/net"]);
  });

  test("is not attached when it has ended while it waited for an address", async () => {
    const asked = Promise.withResolvers<void>();
    at.attach = (_container, _how, signal) => {
      asked.resolve();
      return new Promise((_, reject) => {
        signal.addEventListener("abort", () => reject(signal.reason));
      });
    };
    attacher.started(at.run());
    await asked.promise;
    at.end(id);
    attacher.died(id);
    await attacher.settled(id);
    expect(at.attached).toEqual([]);
    expect(at.endedProcesses).toEqual([]);
    expect(attacher.failures()).toEqual([]);
  });

  test("is attached although the end of its former run is told of while it waits", async () => {
    const asked = Promise.withResolvers<void>();
    at.attach = (_container, _how, signal) => {
      at.attach = async () => {};
      asked.resolve();
      return new Promise((_, reject) => {
        signal.addEventListener("abort", () => reject(signal.reason));
      });
    };
    attacher.started(at.run());
    await asked.promise;
    attacher.died(id);
    await attacher.settled(id);
    expect(at.attached).toHaveLength(1);
  });
});

describe("a container that cannot be attached", () => {
  test("is ended by the engine while a client waits, which hears why", async () => {
    at.attach = fails;
    const container = at.run();
    using expected = attacher.expectStart(id);
    attacher.started(container);
    await at.settle();
    expect(at.killedByEngine).toEqual([id]);
    expect(at.endedProcesses).toEqual([]);
    const sentence =
      "container web cannot be attached to the weave network: 10.2.1.1 has no prefix";
    await expect(expected.attached()).rejects.toThrow(sentence);
  });

  test("is ended so too when the client is the first to tell of its start", async () => {
    at.attach = fails;
    at.run();
    using expected = attacher.expectStart(id);
    await expect(expected.attached()).rejects.toMatchObject({
      code: "ATTACH_STARTED",
      remedy: "write /24",
    });
    await at.settle();
    expect(at.killedByEngine).toEqual([id]);
  });

  test("is ended for its restart policy when nobody waits", async () => {
    at.attach = fails;
    attacher.started(at.run());
    await at.settle();
    expect(at.endedProcesses).toEqual([4321]);
    expect(at.killedByEngine).toEqual([]);
  });

  test("is ended for its restart policy when the client has given up", async () => {
    at.attach = fails;
    const container = at.run();
    attacher.expectStart(id)[Symbol.dispose]();
    attacher.started(container);
    await at.settle();
    expect(at.endedProcesses).toEqual([4321]);
  });

  test("is ended for its restart policy once it waits, when it did not yet", async () => {
    at.attach = fails;
    const container = at.run();
    at.waiting.clear();
    attacher.started(container);
    await at.settle();
    expect(at.endedProcesses).toEqual([]);
    at.waiting.add(container.pid);
    at.clock.run(2_000);
    await at.settle();
    expect(at.endedProcesses).toEqual([4321]);
  });

  test("goes on when its command runs already", async () => {
    at.attach = fails;
    const container = at.run();
    at.waiting.clear();
    attacher.started(container);
    await at.settle();
    expect(at.endedProcesses).toEqual([]);
  });

  test("is not ended while nobody can say whether the process is its own", async () => {
    at.attach = async () => {
      at.answers = false;
      throw refusal;
    };
    attacher.started(at.run());
    await at.settle();
    expect(at.endedProcesses).toEqual([]);
    expect(attacher.failures()).toHaveLength(1);
  });

  test("is not ended when it has been started again meanwhile", async () => {
    at.attach = async () => {
      at.run({ pid: 5000 });
      throw refusal;
    };
    attacher.started(at.run());
    await at.settle();
    expect(at.endedProcesses).toEqual([]);
    expect(attacher.failures()).toEqual([]);
  });

  test("does not make a client fail whose restart succeeds", async () => {
    at.attach = fails;
    const container = at.run();
    using expected = attacher.expectStart(id);
    attacher.started(container);
    await at.settle();
    at.attach = async () => {};
    at.run({ pid: 5000 });
    await expected.attached();
    expect(at.attached).toEqual(["/proc/5000/ns/net"]);
  });

  test("is among the failures until it is attached or removed", async () => {
    at.attach = fails;
    attacher.started(at.run());
    await at.settle();
    expect(attacher.failures()).toEqual([
      { id, name: "web", atMs: 0, reason: "10.2.1.1 has no prefix", remedy: "write /24" },
    ]);
    at.attach = async () => {};
    attacher.started(at.run({ pid: 5000 }));
    await at.settle();
    expect(attacher.failures()).toEqual([]);
    expect(attacher.counts()).toEqual({ attached: 1, failures: 1 });
  });

  test("is forgotten among the failures for those of others, after many", async () => {
    at.attach = fails;
    for (let number = 0; number < 40; number++) {
      const many = {
        id: number.toString(16).padStart(64, "0"),
        name: `c${number}`,
        pid: number + 1,
      };
      attacher.started(at.run(many));
    }
    await at.settle();
    expect(attacher.failures()).toHaveLength(32);
    expect(attacher.failures()[0]?.name).toBe("c8");
    expect(attacher.counts().failures).toBe(40);
  });
});

describe("a container that is found running", () => {
  test("is attached when the engine is connected, whatever is known of it", async () => {
    const container = at.run();
    at.run({ id: "cd".repeat(32), pid: 77 });
    at.run({ id: "ef".repeat(32), pid: 0, running: false });
    attacher.started(container);
    await at.settle();
    at.run({ pid: 5000 });
    attacher.connected(at.listed());
    await at.settle();
    expect(at.attached).toEqual(["/proc/4321/ns/net", "/proc/5000/ns/net", "/proc/77/ns/net"]);
  });

  test("is tried again, later and later, and never ended", async () => {
    let tries = 0;
    at.attach = async () => {
      tries++;
      throw refusal;
    };
    at.run();
    attacher.connected(at.listed());
    await at.settle();
    const times: number[] = [];
    while (times.length < 12) {
      const before = tries;
      while (tries === before) {
        at.clock.run(500);
        await at.settle();
      }
      times.push(at.clock.nowMs);
    }
    const waits = times.map((time, index) => time - (times[index - 1] ?? 0));
    expect(waits.slice(0, 4)).toEqual([2000, 3000, 4500, 7000]);
    expect(waits.at(-1)).toBe(60_000);
    expect(at.endedProcesses).toEqual([]);
    at.attach = async () => {};
    at.clock.run(60_000);
    await at.settle();
    expect(at.attached).toHaveLength(1);
    expect(at.clock.pending).toBe(0);
  });

  test("is not tried again when it has ended", async () => {
    at.attach = fails;
    at.run();
    attacher.connected(at.listed());
    await at.settle();
    at.end(id);
    attacher.died(id);
    expect(at.clock.pending).toBe(0);
  });

  test("is attached by a sweep when no event told of its start", async () => {
    at.run();
    attacher.swept(at.listed());
    await at.settle();
    expect(at.attached).toHaveLength(1);
  });

  test("is attached anew by a sweep when it still waits though it was attached", async () => {
    attacher.started(at.run());
    await at.settle();
    attacher.swept(at.listed());
    await at.settle();
    expect(at.attached).toHaveLength(2);
    at.waiting.clear();
    attacher.swept(at.listed());
    await at.settle();
    expect(at.attached).toHaveLength(2);
  });

  test("is not asked about again while nothing is to be done about it", async () => {
    at.run({ entrypoint: ["nginx"] });
    attacher.swept(at.listed());
    await at.settle();
    at.present.set(id, someContainer());
    attacher.swept(at.listed());
    await at.settle();
    expect(at.attached).toEqual([]);
  });
});

describe("a container that waits", () => {
  test("is shown after some seconds, with what it waits for", async () => {
    at.attach = () => new Promise(() => {});
    attacher.started(at.run());
    await at.settle();
    expect(attacher.waiting()).toEqual([]);
    at.clock.run(2000);
    const remedy = "see 'weave status ipam'";
    const reason = "it has no address yet";
    expect(attacher.waiting()).toEqual([{ id, name: "web", forMs: 2000, reason, remedy }]);
    at.waiting.clear();
    expect(attacher.waiting()).toEqual([]);
  });

  test("is shown with why it cannot be attached, or is left alone", async () => {
    at.attach = fails;
    at.run();
    attacher.connected(at.listed());
    const leftAlone = { id: "cd".repeat(32), name: "alone", pid: 77, env: ["WEAVE_CIDR=none"] };
    attacher.started(at.run(leftAlone));
    await at.settle();
    at.clock.run(6000);
    await at.settle();
    const waiting = attacher.waiting().map(({ name, reason }) => `${name}: ${reason}`);
    expect(waiting.sort()).toEqual([
      "alone: it has WEAVE_CIDR=none",
      "web: 10.2.1.1 has no prefix",
    ]);
  });
});

describe("a router that stops", () => {
  test("ends no container, and keeps no client waiting", async () => {
    at.attach = (_container, _how, signal) =>
      new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
    at.run();
    using expected = attacher.expectStart(id);
    const held = expected.attached();
    await at.settle();
    attacher.stop();
    await expect(held).rejects.toThrow("the router stops");
    await at.settle();
    expect(at.killedByEngine).toEqual([]);
    expect(at.endedProcesses).toEqual([]);
  });

  test("attaches nothing any more", async () => {
    attacher.stop();
    attacher.started(at.run());
    await at.settle();
    expect(at.attached).toEqual([]);
  });
});
