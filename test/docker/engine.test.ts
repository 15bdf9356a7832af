import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DockerEngine } from "../../lib/docker/engine.ts";

const id = "ab".repeat(32);
const folder = mkdtempSync(join(tmpdir(), "weave-engine-"));
const socket = join(folder, "docker.sock");
let server: Bun.Server<undefined>;

beforeAll(() => {
  server = Bun.serve({
    unix: socket,
    routes: {
      "/containers/json": Response.json([{ Id: id, Names: ["/web", "/proxy/web"] }]),
      "/containers/web/json": Response.json({
        Id: id,
        HostsPath: "/var/lib/docker/hosts",
        State: { Pid: 4321, Running: true, Restarting: false },
        Config: { Hostname: "web", Domainname: "weave.local" },
        HostConfig: { NetworkMode: "bridge" },
      }),
      "/containers/odd/json": Response.json({ Id: 5 }),
      "/containers/text/json": new Response("no json"),
      "/containers/broken/json": new Response("out of order", { status: 500 }),
    },
    fetch: () => new Response("no such container", { status: 404 }),
  });
});

afterAll(async () => {
  await server.stop(true);
  rmSync(folder, { recursive: true });
});

describe("a Docker engine", () => {
  const engine = new DockerEngine(`unix://${socket}`);

  test("tells a container's process and names", async () => {
    expect(await engine.inspect("web")).toEqual({
      id,
      pid: 4321,
      running: true,
      restarting: false,
      hostname: "web",
      domainname: "weave.local",
      usesHostNetwork: false,
      hostsPath: "/var/lib/docker/hosts",
    });
    expect(await engine.runningIds()).toEqual([id]);
    expect(await engine.runningNames()).toEqual(["web"]);
  });

  test("knows no such container", async () => {
    expect(await engine.inspect("nobody")).toBeUndefined();
  });

  test("that answers nonsense is an error with a code, not a crash", async () => {
    await expect(engine.inspect("odd")).rejects.toHaveProperty("code", "ENGINE_ANSWER");
    await expect(engine.inspect("text")).rejects.toHaveProperty("code", "ENGINE_ANSWER");
    await expect(engine.inspect("broken")).rejects.toThrow("answered 500: out of order");
  });

  test("that is not there says what else names a container", async () => {
    const absent = new DockerEngine(`unix://${folder}/none.sock`);
    await expect(absent.inspect("web")).rejects.toHaveProperty("code", "ENGINE_UNREACHABLE");
    expect(() => new DockerEngine("ftp://x")).toThrow("cannot use");
  });
});
