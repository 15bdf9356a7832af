import { describe, expect, test } from "bun:test";
import { DockerEngine } from "../../lib/docker/engine.ts";
import { EngineEvents } from "../../lib/docker/engine-events.ts";
import { loneWorld } from "../sim/world.ts";
import { FakeEngine } from "./fake-engine.ts";

const id = (letter: string): string => letter.repeat(64);

/** An engine whose containers a test starts and stops, told of or not, and who follows it. */
class Followed implements AsyncDisposable {
  readonly containers = new Map<string, { running: boolean; pid: number }>();
  readonly told: string[] = [];
  readonly fake = new FakeEngine(({ path }) => this.#answer(path));
  readonly sim = loneWorld();
  readonly events = new EngineEvents(this.sim.world, new DockerEngine(this.fake.endpoint));
  /** Held back until a test lets it go. */
  list: Promise<void> | undefined;
  listsAsked = 0;
  /** Lists are refused. */
  isBroken = false;
  #stream: ReadableStreamDefaultController<Uint8Array> | undefined;

  constructor() {
    const tell = (what: string): void => {
      this.told.push(what.replace(/([a-f])\1{63}/g, "$1"));
    };
    this.events.observe({
      started: (container) => tell(`started ${container.id} ${container.pid}`),
      died: (died) => tell(`died ${died}`),
      destroyed: (destroyed) => tell(`destroyed ${destroyed}`),
      disconnected: () => tell("disconnected"),
      connected: (all) => tell(`connected ${all.map((each) => each.id).join()}`),
      swept: () => tell("swept"),
    });
  }

  async #answer(path: string): Promise<Response | undefined> {
    if (path === "/events") {
      return new Response(
        new ReadableStream<Uint8Array>({
          start: (controller) => {
            this.#stream = controller;
            // The head goes out with the first octet.
            controller.enqueue(new TextEncoder().encode("\n"));
          },
        }),
      );
    }
    if (path === "/containers/json") {
      const found = [...this.containers].map(([Id, { running }]) => ({
        ...{ Id, State: running ? "running" : "exited" },
      }));
      this.listsAsked++;
      if (this.isBroken) return Response.json({ message: "out of order" }, { status: 500 });
      await this.list;
      return Response.json(found);
    }
    const asked = /^\/containers\/(.+)\/json$/.exec(path)?.[1] ?? "";
    const container = this.containers.get(asked);
    return container && Response.json(described(asked, container));
  }

  /** Lets something happen in the engine, and tells of it unless nobody is to hear. */
  happens(action: "start" | "die" | "destroy", of: string, heard = true): void {
    if (action === "destroy") this.containers.delete(of);
    else this.containers.set(of, { running: action === "start", pid: action === "start" ? 7 : 0 });
    if (heard) this.tell(action, of);
  }

  tell(action: string, of: string): void {
    const event = { Type: "container", Action: action, Actor: { ID: of } };
    this.#stream!.enqueue(new TextEncoder().encode(`${JSON.stringify(event)}\n`));
  }

  /** What has been told since the last time, once `last` has. */
  async until(last: string): Promise<string[]> {
    await this.when(() => this.told.includes(last));
    return this.told.splice(0, this.told.indexOf(last) + 1);
  }

  async when(holds: () => boolean): Promise<void> {
    while (!holds()) await new Promise((resolve) => setImmediate(resolve));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.events.stop();
    await this.fake[Symbol.asyncDispose]();
  }
}

function described(Id: string, { running, pid }: { running: boolean; pid: number }) {
  return { Id, State: { Running: running, Pid: pid }, Config: {}, HostConfig: {} };
}

describe("who follows an engine", () => {
  test("hears of all its containers, and then of each that starts, ends and goes", async () => {
    await using followed = new Followed();
    followed.happens("start", id("a"), false);
    followed.events.start();
    expect(await followed.until("connected a")).toEqual(["connected a"]);
    followed.happens("start", id("b"));
    expect(await followed.until("started b 7")).toEqual(["started b 7"]);
    followed.happens("die", id("b"));
    followed.happens("destroy", id("b"));
    expect(await followed.until("destroyed b")).toEqual(["died b", "destroyed b"]);
    const { sinceMs, connections, events } = followed.events.status();
    expect({ connections, events }).toEqual({
      ...{ connections: 1, events: { start: 1, die: 1, destroy: 1 } },
    });
    expect(sinceMs).toBe(followed.sim.world.now());
  });

  test("hears of a start once there is a process", async () => {
    await using followed = new Followed();
    followed.events.start();
    await followed.until("connected ");
    followed.happens("start", id("a"), false);
    followed.containers.get(id("a"))!.pid = 0;
    followed.tell("start", id("a"));
    await followed.when(() => followed.fake.asked.at(-1)!.endsWith(`${id("a")}/json`));
    expect(followed.told).toEqual([]);
    followed.containers.get(id("a"))!.pid = 9;
    await followed.when(() => {
      // Beside the timer of the next look at all: it waits to ask again.
      if (followed.sim.world.timers > 1) followed.sim.clock.run(200);
      return followed.told.length > 0;
    });
    expect(followed.told).toEqual(["started a 9"]);
  });

  test("hears nothing of a start after which the container ended at once", async () => {
    await using followed = new Followed();
    followed.events.start();
    await followed.until("connected ");
    followed.containers.set(id("a"), { running: true, pid: 0 });
    followed.tell("start", id("a"));
    followed.tell("die", id("a"));
    expect(await followed.until("died a")).toEqual(["died a"]);
    followed.containers.set(id("a"), { running: true, pid: 5 });
    followed.happens("start", id("b"));
    expect(await followed.until("started b 7")).toEqual(["started b 7"]);
  });

  test("hears after a gap of what it has missed, before the list of all", async () => {
    await using followed = new Followed();
    for (const letter of ["a", "b", "c"]) followed.happens("start", id(letter), false);
    followed.events.start();
    await followed.until("connected a,b,c");
    await followed.fake.stop();
    followed.happens("die", id("a"), false);
    followed.happens("destroy", id("b"), false);
    followed.happens("start", id("d"), false);
    await followed.when(() => followed.events.status().sinceMs === undefined);
    expect(followed.events.status().lastError?.text).toContain("no Docker engine answers at unix:");
    followed.fake.start();
    followed.sim.clock.run(1000);
    const told = await followed.until("started d 7");
    expect(told.filter((each) => !each.startsWith("connected"))).toEqual([
      ...["disconnected", "died a", "destroyed b", "started d 7"],
    ]);
    expect(told.indexOf("connected a,c,d")).toBeGreaterThan(told.indexOf("destroyed b"));
    expect(followed.events.status()).toMatchObject({ connections: 2, missed: 3 });
  });

  test("hears of a start during which the engine went", async () => {
    await using followed = new Followed();
    followed.events.start();
    await followed.until("connected ");
    followed.containers.set(id("a"), { running: true, pid: 0 });
    followed.tell("start", id("a"));
    await followed.when(() => followed.fake.asked.at(-1)!.endsWith(`${id("a")}/json`));
    await followed.fake.stop();
    await followed.when(() => followed.events.status().sinceMs === undefined);
    followed.containers.get(id("a"))!.pid = 8;
    followed.fake.start();
    followed.sim.clock.run(1000);
    expect(await followed.until("started a 8")).toContain("connected a");
  });

  test("asks an engine that does not answer less and less often", async () => {
    await using followed = new Followed();
    await followed.fake.stop();
    followed.events.start();
    const attempts: number[] = [];
    while (attempts.length < 11) {
      await followed.when(() => followed.sim.world.timers > 0);
      const { atMs } = followed.events.status().lastError!;
      if (atMs !== attempts.at(-1)) attempts.push(atMs);
      followed.sim.clock.run(50);
    }
    const delays = attempts.slice(1).map((atMs, index) => atMs - attempts[index]!);
    expect(delays.slice(0, 3)).toEqual([1000, 1500, 2250]);
    expect(delays.slice(-2)).toEqual([20_000, 20_000]);
  });

  test("finds an engine that starts later as soon as it has made its socket", async () => {
    await using followed = new Followed();
    await followed.fake.stop();
    followed.events.start();
    const { world, clock } = followed.sim;
    while (world.monotonicMs() < 60_000) {
      await followed.when(() => world.timers > 0);
      clock.run(100);
    }
    followed.fake.start();
    const beganMs = world.monotonicMs();
    while (followed.events.status().sinceMs === undefined) {
      clock.run(100);
      await followed.when(() => world.timers > 0);
    }
    expect(followed.told).toEqual(["connected "]);
    expect(world.monotonicMs() - beganMs).toBeLessThanOrEqual(1100);
  });

  test("finds by looking what no event told of", async () => {
    await using followed = new Followed();
    followed.happens("start", id("a"), false);
    followed.events.start();
    await followed.until("connected a");
    followed.happens("destroy", id("a"), false);
    followed.happens("start", id("b"), false);
    followed.sim.clock.run(33_000);
    expect(await followed.until("started b 7")).toEqual(["destroyed a", "swept", "started b 7"]);
  });

  test("hears last how it stands, also of what happens while a list is on its way", async () => {
    await using followed = new Followed();
    const gate = Promise.withResolvers<void>();
    followed.list = gate.promise;
    followed.happens("start", id("a"), false);
    followed.events.start();
    await followed.when(() => followed.listsAsked === 1);
    // The list that says that it runs is made already.
    followed.happens("destroy", id("a"));
    gate.resolve();
    expect(await followed.until("destroyed a")).toEqual(["connected a", "destroyed a"]);
  });

  test("begins anew when the engine tells of events and lists nothing", async () => {
    await using followed = new Followed();
    followed.events.start();
    await followed.until("connected ");
    followed.isBroken = true;
    followed.sim.clock.run(33_000);
    expect(await followed.until("disconnected")).toEqual(["disconnected"]);
    expect(followed.events.status().lastError).toMatchObject({ code: "ENGINE_REFUSED" });
    followed.isBroken = false;
    await followed.when(() => {
      if (followed.sim.world.timers > 0) followed.sim.clock.run(1000);
      return followed.told.includes("connected ");
    });
  });

  test("begins anew when more happens than can be kept until a list has come", async () => {
    await using followed = new Followed();
    const gate = Promise.withResolvers<void>();
    followed.list = gate.promise;
    followed.events.start();
    await followed.when(() => followed.listsAsked === 1);
    for (let count = 0; count < 10_010; count++) followed.tell("die", id("a"));
    await followed.when(() => followed.events.status().lastError !== undefined);
    expect(followed.events.status().lastError?.text).toContain("faster than a list");
    expect(followed.told).toEqual([]);
    gate.resolve();
  });

  test("goes on hearing when another who hears fails", async () => {
    await using followed = new Followed();
    followed.events.observe({
      connected() {
        throw new Error("out of order");
      },
    });
    followed.events.start();
    await followed.until("connected ");
    followed.happens("die", id("a"));
    expect(await followed.until("died a")).toEqual(["died a"]);
  });

  test("leaves neither a timer nor a connection when it stops", async () => {
    const followed = new Followed();
    followed.events.start();
    await followed.until("connected ");
    await followed.events.stop();
    expect(followed.sim.world.timers).toBe(0);
    followed.tell("die", id("a"));
    expect(followed.told).toEqual([]);
    await followed[Symbol.asyncDispose]();
  });
});
