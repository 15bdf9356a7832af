import { afterAll, describe, expect, test } from "bun:test";
import { DockerEngine } from "../../lib/docker/engine.ts";
import { FakeEngine, type FakeRequest } from "./fake-engine.ts";

const id = "ab".repeat(32);
const networkId = "cd".repeat(32);
const posted: FakeRequest[] = [];

const container = {
  Id: id,
  Name: "/web",
  HostsPath: "/var/lib/docker/hosts",
  State: { Pid: 4321, Running: true, Restarting: false },
  Config: {
    Hostname: "web",
    Domainname: "weave.local",
    Labels: { tier: "front" },
    Env: ["PATH=/bin", "WEAVE_CIDR=net:default"],
    Entrypoint: ["/w/w", "nginx"],
    Cmd: ["-g", "daemon off;"],
  },
  HostConfig: { NetworkMode: "bridge", ExtraHosts: ["db:10.0.0.1"] },
  Mounts: [{ Type: "bind", Source: "/var/lib/weave/w", Destination: "/w", RW: false }],
  NetworkSettings: {
    Networks: {
      bridge: {
        NetworkID: networkId,
        IPAddress: "172.17.0.2",
        IPPrefixLen: 16,
        MacAddress: "02:42:ac:11:00:02",
        Aliases: ["front"],
        DNSNames: ["web", "front", id.slice(0, 12)],
      },
      other: null,
    },
  },
};

/** What 1.52 leaves out, and what Go writes as null. */
const bare = {
  Id: id,
  Name: "/bare",
  State: { Pid: 0, Running: false },
  Config: { Hostname: "bare", Labels: null, Env: null, Entrypoint: null },
  HostConfig: { NetworkMode: "host", ExtraHosts: null },
  Mounts: null,
};

/** Who has the label that is asked for. */
let labelled: readonly string[] = [];

const pages: Record<string, unknown> = {
  "/containers/json": [
    { Id: id, Names: ["/web", "/proxy/web"], State: "running", Labels: { tier: "front" } },
    { Id: networkId, Names: null, State: "exited" },
  ],
  "/containers/web/json": container,
  [`/containers/${id}/json`]: { ...bare, Name: "/byid" },
  "/containers/bare/json": bare,
  "/containers/odd/json": { Id: 5 },
  "/images/registry/team/app:1/json": {
    Id: "sha256:1",
    Config: { Entrypoint: "/start", Cmd: null },
  },
  "/images/empty/json": { Id: "sha256:2" },
  "/networks/front": {
    Id: networkId,
    Name: "front",
    Driver: "weavemesh",
    Scope: "local",
    Options: { "works.weave.multicast": "true" },
    IPAM: { Driver: "weavemesh", Config: [{ Subnet: "10.32.0.0/12" }, { Gateway: "10.32.0.0" }] },
    Containers: { [id]: { Name: "web", IPv4Address: "10.32.0.1/12" } },
  },
  "/info": {
    Name: "host1",
    ServerVersion: "28.5.2",
    FirewallBackend: { Driver: "nftables" },
    Swarm: {
      NodeID: "n1",
      NodeAddr: "10.0.0.1",
      LocalNodeState: "active",
      RemoteManagers: [{ NodeID: "n1", Addr: "10.0.0.1:2377" }],
    },
  },
};

const fake = new FakeEngine((request) => {
  const { method, path, query } = request;
  if (method !== "GET") posted.push(request);
  const label = JSON.parse(query.get("filters") ?? "{}").label?.[0];
  if (label !== undefined) return Response.json(labelled.map((Id) => ({ Id })));
  if (path === "/containers/text/json") return new Response("no json");
  if (path === "/containers/broken/json") {
    return Response.json({ message: "out of order" }, { status: 500 });
  }
  if (path === "/networks/create") return Response.json({ Id: networkId }, { status: 201 });
  if (method === "DELETE" && path === "/networks/front") return new Response(null, { status: 204 });
  if (path === "/containers/web/kill") return new Response(null, { status: 204 });
  return path in pages ? Response.json(pages[path]) : undefined;
});

afterAll(() => fake[Symbol.asyncDispose]());

describe("a Docker engine", () => {
  const engine = new DockerEngine(fake.endpoint);

  test("tells all that the router wants to know of a container", async () => {
    expect(await engine.inspect("web")).toEqual({
      id,
      name: "web",
      pid: 4321,
      running: true,
      restarting: false,
      hostname: "web",
      domainname: "weave.local",
      labels: { tier: "front" },
      env: ["PATH=/bin", "WEAVE_CIDR=net:default"],
      entrypoint: ["/w/w", "nginx"],
      cmd: ["-g", "daemon off;"],
      networkMode: "bridge",
      usesHostNetwork: false,
      extraHosts: ["db:10.0.0.1"],
      mounts: [{ source: "/var/lib/weave/w", target: "/w" }],
      networks: [
        {
          networkId,
          name: "bridge",
          ip: "172.17.0.2",
          prefix: 16,
          mac: "02:42:ac:11:00:02",
          aliases: ["front", "web", id.slice(0, 12)],
        },
      ],
      hostsPath: "/var/lib/docker/hosts",
    });
  });

  test("finds a container by a label that it alone has", async () => {
    labelled = [id];
    expect((await engine.inspect("label:app=web"))?.name).toBe("byid");
    expect(fake.asked.at(-1)).toBe(`GET /v1.41/containers/${id}/json`);
    labelled = [];
    expect(await engine.inspect("label:app")).toBeUndefined();
    labelled = Array.from({ length: 7 }, (_, at) => `${at}`.repeat(64));
    await expect(engine.inspect("label:app")).rejects.toMatchObject({
      code: "CONTAINER_AMBIGUOUS",
      message:
        "label app is that of 7 containers: 000000000000, 111111111111, 222222222222, 333333333333, 444444444444, …",
    });
  });

  test("leaves out what is empty, or writes null for it", async () => {
    expect(await engine.inspect("bare")).toMatchObject({
      ...{ name: "bare", pid: 0, running: false, usesHostNetwork: true, hostsPath: "" },
      ...{ labels: {}, env: [], entrypoint: [], cmd: [], extraHosts: [], mounts: [], networks: [] },
    });
  });

  test("lists containers by the names that people gave them", async () => {
    expect(await engine.runningIds()).toEqual([id, networkId]);
    expect(await engine.runningNames()).toEqual(["web"]);
    expect(await engine.allContainers()).toEqual([
      { id, names: ["web"], running: true, labels: { tier: "front" } },
      { id: networkId, names: [], running: false, labels: {} },
    ]);
  });

  test("tells what an image starts, one word or many, or nothing", async () => {
    expect(await engine.image("registry/team/app:1")).toEqual({
      ...{ id: "sha256:1", entrypoint: ["/start"], cmd: [] },
    });
    expect(await engine.image("empty")).toEqual({ id: "sha256:2", entrypoint: [], cmd: [] });
    expect(await engine.image("none")).toBeUndefined();
  });

  test("tells of its networks, and makes and removes them", async () => {
    expect(await engine.network("front")).toEqual({
      ...{ id: networkId, name: "front", driver: "weavemesh", scope: "local" },
      options: { "works.weave.multicast": "true" },
      subnets: ["10.32.0.0/12"],
      containers: [{ id, name: "web" }],
    });
    const ipam = { driver: "weavemesh", subnet: "10.32.0.0/12" };
    const options = { "works.weave.multicast": "true" };
    posted.length = 0;
    expect(await engine.createNetwork({ name: "weave", driver: "weavemesh", ipam, options })).toBe(
      networkId,
    );
    expect(posted[0]?.body).toEqual({
      Name: "weave",
      CheckDuplicate: true,
      Driver: "weavemesh",
      IPAM: { Driver: "weavemesh", Config: [{ Subnet: "10.32.0.0/12" }] },
      Options: options,
    });
    expect(await engine.removeNetwork("front")).toBe(true);
    expect(await engine.removeNetwork("gone")).toBe(false);
  });

  test("ends a container, if there is one", async () => {
    posted.length = 0;
    expect(await engine.kill("web")).toBe(true);
    expect(posted[0]?.query.get("signal")).toBe("SIGKILL");
    expect(await engine.kill("nobody")).toBe(false);
  });

  test("tells of itself and its swarm", async () => {
    expect(await engine.info()).toEqual({
      ...{ name: "host1", version: "28.5.2", firewall: "nftables" },
      swarm: {
        ...{ state: "active", nodeId: "n1", nodeAddress: "10.0.0.1" },
        managers: ["10.0.0.1:2377"],
      },
    });
  });

  test("knows no such container", async () => {
    expect(await engine.inspect("nobody")).toBeUndefined();
  });

  test("that answers nonsense is an error with a code, not a crash", async () => {
    await expect(engine.inspect("odd")).rejects.toHaveProperty("code", "ENGINE_ANSWER");
    await expect(engine.inspect("text")).rejects.toHaveProperty("code", "ENGINE_ANSWER");
    await expect(engine.inspect("broken")).rejects.toThrow("answered 500: out of order");
  });

  test("that is not there says why, and what else names a container", async () => {
    const absent = new DockerEngine(`unix://${fake.folder}/none.sock`);
    await expect(absent.inspect("web")).rejects.toMatchObject({
      code: "ENGINE_UNREACHABLE",
      message: `no Docker engine answers at unix://${fake.folder}/none.sock: there is no such socket`,
    });
    const refusing = new DockerEngine("tcp://127.0.0.1:1");
    await expect(refusing.inspect("web")).rejects.toThrow("nothing listens there");
    expect(() => new DockerEngine("ftp://x")).toThrow("cannot use");
  });

  test("that hangs is not waited for, and more than can be meant is not kept", async () => {
    const never = Promise.withResolvers<Response>();
    await using hanging = new FakeEngine(() => never.promise);
    const slow = new DockerEngine(hanging.endpoint);
    await expect(slow.runningNames({ waitMs: 20 })).rejects.toThrow("it takes too long");
    never.resolve(new Response());
    const piece = new Uint8Array(1 << 20).fill(0x20);
    hanging.answers = () =>
      new Response(new ReadableStream({ pull: (controller) => controller.enqueue(piece) }));
    await expect(slow.info()).rejects.toThrow("more than 64 MiB in one answer");
  });
});
