import { afterEach, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { networkInterfaces, tmpdir } from "node:os";
import { join } from "node:path";
import packet from "dns-packet";
import type { Endpoint } from "../../lib/base/endpoint.ts";
import { silentLog } from "../../lib/base/world.ts";
import { DnsResponder } from "../../lib/dns/responder.ts";
import { DnsServer, tcpClientsMax } from "../../lib/host/dns-server.ts";
import { queriesPerClientMax } from "../../lib/host/dns-tcp-client.ts";
import { ResolvConfFile } from "../../lib/host/resolv-conf-file.ts";
import { DnsStream, withLength } from "../../lib/wire/dns-stream.ts";
import { ip, otherName, TableBench } from "../dns/names.ts";
import { askTcp, askUdp, decode, loopback, queryFor, TcpClient } from "./dns-client.ts";

const cleanups: Array<() => unknown> = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

interface Setup {
  readonly servers?: readonly Endpoint[];
  readonly domain?: string;
  readonly address?: string;
  readonly warn?: (line: string) => void;
}

async function serve({ servers = [], domain = "weave.local", address, warn }: Setup = {}) {
  const bench = new TableBench(1_700_000_000, [], { domain });
  const log = warn === undefined ? silentLog : { ...silentLog, warn };
  const server = await DnsServer.listen({
    address: address ?? loopback,
    port: 0,
    responder: new DnsResponder(bench.table, { ttlS: 1, random: bench.world.random }),
    upstreams: new ResolvConfFile("", { exclude: "", servers, log }),
    fallbackTimeoutMs: 400,
    log,
  });
  cleanups.push(() => server.close());
  return { server, port: server.port, bench, table: bench.table };
}

/** A name server over UDP and TCP that answers as told, and notes what it was asked. */
async function upstream(
  answer: (query: Uint8Array) => Uint8Array | undefined,
  hostname = loopback,
) {
  const asked: Array<"udp" | "tcp"> = [];
  const tcp = Bun.listen<DnsStream>({
    hostname,
    port: 0,
    data: new DnsStream(),
    socket: {
      open(socket) {
        socket.data = new DnsStream();
      },
      data(socket, bytes) {
        for (const query of socket.data.push(bytes)) {
          asked.push("tcp");
          const reply = answer(query);
          if (reply !== undefined) socket.write(withLength(reply));
        }
      },
    },
  });
  const udp = await Bun.udpSocket({
    hostname,
    port: tcp.port,
    binaryType: "uint8array",
    socket: {
      data(socket, bytes, port, host) {
        asked.push("udp");
        const reply = answer(bytes);
        if (reply !== undefined) socket.send(reply, port, host);
      },
    },
  });
  cleanups.push(() => {
    tcp.stop(true);
    udp.close();
  });
  return { endpoint: { host: hostname, port: tcp.port }, asked };
}

function outside(query: Uint8Array, records = 1): Uint8Array {
  return packet.encode({
    ...packet.decode(Buffer.from(query)),
    type: "response",
    flags: packet.RECURSION_AVAILABLE | packet.RECURSION_DESIRED,
    answers: Array.from({ length: records }, () => ({
      type: "A" as const,
      name: "www.example.com",
      data: "192.0.2.80",
    })),
  });
}

describe("local names over real sockets", () => {
  test("resolve over UDP and TCP, forwards and backwards", async () => {
    const { port, table } = await serve();
    table.add("seetwo.weave.local", "c2", ip("10.32.0.2"));
    for (const ask of [askUdp, askTcp]) {
      expect((await ask(port, queryFor("SEETWO.weave.local"))).answers).toMatchObject([
        { data: "10.32.0.2" },
      ]);
      expect((await ask(port, queryFor("2.0.32.10.IN-ADDR.ARPA", "PTR"))).answers).toMatchObject([
        { data: "seetwo.weave.local" },
      ]);
      expect(await ask(port, queryFor("xx.weave.local"))).toMatchObject({ rcode: "NXDOMAIN" });
    }
  });

  test("of another peer appear, and vanish with it (N5, N25)", async () => {
    const { port, bench } = await serve();
    bench.table.add("db.weave.local", "weave:extern", ip("10.32.0.1"));
    const remote = new TableBench(bench.nowS, [], { self: otherName });
    remote.table.add("db.weave.local", "weave:extern", ip("10.40.0.1"));
    remote.table.add("db.weave.local", "weave:extern", ip("10.40.0.2"));
    const count = async () => (await askUdp(port, queryFor("db.weave.local"))).answers!.length;
    expect(await count()).toBe(1);
    for (const payload of remote.table.full()!.encode()) bench.table.onGossip(otherName, payload);
    expect(await count()).toBe(3);
    bench.table.peerGone(otherName);
    expect(await count()).toBe(1);
  });

  test("with 50 addresses come whole over TCP, by EDNS, and after a truncated reply (N18)", async () => {
    const { port, table } = await serve();
    for (let host = 1; host <= 50; host++) {
      table.add("many.weave.local", `c${host}`, ip(`10.33.0.${host}`));
    }
    const plain = await askUdp(port, queryFor("many.weave.local"));
    expect([plain.flag_tc, plain.answers!.length]).toEqual([true, 14]);
    expect((await askTcp(port, queryFor("many.weave.local"))).answers).toHaveLength(50);
    const edns = await askUdp(port, queryFor("many.weave.local", "A", 4096));
    expect([edns.flag_tc, edns.answers!.length]).toEqual([false, 50]);
    expect((await askTcp(port, queryFor("many.weave.local", "A", 700))).answers).toHaveLength(50);
  });

  test("hears two thousand questions that came while the router did something else", async () => {
    const { port, server } = await serve();
    const client = await Bun.udpSocket({ connect: { hostname: loopback, port } });
    cleanups.push(() => client.close());
    const query = queryFor("xx.weave.local");
    for (let at = 0; at < 2000; at++) client.send(query);
    await askUdp(port, query);
    expect(server.stats().queries.udp).toBe(2001);
  });

  test("are served and forwarded over IPv6, where the host has it (D3)", async () => {
    if (!hasIpv6()) return;
    const { endpoint } = await upstream((query) => outside(query), "::1");
    const { port } = await serve({ address: "::1", servers: [endpoint] });
    expect(await askUdp(port, queryFor("xx.weave.local"), "::1")).toMatchObject({
      rcode: "NXDOMAIN",
    });
    expect(await askUdp(port, queryFor("www.example.com"), "::1")).toMatchObject({
      rcode: "NOERROR",
    });
  });
});

function hasIpv6(): boolean {
  return Object.values(networkInterfaces())
    .flat()
    .some((each) => each?.address === "::1");
}

describe("forwarding over real sockets", () => {
  test("uses the client's transport and gives the reply its id (N17)", async () => {
    const { endpoint, asked } = await upstream((query) => outside(query));
    const { port } = await serve({ servers: [endpoint] });
    const query = queryFor("www.example.com");
    expect(await askUdp(port, query)).toMatchObject({ id: decode(query).id!, rcode: "NOERROR" });
    expect((await askTcp(port, query)).answers).toMatchObject([{ data: "192.0.2.80" }]);
    expect(asked).toEqual(["udp", "tcp"]);
  });

  test("passes a dead server over at once, and a silent one soon (N24)", async () => {
    const alive = await upstream((query) => outside(query));
    const silent = await upstream(() => undefined);
    const gone = await upstream(() => undefined);
    const nobody = gone.endpoint;
    for (const cleanup of cleanups.splice(-1)) await cleanup();
    for (const dead of [nobody, silent.endpoint]) {
      const { port } = await serve({ servers: [dead, alive.endpoint] });
      for (const ask of [askUdp, askTcp]) {
        expect(await ask(port, queryFor("www.example.com"))).toMatchObject({ rcode: "NOERROR" });
      }
    }
  });

  test("cuts what the client does not take", async () => {
    const { endpoint } = await upstream((query) => outside(query, 60));
    const { port } = await serve({ servers: [endpoint] });
    expect(await askUdp(port, queryFor("www.example.com"))).toMatchObject({ flag_tc: true });
    expect((await askTcp(port, queryFor("www.example.com"))).answers).toHaveLength(60);
  });

  test("answers SERVFAIL when no server does, and forgets the query", async () => {
    const { endpoint } = await upstream(() => undefined);
    const { port, server } = await serve({ servers: [endpoint] });
    for (const ask of [askUdp, askTcp]) {
      expect(await ask(port, queryFor("www.example.com"))).toMatchObject({ rcode: "SERVFAIL" });
    }
    expect(server.stats()).toMatchObject({ forwarding: 0, results: { unanswered: 2 } });
  });

  test("ends a loop through a resolver that forwards back to us", async () => {
    const warnings: string[] = [];
    let port = 0;
    const resolver = await upstream((query) => {
      // Back to where it came from, as a query of the resolver's own.
      void askUdp(port, query).catch(() => undefined);
      return undefined;
    });
    const served = await serve({
      servers: [resolver.endpoint],
      warn: (line) => void warnings.push(line),
    });
    port = served.port;
    await askUdp(port, queryFor("www.example.com"));
    expect(resolver.asked.length).toBeLessThanOrEqual(8);
    expect(served.server.stats().results.loop).toBeGreaterThanOrEqual(1);
    expect(warnings.join()).toMatch(/sends our own queries back: .*--resolv-conf/);
  });

  test("a client that goes away takes its queries with it", async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const { endpoint } = await upstream(() => void resolve());
    const { port, server } = await serve({ servers: [endpoint] });
    const client = await TcpClient.open(port);
    client.send(queryFor("www.example.com"));
    await promise;
    expect(server.stats().forwarding).toBe(1);
    client.close();
    await until(() => server.stats().tcpClients === 0);
    expect(server.stats().forwarding).toBe(0);
  });
});

describe("TCP clients", () => {
  test("may send many queries at once, cut anywhere", async () => {
    const { port, table } = await serve();
    table.add("one.weave.local", "c1", ip("10.32.0.1"));
    const client = await TcpClient.open(port);
    const framed = withLength(queryFor("one.weave.local"));
    for (const octet of framed) client.raw(new Uint8Array([octet]));
    client.send(queryFor("one.weave.local"), queryFor("two.weave.local"));
    await client.replied(3);
    expect(client.replies.map((reply) => decode(reply).rcode)).toEqual([
      "NOERROR",
      "NOERROR",
      "NXDOMAIN",
    ]);
    client.close();
  });

  test("are closed after 128 queries, all of them answered", async () => {
    const { port } = await serve();
    const client = await TcpClient.open(port);
    client.send(...Array.from({ length: 140 }, () => queryFor("one.weave.local")));
    await client.closed;
    expect(client.replies).toHaveLength(queriesPerClientMax);
  });

  test("that say nothing are closed", async () => {
    const { port, server } = await serve();
    const client = await TcpClient.open(port);
    await client.closed;
    expect(server.stats().tcpClients).toBe(0);
  });

  test("beyond the bound are turned away, and the others go on", async () => {
    const { port, server } = await serve();
    const clients = await Promise.all(
      Array.from({ length: tcpClientsMax + 4 }, () => TcpClient.open(port)),
    );
    await until(() => server.stats().tcpRefused === 4);
    expect(server.stats().tcpClients).toBe(tcpClientsMax);
    clients[0]!.send(queryFor("xx.weave.local"));
    await clients[0]!.replied(1);
    for (const client of clients) client.close();
  });

  test("that send what is no query are ignored, others are told", async () => {
    const { port, server } = await serve();
    const client = await TcpClient.open(port);
    client.send(new Uint8Array(3), new Uint8Array(0), new Uint8Array(12));
    await client.replied(1);
    expect(decode(client.replies[0]!).rcode).toBe("SERVFAIL");
    expect(server.stats().results.ignored).toBe(2);
    client.close();
  });
});

describe("the listener", () => {
  test("that cannot have its address says so, with a remedy, and leaves nothing open", async () => {
    const { port } = await serve();
    const { table, world } = new TableBench();
    const options = {
      responder: new DnsResponder(table, { ttlS: 1, random: world.random }),
      upstreams: new ResolvConfFile("", { exclude: "" }),
      fallbackTimeoutMs: 400,
      log: silentLog,
    };
    for (const at of [
      { address: loopback, port },
      { address: "192.0.2.1", port: 0 },
    ]) {
      await expect(DnsServer.listen({ ...options, ...at })).rejects.toMatchObject({
        code: "DNS_LISTEN",
        remedy: expect.stringContaining("--dns-listen-address"),
      });
    }
    // A port that nobody's connection has, either.
    const tcp = Bun.listen({ hostname: loopback, port: 0, socket: { data() {} } });
    const udp = await Bun.udpSocket({ hostname: loopback, port: tcp.port });
    cleanups.push(() => udp.close());
    tcp.stop(true);
    await expect(
      DnsServer.listen({ ...options, address: loopback, port: udp.port }),
    ).rejects.toMatchObject({ code: "DNS_LISTEN" });
    // The TCP half was given back.
    Bun.listen({ hostname: loopback, port: udp.port, socket: { data() {} } }).stop(true);
  });

  test("frees its address when closed", async () => {
    const { server, port } = await serve();
    await server.close();
    const again = await Bun.udpSocket({ hostname: loopback, port });
    again.close();
    Bun.listen({ hostname: loopback, port, socket: { data() {} } }).stop(true);
  });

  test("counts queries, results and latencies", async () => {
    const { server, port, table } = await serve();
    table.add("one.weave.local", "c1", ip("10.32.0.1"));
    await askUdp(port, queryFor("one.weave.local"));
    await askUdp(port, queryFor("two.weave.local"));
    await askTcp(port, queryFor("one.weave.local", "MX"));
    const { queries, results, latency } = server.stats();
    expect(queries).toEqual({ udp: 2, tcp: 1 });
    expect(results).toEqual({ answered: 1, "no-such-name": 1, "no-data": 1 });
    expect(latency.count).toBe(3);
    expect(latency.counts.reduce((sum, count) => sum + count, 0)).toBe(3);
    expect(latency.counts).toHaveLength(latency.bounds.length + 1);
  });
});

describe("the resolver file", () => {
  const temporary = () => {
    const directory = mkdtempSync(join(tmpdir(), "weave-dns-"));
    cleanups.push(() => rmSync(directory, { recursive: true, force: true }));
    return join(directory, "resolv.conf");
  };

  test("is followed within five seconds when rewritten or replaced; gone, its list stays (N23)", () => {
    const path = temporary();
    let nowMs = 0;
    const warnings: string[] = [];
    const file = new ResolvConfFile(path, {
      exclude: "172.17.0.1",
      clock: { monotonicMs: () => nowMs },
      log: { ...silentLog, warn: (line) => void warnings.push(line) },
    });
    expect(file.servers()).toEqual([]);
    expect(warnings).toHaveLength(1);
    writeFileSync(path, "nameserver 172.17.0.1\nnameserver 8.8.8.8\n");
    nowMs = 4999;
    expect(file.servers()).toEqual([]);
    nowMs = 5000;
    expect(file.servers()).toEqual(["8.8.8.8"]);
    writeFileSync(`${path}.new`, "nameserver 9.9.9.9\n");
    rmSync(path);
    nowMs = 10_000;
    expect(file.servers()).toEqual(["8.8.8.8"]);
    writeFileSync(path, "nameserver 9.9.9.10\n");
    nowMs = 15_000;
    expect(file.servers()).toEqual(["9.9.9.10"]);
    expect(warnings).toHaveLength(2);
  });

  test("that never was, or is no text, means no servers", () => {
    expect(new ResolvConfFile("", { exclude: "" }).servers()).toEqual([]);
    const path = temporary();
    writeFileSync(path, new Uint8Array(100_000).fill(0xff));
    expect(new ResolvConfFile(path, { exclude: "" }).servers()).toEqual([]);
  });
});

/** Lets the event loop turn until `reached` holds. */
async function until(reached: () => boolean): Promise<void> {
  for (let turns = 0; !reached(); turns++) {
    if (turns > 100_000) throw new Error("never happened");
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
}
