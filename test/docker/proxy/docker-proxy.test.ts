import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ConnectionOptions, connect as connectTls } from "node:tls";
import { parseGoPattern } from "../../../lib/base/go-pattern.ts";
import { noTracer } from "../../../lib/daemon/tracing/tracer.ts";
import { DockerEngine } from "../../../lib/docker/engine.ts";
import { DockerProxy } from "../../../lib/docker/proxy/docker-proxy.ts";
import { Interceptor } from "../../../lib/docker/proxy/interceptor.ts";
import { VirtualClock } from "../../../lib/simulator/virtual-clock.ts";
import { SimWorld } from "../../../lib/simulator/world.ts";
import { certificate } from "../certificates.ts";
import { FakeEngine } from "../fake-engine.ts";
import { MemoryStartHold } from "../memory-start-hold.ts";

let folder: string;
let engine: FakeEngine;
let clock: VirtualClock;
let world: SimWorld;
let proxy: DockerProxy | undefined;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "weave-proxy-"));
  engine = new FakeEngine(({ path }) =>
    path === "/info" ? Response.json({ Name: "x" }) : undefined,
  );
  clock = new VirtualClock();
  world = new SimWorld(clock, 1);
});

afterEach(async () => {
  proxy?.stop();
  await engine[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

type Listening = ConstructorParameters<typeof DockerProxy>[0]["proxy"];

function proxyWith(changes: Partial<Listening> = {}, endpoint = engine.endpoint): DockerProxy {
  const docker = new DockerEngine(endpoint);
  const interceptor = new Interceptor({
    ...{ world, engine: docker, hold: new MemoryStartHold() },
    folders: { dir: "/w1", noMulticastDir: "/w2", noopDir: "/w3" },
    ...{ multicastRoute: true, byDefault: true },
    hostname: { fromLabel: "", match: parseGoPattern("(.*)"), replacement: "$1" },
    dns: () => undefined,
    wasDetached: () => false,
    obstacle: () => undefined,
  });
  proxy = new DockerProxy({
    tracer: noTracer,
    ...{ world, log: world.log, client: docker.client, interceptor },
    proxy: {
      ...{ listen: [], dns: true, rewriteInspect: false },
      hostname: { fromLabel: "", match: "(.*)", replacement: "$1" },
      ...changes,
    },
    socket: socket(),
  });
  return proxy;
}

const socket = (): string => join(folder, "run/weave.sock");

/** What comes back to a request, over a connection that has ended its own direction. */
function ask(to: Socket): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  let text = "";
  to.on("data", (bytes) => {
    text += bytes.toString();
  });
  to.on("end", () => resolve(text)).on("error", reject);
  to.write("GET /v1.41/info HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  return promise;
}

const textOf = (path: string): string => readFileSync(path, "utf8");

function freePort(): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<number>();
  const server = createServer().listen(0, "127.0.0.1", () => {
    const address = server.address();
    server.close(() => resolve(typeof address === "object" ? address!.port : 0));
  });
  return promise;
}

describe("the proxy", () => {
  test("listens where an engine answers, for the same users as the engine does", async () => {
    chmodSync(engine.socket, 0o660);
    await proxyWith().begin();
    expect(proxy!.report()).toEqual({ Addresses: [`unix://${socket()}`] });
    expect(statSync(socket()).mode & 0o7777).toBe(0o660);
    expect(await ask(connect({ path: socket(), allowHalfOpen: true }))).toEndWith('{"Name":"x"}');
    expect(proxy!.measurements()).toContainEqual(
      expect.objectContaining({ name: "weave_proxy_connections_total", value: 1 }),
    );
  });

  test("waits for an engine that is not there yet, and stays when it goes", async () => {
    await engine.stop();
    rmSync(engine.socket, { force: true });
    await proxyWith().begin();
    expect(proxy!.report()).toBeUndefined();
    expect(existsSync(socket())).toBe(false);
    engine.start();
    await proxy!.begin();
    expect(proxy!.addresses()).toHaveLength(1);
    await engine.stop();
    rmSync(engine.socket, { force: true });
    const answer = await ask(connect({ path: socket(), allowHalfOpen: true }));
    expect(answer).toStartWith("HTTP/1.1 500 Internal Server Error\r\n");
    expect(answer).toContain("Could not connect to target");
  });

  test("replaces a socket that nobody serves, and takes its own away when it ends", async () => {
    await proxyWith().begin();
    const dead = Bun.spawnSync([
      process.execPath,
      ...[
        "-e",
        `Bun.listen({unix:"${folder}/dead.sock",socket:{data(){}}}); process.kill(process.pid,9)`,
      ],
    ]);
    expect(dead.signalCode).toBe("SIGKILL");
    expect(existsSync(`${folder}/dead.sock`)).toBe(true);
    proxy!.stop();
    expect(existsSync(socket())).toBe(false);
    await proxyWith({ listen: [`unix://${folder}/dead.sock`] }).begin();
    expect(proxy!.addresses()).toEqual([`unix://${folder}/dead.sock`, `unix://${socket()}`]);
  });

  test("that has stopped lets what goes on go on, until it is to end that too", async () => {
    engine.answers = () => new Response(new ReadableStream({ start: (to) => to.enqueue("{}") }));
    await proxyWith().begin();
    const client = connect({ path: socket(), allowHalfOpen: true });
    client.write("GET /v1.41/events HTTP/1.1\r\nHost: x\r\n\r\n");
    const [first] = await once(client, "data");
    expect(String(first)).toStartWith("HTTP/1.1 200 OK\r\n");
    proxy!.stop();
    const over = proxy!.finished().then(() => "over");
    expect(await Promise.race([over, new Promise((done) => setImmediate(done, "open"))])).toBe(
      "open",
    );
    const ended = once(client.resume(), "end");
    proxy!.end();
    await Promise.all([ended, over]);
    client.destroy();
  });

  test("does not take over the engine's socket, a file, or what another serves", async () => {
    writeFileSync(`${folder}/file`, "x");
    const other = Bun.listen({ unix: `${folder}/other.sock`, socket: { data() {} } });
    const listen = [engine.socket, `${folder}/file`, `${folder}/other.sock`];
    await proxyWith({ listen: listen.map((path) => `unix://${path}`) }).begin();
    other.stop();
    expect(proxy!.report()).toEqual({
      Addresses: [`unix://${socket()}`],
      Problems: [
        `the Docker engine itself listens on unix://${engine.socket}`,
        `the proxy cannot listen on unix://${folder}/file: a file is there that is no socket`,
        `the proxy cannot listen on unix://${folder}/other.sock: another program listens there`,
      ],
    });
  });

  test("tells TCP before sockets, and has none beside TCP alone", async () => {
    const tcp = `tcp://127.0.0.1:${await freePort()}`;
    await proxyWith({ listen: [tcp] }).begin();
    expect(proxy!.addresses()).toEqual([tcp]);
    proxy!.stop();
    await proxyWith({ listen: [`unix://${folder}/a.sock`, tcp] }).begin();
    expect(proxy!.addresses()).toEqual([tcp, `unix://${folder}/a.sock`, `unix://${socket()}`]);
  });

  test("with TLS serves who has a certificate, and shows one that was renewed", async () => {
    const port = await freePort();
    for (const [from, to] of [
      ["engine", "cert"],
      ["engine-key", "key"],
    ] as const) {
      copyFileSync(certificate(from), `${folder}/${to}.pem`);
    }
    const tls = { enabled: true, verify: true, ca: certificate("authority") };
    const files = { cert: `${folder}/cert.pem`, key: `${folder}/key.pem` };
    await proxyWith({ listen: [`tcp://127.0.0.1:${port}`], tls: { ...tls, ...files } }).begin();
    const anybody = { port, host: "127.0.0.1", rejectUnauthorized: false };
    const showing = (name: "client" | "stranger-client"): ConnectionOptions => ({
      ...anybody,
      cert: textOf(certificate(name)),
      key: textOf(certificate(`${name}-key`)),
    });
    const asks = (options: ConnectionOptions) =>
      ask(connectTls(options)).catch((error: Error) => error.message);
    expect(await asks(showing("client"))).toEndWith('{"Name":"x"}');
    expect(await asks(showing("stranger-client"))).not.toContain("Name");
    expect(await asks(anybody)).not.toContain("Name");

    copyFileSync(certificate("client"), files.cert);
    copyFileSync(certificate("client-key"), files.key);
    clock.run(20_000);
    expect(world.lines).toContain("info proxy: certificates were read again");
    const renewed = connectTls(showing("client"));
    await once(renewed, "secureConnect");
    const shown = renewed.getPeerCertificate().fingerprint256;
    renewed.destroy();
    expect(shown).toBe(new X509Certificate(textOf(files.cert)).fingerprint256);
  });

  test("says what is missing for TLS, and does not serve without", async () => {
    const tls = { enabled: true, verify: false, ca: "", cert: `${folder}/no.pem`, key: "/no.pem" };
    await proxyWith({ listen: ["tcp://127.0.0.1:1"], tls }).begin();
    expect(proxy!.report()).toMatchObject({
      Addresses: null,
      Problems: [expect.stringMatching(/^the proxy cannot serve TLS: .*no\.pem cannot be read/)],
    });
  });
});
