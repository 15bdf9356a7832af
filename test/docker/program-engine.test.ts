import { afterAll, expect, test } from "bun:test";
import { DockerProgramEngine } from "../../lib/docker/program-engine.ts";
import { FakeEngine } from "./fake-engine.ts";

const id = "ab".repeat(32);
const orders: string[] = [];

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

const fake = new FakeEngine(({ method, path, query, body }) => {
  if (method === "POST") {
    const words = query.size === 0 ? "" : `?${query}`;
    orders.push(`${path}${words} ${body === undefined ? "" : JSON.stringify(body)}`.trim());
    if (path.endsWith("/start")) return new Response(null, { status: 304 });
    if (path.endsWith("/update")) return Response.json({ Warnings: null });
    if (path.endsWith("/stop")) return new Response(null, { status: 204 });
  }
  if (path === "/containers/json") return Response.json([{ Id: id }]);
  if (path === `/containers/${id}/json`) return Response.json(inspected);
  return undefined;
});

afterAll(() => fake[Symbol.asyncDispose]());

const engine = new DockerProgramEngine(fake.endpoint);

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
  fake.answers = () => undefined;
  await expect(engine.stop(id)).rejects.toHaveProperty("code", "ENGINE_REFUSED");
  const absent = new DockerProgramEngine(`unix://${fake.folder}/absent`);
  await expect(absent.running()).rejects.toHaveProperty("code", "ENGINE_UNREACHABLE");
});
