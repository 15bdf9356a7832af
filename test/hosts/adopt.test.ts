import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { FakeEngine, type FakeRequest } from "../docker/fake-engine.ts";
import { type Host, Lab } from "./lab.ts";
import { killed } from "./shell.ts";

const sample = join(import.meta.dir, "../vectors/ipam/persistence-sample-data.db");
const id = "ab".repeat(32);
const secret = "not-to-be-seen-0123456789";

/**
 * A container engine that has one container, the old router's: a program of that name which does
 * nothing, on a host of a lab. Its data is recorded.
 */
class OldEngine implements AsyncDisposable {
  readonly orders: string[] = [];
  readonly #host: Host;
  readonly #data: string;
  readonly #api = new FakeEngine((request) => this.#answer(request));
  #program: Bun.Subprocess | undefined;

  constructor(host: Host) {
    this.#host = host;
    this.#data = join(host.lab.folder, "volume");
    mkdirSync(this.#data, { recursive: true });
    copyFileSync(sample, join(this.#data, "weavedata.db"));
  }

  get endpoint(): string {
    return this.#api.endpoint;
  }

  get isRunning(): boolean {
    return this.#program !== undefined;
  }

  start(): void {
    const program = ["bash", "-c", "exec -a weaver sleep 600"];
    this.#program = Bun.spawn(["nsenter", `--net=/run/netns/${this.#host.namespace}`, ...program]);
  }

  async stop(): Promise<void> {
    if (this.#program !== undefined) await killed(this.#program.pid);
    this.#program = undefined;
  }

  async #answer({ method, path, body }: FakeRequest): Promise<Response | undefined> {
    if (path === "/containers/json") return Response.json([]);
    if (path === "/containers/weave/json") return Response.json(this.#description());
    if (method !== "POST" || !path.startsWith(`/containers/${id}/`)) return undefined;
    const order = path.slice(`/containers/${id}/`.length);
    if (order === "stop") await this.stop();
    if (order === "start") this.start();
    const policy = /"Name":"([^"]*)"/.exec(JSON.stringify(body ?? null))?.[1] ?? "";
    this.orders.push(`${order} ${policy}`.trim());
    return Response.json({});
  }

  #description() {
    const ports = ["--http-addr", "127.0.0.1:6784", "--status-addr", "127.0.0.1:6782"];
    return {
      Id: id,
      Name: "/weave",
      Path: "weaver",
      Args: ["--no-fastdp", "--ipalloc-range", "10.32.0.0/12", "--no-dns", ...ports],
      State: { Pid: this.#program?.pid ?? 0, Running: this.isRunning },
      Config: { Env: [`WEAVE_PASSWORD=${secret}`] },
      HostConfig: { RestartPolicy: { Name: "always", MaximumRetryCount: 0 } },
      Mounts: [{ Source: this.#data, Destination: "/weavedb" }],
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await this.#api[Symbol.asyncDispose]();
  }
}

describe("a host whose old router a container engine runs", () => {
  let lab: Lab;
  let host: Host;
  let engine: OldEngine;

  beforeAll(async () => {
    lab = await Lab.onSwitch("lfe", 1);
    host = lab.hosts[0]!;
    engine = new OldEngine(host);
  });
  afterEach(async () => {
    await host.weave(["reset", "--force"]);
    await engine.stop();
    engine.orders.length = 0;
  });
  afterAll(async () => {
    await engine?.[Symbol.asyncDispose]();
    await lab?.[Symbol.asyncDispose]();
  });

  const adopt = (...words: readonly string[]) =>
    host.weave(["adopt", "--yes", "--docker-api", engine.endpoint, ...words]);

  const isAdopted = async (): Promise<void> => {
    expect(await host.mustWeave(["report", "-f", "{{.Router.Name}}"])).toBe("7a:9f:eb:b6:0c:6e");
    const targets = await host.mustWeave(["status", "targets"]);
    expect(targets.split("\n").sort()).toEqual(["192.168.48.11", "192.168.48.12:6783"]);
    expect(await host.mustWeave(["status", "ipam"])).toContain("(4 active)");
    expect(await host.mustWeave(["status"])).toContain("Encryption: enabled");
    expect((await host.weave(["adopt", "--dry-run"])).code).toBe(3);
  };

  test("is taken over, and the engine does not start the old one again", async () => {
    engine.start();
    const audit = join(lab.folder, "audit.jsonl");
    const { code, stdout, stderr } = await adopt("--events-file", audit);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).not.toContain(secret);
    expect(engine.orders).toEqual(["update no", "stop"]);
    await isAdopted();
    const first = readFileSync(audit, "utf8").split("\n")[0]!;
    expect(JSON.parse(first)).toMatchObject({ kind: "router.adopted", by: { kind: "cli" } });
  });

  test("is taken over from a router that has been stopped", async () => {
    expect(await adopt()).toMatchObject({ code: 0, stderr: "" });
    expect(engine.orders).toEqual(["update no"]);
    await isAdopted();
  });

  test("has its old router back when ours cannot start", async () => {
    engine.start();
    const obstacle = join(host.env.WEAVE_RUN_DIR!, "weave.log");
    mkdirSync(obstacle, { recursive: true });
    const { code, stdout, stderr } = await adopt();
    rmSync(obstacle, { recursive: true });
    expect(code).toBe(1);
    expect(stdout).toContain("starting the container weave again\n");
    expect(stderr).toContain("the container weave of the old router runs as before");
    expect(engine.orders).toEqual(["update no", "stop", "update always", "start"]);
    expect(engine.isRunning).toBe(true);
    expect(existsSync(join(host.env.WEAVE_STATE_DIR!, "weave.db"))).toBe(false);
  });
});
