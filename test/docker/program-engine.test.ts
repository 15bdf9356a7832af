import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DockerProgramEngine } from "../../lib/docker/program-engine.ts";

const id = "ab".repeat(32);
const folder = mkdtempSync(join(tmpdir(), "weave-programs-"));
const socket = join(folder, "docker.sock");
const orders: string[] = [];
let server: Bun.Server<undefined>;

const inspected = {
  Id: id,
  Name: "/weave",
  Path: "/home/weave/weaver",
  Args: ["--port", "6783"],
  State: { Pid: 812, Running: true },
  Config: { Env: ["A=b"] },
  HostConfig: { RestartPolicy: { Name: "always", MaximumRetryCount: 0 } },
  Mounts: [{ Source: "/var/lib/docker/volumes/x/_data", Destination: "/weavedb" }],
};

beforeAll(() => {
  server = Bun.serve({
    unix: socket,
    async fetch(request) {
      const { pathname, search } = new URL(request.url);
      if (request.method === "POST") {
        orders.push(`${pathname}${search} ${await request.text()}`.trim());
        if (pathname.endsWith("/start")) return new Response(null, { status: 304 });
        if (pathname.endsWith("/update")) return Response.json({ Warnings: null });
        if (pathname.endsWith("/stop")) return new Response(null, { status: 204 });
      }
      if (pathname === "/containers/json") return Response.json([{ Id: id }]);
      if (pathname === `/containers/${id}/json`) return Response.json(inspected);
      return Response.json({ message: "no such container" }, { status: 404 });
    },
  });
});

afterAll(async () => {
  await server.stop(true);
  rmSync(folder, { recursive: true });
});

const engine = new DockerProgramEngine(`unix://${socket}`);

test("tells how the program of a container is run", async () => {
  const program = {
    ...{ id, name: "weave", pid: 812, isRunning: true, environment: ["A=b"] },
    command: ["/home/weave/weaver", "--port", "6783"],
    restartPolicy: { name: "always", maximumRetryCount: 0 },
    mounts: [{ source: "/var/lib/docker/volumes/x/_data", target: "/weavedb" }],
  };
  expect(await engine.describe(id)).toEqual(program);
  expect(await engine.running()).toEqual([program]);
  expect(await engine.describe("nobody")).toBeUndefined();
});

test("stops and starts it, and decides whether it is started again", async () => {
  await engine.setRestartPolicy(id, { name: "", maximumRetryCount: 0 });
  await engine.stop(id);
  await engine.start(id);
  expect(orders).toEqual([
    `/containers/${id}/update {"RestartPolicy":{"Name":"no","MaximumRetryCount":0}}`,
    `/containers/${id}/stop?t=10`,
    `/containers/${id}/start`,
  ]);
});

test("fails when the container is gone, or no engine answers", async () => {
  server.reload({ fetch: () => new Response("gone", { status: 404 }) });
  await expect(engine.stop(id)).rejects.toHaveProperty("code", "ENGINE_REFUSED");
  const absent = new DockerProgramEngine(`unix://${folder}/absent`);
  await expect(absent.running()).rejects.toHaveProperty("code", "ENGINE_UNREACHABLE");
});
