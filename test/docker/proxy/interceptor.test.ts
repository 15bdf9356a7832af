import { describe, expect, test } from "bun:test";
import { parseGoPattern } from "../../../lib/base/go-pattern.ts";
import type { EngineContainer, EngineImage } from "../../../lib/docker/engine-models.ts";
import type { Interception } from "../../../lib/docker/proxy/exchange.ts";
import { holdMaxMs } from "../../../lib/docker/proxy/held-start.ts";
import { Interceptor, type InterceptorOptions } from "../../../lib/docker/proxy/interceptor.ts";
import { VirtualClock } from "../../../lib/simulator/virtual-clock.ts";
import { SimWorld } from "../../../lib/simulator/world.ts";
import { MemoryStartHold } from "../memory-start-hold.ts";
import { someContainer } from "../some-container.ts";

const bytes = (value: unknown) =>
  new Uint8Array(Buffer.from(typeof value === "string" ? value : JSON.stringify(value)));
const read = (data: Uint8Array | undefined) => data && JSON.parse(Buffer.from(data).toString());

/** An interceptor beside an engine that knows these. */
class Stage {
  readonly clock = new VirtualClock();
  readonly world = new SimWorld(this.clock, 1);
  readonly hold = new MemoryStartHold();
  readonly killed: string[] = [];
  container: EngineContainer | undefined = someContainer();
  image: EngineImage | undefined = { id: "sha256:1", entrypoint: [], cmd: ["sh"] };
  obstacle: string | undefined;
  isDetached = false;
  readonly #interceptor: Interceptor;

  constructor(changes: Partial<InterceptorOptions> = {}) {
    this.#interceptor = new Interceptor({
      ...{ world: this.world, hold: this.hold },
      engine: {
        inspect: async () => this.container,
        image: async () => this.image,
        kill: async (id) => this.killed.push(id) > 0,
      },
      folders: { dir: "/w1", noMulticastDir: "/w2", noopDir: "/w3" },
      ...{ multicastRoute: true, byDefault: true },
      hostname: { fromLabel: "", match: parseGoPattern("(.*)"), replacement: "$1" },
      dns: () => ({ address: "172.17.0.1", domain: "weave.local." }),
      wasDetached: () => this.isDetached,
      obstacle: () => this.obstacle,
      ...changes,
    });
  }

  post(path: string): Interception {
    return this.#interceptor.intercept("POST", path)!;
  }

  get(path: string): Interception | undefined {
    return this.#interceptor.intercept("GET", path);
  }
}

describe("making a container", () => {
  test("is edited, with the helper that waits for what there will be", async () => {
    const edited = async (changes: Partial<InterceptorOptions>) =>
      read(
        await new Stage(changes).post("/containers/create?name=web").request!(
          bytes({ Image: "bb" }),
        ),
      );
    expect(await edited({})).toMatchObject({
      ...{ Entrypoint: ["/w/w"], Cmd: ["sh"], Hostname: "web" },
      HostConfig: { Binds: ["/w1:/w:ro"] },
    });
    expect((await edited({ multicastRoute: false })).HostConfig.Binds).toEqual(["/w2:/w:ro"]);
  });

  test.each([
    [{ Env: ["WEAVE_CIDR=none"] }, "WEAVE_CIDR=none"],
    [{ HostConfig: { NetworkMode: "host" } }, "network of its host"],
    [{ HostConfig: { NetworkMode: "my-net" } }, "on the network my-net"],
  ])("that is to be left alone passes, with %j", async (body, reason) => {
    const stage = new Stage();
    expect(await stage.post("/containers/create?name=web").request!(bytes(body))).toBeUndefined();
    expect(stage.world.lines.join("\n")).toContain(`container web is not attached: it`);
    expect(stage.world.lines.join("\n")).toContain(reason);
  });

  test("of an image that is not there is answered so that clients fetch it", async () => {
    const stage = new Stage();
    stage.image = undefined;
    expect(
      stage.post("/containers/create").request!(bytes({ Image: "x:1" })),
    ).rejects.toMatchObject({
      ...{ code: "IMAGE_UNKNOWN", message: "No such image: x:1" },
    });
  });

  test.each(["", "[]", "{", '{"Image":""}'])("that makes no sense passes: %p", async (body) => {
    expect(await new Stage().post("/containers/create").request!(bytes(body))).toBeUndefined();
  });

  test("has warnings that clients show", async () => {
    const stage = new Stage();
    stage.obstacle = "most hosts are away";
    const interception = stage.post(`/containers/create?name=${"x".repeat(60)}`);
    await interception.request!(bytes({ Image: "bb" }));
    const answer = await interception.answer!(bytes('{"Id":"1","Warnings":["a"]}'), 201);
    expect(read(answer).Warnings).toEqual([
      "a",
      expect.stringContaining('weave: "xxx'),
      "weave: its start will wait: most hosts are away",
    ]);
    expect(await interception.answer!(bytes("{}"), 409)).toBeUndefined();
  });

  test("without anything to warn of has the engine's answer as it is", async () => {
    const interception = new Stage().post("/containers/create");
    await interception.request!(bytes({ Image: "bb" }));
    expect(await interception.answer!(bytes("{}"), 201)).toBeUndefined();
  });
});

describe("starting a container", () => {
  const id = someContainer().id;

  test("is held until it is attached", async () => {
    const stage = new Stage();
    const start = stage.post("/containers/web/start");
    expect(await start.request!(bytes(""))).toBeUndefined();
    expect(stage.hold.expected).toEqual([id]);
    const answered = start.answered!(204);
    stage.hold.settle(id);
    expect(await answered).toEqual([]);
    start.over!();
    expect(stage.hold.held.size).toBe(0);
  });

  test("that takes long is told of in the log and in the answer", async () => {
    const stage = new Stage();
    stage.obstacle = "most hosts are away";
    const start = stage.post("/containers/web/restart");
    await start.request!(bytes(""));
    const answered = start.answered!(204);
    stage.clock.run(7_000);
    expect(stage.world.lines.join("\n")).toContain("is held: most hosts are away");
    stage.hold.settle(id);
    expect(await answered).toEqual([["Warning", '299 weave "attached after 7 s"']]);
  });

  test("that never ends is ended, with the reason", async () => {
    const stage = new Stage();
    stage.obstacle = "most hosts are away";
    const start = stage.post("/containers/web/start");
    await start.request!(bytes(""));
    const answered = start.answered!(204);
    stage.clock.run(holdMaxMs);
    expect(answered).rejects.toMatchObject({
      ...{ code: "ATTACH_LATE", message: expect.stringContaining("most hosts are away") },
    });
    await answered.catch(() => {});
    expect(stage.killed).toEqual([id]);
    expect(stage.world.timers).toBe(0);
  });

  test("that nobody waits for any more leaves the container to itself", async () => {
    const stage = new Stage();
    const start = stage.post("/containers/web/start");
    await start.request!(bytes(""));
    const answered = start.answered!(204);
    start.over!();
    expect(await answered).toEqual([]);
    stage.clock.run(2 * holdMaxMs);
    expect(stage.killed).toEqual([]);
    expect(stage.world.timers).toBe(0);
  });

  test("that fails is answered with why", async () => {
    const stage = new Stage();
    const start = stage.post("/containers/web/start");
    await start.request!(bytes(""));
    stage.hold.settle(id, new Error("no address is left"));
    expect(start.answered!(204)).rejects.toThrow("no address is left");
    expect(stage.killed).toEqual([]);
  });

  test("is not held where the engine did not start it", async () => {
    const stage = new Stage();
    const start = stage.post("/containers/web/start");
    await start.request!(bytes(""));
    for (const status of [304, 404, 500]) expect(await start.answered!(status)).toEqual([]);
  });

  test.each([undefined, someContainer({ entrypoint: ["nginx"] })])(
    "of one that is not ours passes: %#",
    async (container) => {
      const stage = new Stage();
      stage.container = container;
      const start = stage.post("/containers/web/start");
      expect(await start.request!(bytes('{"Dns":[]}'))).toBeUndefined();
      expect(stage.hold.expected).toEqual([]);
      expect(await start.answered!(204)).toEqual([]);
    },
  );

  test("with settings keeps what was added when it was made", async () => {
    const start = new Stage().post("/v1.23/containers/web/start");
    expect(read(await start.request!(bytes({ MemorySwap: -1 })))).toEqual({
      ...{ MemorySwap: -1, Binds: ["/w1:/w:ro"], Dns: ["172.17.0.1"], DnsSearch: ["."] },
    });
  });
});

describe("running one more command", () => {
  const edited = async (container: EngineContainer | undefined) => {
    const stage = new Stage();
    stage.container = container;
    return read(await stage.post("/containers/web/exec").request!(bytes({ Cmd: ["ls"] })));
  };

  test("waits in a container that has the helper and is to be attached", async () => {
    expect(await edited(someContainer())).toEqual({ Cmd: ["/w/w", "ls"] });
  });

  test("does not in one that was detached, where it would wait for ever", async () => {
    const stage = new Stage();
    stage.isDetached = true;
    const exec = stage.post("/containers/web/exec");
    expect(await exec.request!(bytes({ Cmd: ["ls"] }))).toBeUndefined();
  });

  test("does not in another, or in none", async () => {
    expect(await edited(someContainer({ mounts: [] }))).toBeUndefined();
    expect(await edited(someContainer({ networkMode: "host" }))).toBeUndefined();
    expect(await edited(undefined)).toBeUndefined();
  });
});

describe("asking about a container", () => {
  test("passes unless it was asked for otherwise", () => {
    expect(new Stage().get("/containers/web/json")).toBeUndefined();
  });

  test("shows its address here, once what is being done to it is done", async () => {
    const shown = { mac: "0a:00:00:00:00:01", address: "10.32.0.1", prefix: 12 };
    const stage = new Stage({ shownInterface: async (id) => (id === "1" ? shown : undefined) });
    const { answer } = stage.get("/containers/web/json")!;
    expect(read(await answer!(bytes('{"Id":"1"}'), 200))).toEqual({
      ...{ Id: "1" },
      NetworkSettings: { MacAddress: shown.mac, IPAddress: "10.32.0.1", IPPrefixLen: 12 },
    });
    expect(await answer!(bytes('{"Id":"2"}'), 200)).toBeUndefined();
    expect(await answer!(bytes('{"message":"no"}'), 404)).toBeUndefined();
    expect(await answer!(bytes("no JSON"), 200)).toBeUndefined();
    expect(stage.world.lines.at(-1)).toContain("passed on as it is");
  });
});
