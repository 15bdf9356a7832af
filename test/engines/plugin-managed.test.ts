import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildExecutable } from "../../build/build.ts";
import { packPlugin } from "../../build/plugin.ts";
import { eventually, must } from "../hosts/shell.ts";
import type { EngineHost } from "./engine-host.ts";
import { EngineLab } from "./engine-lab.ts";

/** A swarm of two hosts, on which Docker itself keeps the router. */
let lab: EngineLab;
let manager: EngineHost;
let worker: EngineHost;
const folder = mkdtempSync(join(tmpdir(), "weave-managed-"));

beforeAll(async () => {
  const binary = process.env.WEAVE_BINARY ?? (await buildExecutable(join(folder, "weave"))).path;
  packPlugin(binary, join(folder, "plugin"));
  lab = await EngineLab.start("plgm", { engine: "28", hosts: 2 });
  [manager, worker] = lab.hosts as [EngineHost, EngineHost];
});
afterAll(async () => {
  await lab?.[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

const status = async (host: EngineHost): Promise<string> =>
  (await host.weave(["status"], { env: { WEAVE_HTTP_ADDR: "127.0.0.1:6784" } })).stdout;

/** The one task of a service that runs on every host. */
async function task(host: EngineHost): Promise<string> {
  const running = ["ps", "--quiet", "--filter", "name=web"];
  return eventually(
    `a task on host ${host.number}`,
    () => host.mustDocker(running),
    (ids) => /^[0-9a-f]+$/.test(ids),
    30_000,
  );
}

async function addressOf(host: EngineHost, container: string): Promise<string> {
  const text = await host.mustDocker(["exec", container, "ip", "-4", "addr", "show", "ethwe0"]);
  return /inet ([\d.]+)\//.exec(text)?.[1] ?? "";
}

const reaches = (host: EngineHost, container: string, target: string) =>
  eventually(
    `a ping from ${container} to ${target}`,
    () => host.docker(["exec", container, "ping", "-c", "1", "-W", "1", target]),
    ({ code }) => code === 0,
  );

async function tasksReachEachOther(): Promise<void> {
  const [here, there] = [await task(manager), await task(worker)];
  await reaches(manager, here, await addressOf(worker, there));
  await reaches(worker, there, await addressOf(manager, here));
}

describe("a plugin that Docker keeps", () => {
  test("is made, set and enabled like any other, before there is a swarm", async () => {
    const enable = async (host: EngineHost): Promise<void> => {
      await must(["cp", "-a", join(folder, "plugin"), host.outside(`${host.folder}/plugin`)]);
      await host.mustDocker(["plugin", "create", "net-plugin", `${host.folder}/plugin`]);
      await host.mustDocker(["plugin", "set", "net-plugin", "IPALLOC_RANGE=10.40.0.0/16"]);
      await host.mustDocker(["plugin", "enable", "net-plugin"]);
      expect(await status(host)).toContain("Service: plugin (v2)\n");
      expect(await status(host)).toContain("Range: 10.40.0.0/16\n");
    };
    await Promise.all(lab.hosts.map(enable));
  });

  test("finds its peers in the swarm that its node joins later", async () => {
    await manager.mustDocker(["swarm", "init", "--advertise-addr", manager.ip]);
    const token = await manager.mustDocker(["swarm", "join-token", "--quiet", "worker"]);
    const join = ["swarm", "join", "--token", token, "--advertise-addr", worker.ip];
    await worker.mustDocker([...join, `${manager.ip}:2377`]);
    for (const host of lab.hosts) {
      await eventually(
        `the peer of host ${host.number}`,
        () => status(host),
        (text) => text.includes("1 established"),
        45_000,
      );
    }
  });

  test("carries tasks of a service and containers of both hosts", async () => {
    const driver = ["--driver", "net-plugin:latest", "--attachable"];
    await manager.mustDocker(["network", "create", ...driver, "n1"]);
    const service = ["--name", "web", "--network", "n1", "--mode", "global"];
    const how = ["--endpoint-mode", "dnsrr", "--stop-grace-period", "1s"];
    await manager.mustDocker([
      ...["service", "create", "--detach", ...service, ...how, "bb", "sleep", "10000"],
    ]);
    await tasksReachEachOther();
    const found = await manager.mustDocker(["exec", await task(manager), "nslookup", "web"]);
    expect(found).toContain(await addressOf(worker, await task(worker)));
    const target = await addressOf(worker, await task(worker));
    const ping = ["run", "--rm", "--net=n1", "bb", "ping", "-c", "3", "-W", "2", target];
    expect(await manager.mustDocker(ping)).toContain("bytes from");
  });

  test("keeps the networks of a swarm apart, on its host and across hosts", async () => {
    await manager.mustDocker([
      "network",
      "create",
      "--driver",
      "net-plugin:latest",
      "--attachable",
      "n2",
    ]);
    const addresses = await Promise.all(
      lab.hosts.map(async (host) => addressOf(host, await task(host))),
    );
    const pings = addresses.map((address) => `ping -c 1 -W 1 ${address} && echo crossed`);
    const script = `ip route add 10.0.0.0/8 dev ethwe0; ${pings.join("; ")}; echo tried`;
    const run = ["run", "--rm", "--cap-add=NET_ADMIN", "--net=n2", "bb", "sh", "-c", script];
    const { stdout } = await manager.docker(run);
    expect(stdout).toContain("tried");
    expect(stdout).not.toContain("crossed");
  });

  test("goes on with peers and networks when its engine is started anew", async () => {
    await worker.restartEngine();
    await tasksReachEachOther();
    expect(await status(worker)).toContain("1 established");
  });
});
