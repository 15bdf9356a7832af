import { describe, expect, test } from "bun:test";
import packet from "dns-packet";
import { readUint16, toHex } from "../../lib/base/bytes.ts";
import { AnswerCache, cachedAnswersMax } from "../../lib/dns/answer-cache.ts";
import { Forwarder, type ForwardResult, forwardsMax } from "../../lib/dns/forwarder.ts";
import { parseResolvConf, serversMax } from "../../lib/dns/resolv-conf.ts";
import { DnsResponder, type Forward } from "../../lib/dns/responder.ts";
import { overlapMs } from "../../lib/dns/upstream-query.ts";
import { deadServerMs, Upstreams } from "../../lib/dns/upstreams.ts";
import { loneWorld } from "../sim/world.ts";
import vectors from "../vectors/dns/resolv_conf.json";
import { type Behaviour, FakeUpstream, withIdOf } from "./fake-upstream.ts";
import { TableBench } from "./names.ts";

describe("the resolver file", () => {
  for (const vector of vectors.cases) {
    test(`${vector.name}: the servers are those recorded`, () => {
      const upstreams = new Upstreams(loneWorld().world, { ownAddresses: [vector.own_address] });
      upstreams.use(parseResolvConf(vector.file));
      expect(upstreams.list).toEqual(vector.servers);
      for (const { port } of upstreams.order()) expect(`${port}`).toBe(vector.port);
    });
  }

  test("options are read within glibc's limits", () => {
    expect(parseResolvConf("options timeout:2 attempts:3 rotate ndots:2")).toMatchObject({
      timeoutS: 2,
      attempts: 3,
      rotate: true,
    });
    expect(parseResolvConf("options timeout:99 attempts:99")).toMatchObject({
      timeoutS: 30,
      attempts: 5,
    });
    expect(parseResolvConf("options timeout: attempts:x timeout:0")).toMatchObject({
      timeoutS: 1,
      attempts: 1,
    });
  });

  test("absurdly many servers are not all kept", () => {
    const file = "nameserver 192.0.2.1\n".repeat(1000);
    expect(parseResolvConf(file).servers).toHaveLength(serversMax);
  });
});

const reply = (query: Uint8Array, rcode = 0, ttl = 0): Uint8Array => {
  const bytes = packet.encode({
    ...packet.decode(Buffer.from(query)),
    type: "response",
    flags: packet.RECURSION_AVAILABLE,
    answers: [{ type: "A", name: "www.example.com", ttl, data: "192.0.2.80" }],
  });
  bytes[3] = (bytes[3]! & 0xf0) | rcode;
  return withIdOf(query, bytes);
};
const silent: Behaviour = () => undefined;
const answers: Behaviour = (query) => reply(query);
const fails: Behaviour = (query) => reply(query, 2);

function setUp(
  behaviours: Record<string, Behaviour>,
  options: { conf?: string; isOwnAddress?(host: string): boolean } = {},
) {
  const bench = new TableBench();
  const responder = new DnsResponder(bench.table, { ttlS: 1, random: bench.world.random });
  const upstreams = new Upstreams(bench.world, { ownAddresses: [] });
  const servers = Object.keys(behaviours).map((host) => `nameserver ${host}\n`);
  upstreams.use(parseResolvConf(servers.join("") + (options.conf ?? "")));
  const io = new FakeUpstream(bench.world, behaviours);
  const forwarder = new Forwarder(bench.world, io, upstreams, responder, {
    fallbackTimeoutMs: 5000,
    ...(options.isOwnAddress === undefined ? {} : { isOwnAddress: options.isOwnAddress }),
  });
  const results: Array<{ result: ForwardResult; rcode: number; atMs: number }> = [];
  const ask = (from = "10.32.0.77", name = "www.example.com") => {
    const query = packet.encode({ id: 7, type: "query", questions: [{ type: "A", name }] });
    const outcome = responder.handle(query, "udp") as Forward;
    return forwarder.forward(outcome, "udp", from, (bytes, result) => {
      expect(readUint16(bytes, 0)).toBe(7);
      results.push({ result, rcode: bytes[3]! & 15, atMs: bench.clock.nowMs });
    });
  };
  const { clock, warnings } = bench;
  return { clock, warnings, table: bench.table, upstreams, io, forwarder, results, ask };
}

describe("forwarding", () => {
  test("a dead first server costs the overlap once, then it is asked last (N24)", () => {
    const { ask, clock, results, io } = setUp({ "192.0.2.1": silent, "192.0.2.2": answers });
    ask();
    clock.run(6000);
    expect(results).toEqual([{ result: "forwarded", rcode: 0, atMs: overlapMs + 20 }]);
    io.exchanges.length = 0;
    ask();
    clock.run(6000);
    expect(io.exchanges.map((each) => each.server)).toEqual(["192.0.2.2"]);
  });

  test("an unreachable server is passed over at once, and asked first again after a while", () => {
    const { ask, clock, results, io } = setUp({
      "192.0.2.1": () => "unreachable",
      "192.0.2.2": answers,
    });
    const asked = () => {
      io.exchanges.length = 0;
      ask();
      clock.run(100);
      return io.exchanges.map((each) => each.server);
    };
    expect(asked()).toEqual(["192.0.2.1", "192.0.2.2"]);
    expect(results).toMatchObject([{ result: "forwarded", atMs: 40 }]);
    expect(asked()).toEqual(["192.0.2.2"]);
    clock.run(deadServerMs);
    expect(asked()[0]).toBe("192.0.2.1");
  });

  test("SERVFAIL of one server is not final while another can be asked", () => {
    const { ask, clock, results } = setUp({ "192.0.2.1": fails, "192.0.2.2": answers });
    ask();
    clock.run(100);
    expect(results).toEqual([{ result: "forwarded", rcode: 0, atMs: 40 }]);
  });

  test("SERVFAIL of all servers is passed on as it came", () => {
    const { ask, clock, results } = setUp({ "192.0.2.1": fails, "192.0.2.2": fails });
    ask();
    clock.run(100);
    expect(results).toEqual([{ result: "forwarded", rcode: 2, atMs: 40 }]);
  });

  test("silence of all servers is SERVFAIL after the time-out, and leaves nothing running", () => {
    const { ask, clock, results, forwarder, io, table } = setUp({ "192.0.2.1": silent });
    ask();
    clock.run(5001);
    expect(results).toEqual([{ result: "unanswered", rcode: 2, atMs: 5000 }]);
    expect(forwarder.running).toBe(0);
    expect(io.exchanges.every((each) => each.cancelled)).toBe(true);
    table.stop();
    expect(clock.pending).toBe(0);
  });

  test("timeout, attempts and rotate of the resolver file are heeded", () => {
    const servers = { "192.0.2.1": silent, "192.0.2.2": silent };
    const { ask, clock, results, io } = setUp(servers, {
      conf: "options timeout:1 attempts:2 rotate\n",
    });
    ask();
    clock.run(10_000);
    ask();
    const asked = io.exchanges.map((each) => each.server.at(-1));
    expect(asked).toEqual(["1", "2", "1", "2", "2"]);
    expect(results[0]!.atMs).toBeLessThan(3000);
  });

  test("a reply under a wrong id or to another question does not count", () => {
    const forged: Behaviour = (query) => {
      const bytes = reply(query);
      bytes[0]! ^= 0xff;
      return bytes;
    };
    const other: Behaviour = (query) => {
      const bytes = reply(query);
      bytes[13]! ^= 1;
      return bytes;
    };
    for (const behaviour of [forged, other]) {
      const { ask, clock, results } = setUp({ "192.0.2.1": behaviour });
      ask();
      clock.run(6000);
      expect(results).toMatchObject([{ result: "unanswered" }]);
    }
  });

  test("ids are not those of the client and differ from query to query", () => {
    const { ask, clock, io } = setUp({ "192.0.2.1": answers });
    for (let asked = 0; asked < 50; asked++) ask();
    clock.run(100);
    const ids = new Set(io.exchanges.map((each) => toHex(each.query.subarray(0, 2))));
    expect(ids.size).toBeGreaterThan(45);
  });

  test("a cancelled query ends at once and says nothing", () => {
    const { ask, clock, results, forwarder, io } = setUp({ "192.0.2.1": answers });
    ask()();
    clock.run(6000);
    expect(results).toEqual([]);
    expect(forwarder.running).toBe(0);
    expect(io.exchanges[0]!.cancelled).toBe(true);
    ask();
    forwarder.close();
    clock.run(6000);
    expect(results).toEqual([]);
  });

  test("no more than the bound wait at the same time", () => {
    const { ask, forwarder, results, clock } = setUp({ "192.0.2.1": silent });
    for (let asked = 0; asked < forwardsMax + 5; asked++) ask();
    expect(forwarder.running).toBe(forwardsMax);
    expect(results).toHaveLength(5);
    expect(results[0]).toMatchObject({ result: "too-many", rcode: 2 });
    clock.run(6000);
    expect(forwarder.running).toBe(0);
  });
});

describe("a resolver that asks us what we ask it", () => {
  test("is refused after three rounds instead of growing without end", () => {
    const world = setUp({ "127.0.0.53": silent });
    // The resolver sends each of our queries back from its own address.
    for (let round = 0; round < 20; round++) world.ask("127.0.0.53");
    expect(world.io.exchanges).toHaveLength(3);
    expect(world.results).toHaveLength(17);
    expect(world.results[0]).toMatchObject({ result: "loop", rcode: 5 });
    expect(world.warnings).toHaveLength(1);
  });

  test("is also known by an address of this host", () => {
    const world = setUp(
      { "127.0.0.53": silent },
      { isOwnAddress: (host) => host === "172.17.0.1" },
    );
    for (let round = 0; round < 4; round++) world.ask("172.17.0.1");
    expect(world.results).toMatchObject([{ result: "loop" }]);
  });

  test("is not confused with many containers that ask the same", () => {
    const world = setUp({ "127.0.0.53": silent });
    for (let client = 1; client < 100; client++) world.ask(`10.32.0.${client}`);
    expect(world.results).toEqual([]);
  });
});

describe("answers that were had before", () => {
  const keeps: Behaviour = (query) => reply(query, 0, 60);

  test("are given again, aged, without asking, for as long as their records live", () => {
    const { ask, clock, results, io } = setUp({ "192.0.2.1": keeps });
    ask();
    clock.run(30_000);
    ask();
    expect(results.map(({ result }) => result)).toEqual(["forwarded", "cached"]);
    expect(io.exchanges).toHaveLength(1);
    clock.run(30_500);
    ask();
    expect(io.exchanges).toHaveLength(2);
  });

  test("are not kept when negative, truncated, or without time to live", () => {
    const truncated: Behaviour = (query) => {
      const bytes = reply(query, 0, 60);
      bytes[2]! |= 2;
      return bytes;
    };
    const negative: Behaviour = (query) => reply(query, 3, 60);
    for (const behaviour of [answers, truncated, negative]) {
      const { ask, clock, io } = setUp({ "192.0.2.1": behaviour });
      for (let asked = 0; asked < 2; asked++) {
        ask();
        clock.run(100);
      }
      expect(io.exchanges).toHaveLength(2);
    }
  });
});

describe("the cache of answers", () => {
  const query = (name: string, id = 7): Uint8Array =>
    packet.encode({ id, type: "query", questions: [{ type: "A", name }] });
  const ttlOf = (bytes: Uint8Array | undefined): unknown => {
    const [record] = bytes === undefined ? [] : (packet.decode(Buffer.from(bytes)).answers ?? []);
    return record !== undefined && "ttl" in record ? record.ttl : undefined;
  };

  test("ages records and puts the id of the query in place", () => {
    const { world, clock } = loneWorld();
    const cache = new AnswerCache(world);
    cache.put(query("www.example.com"), reply(query("www.example.com"), 0, 60));
    clock.run(20_500);
    const cached = cache.get(query("www.example.com", 99));
    expect(ttlOf(cached)).toBe(40);
    expect(readUint16(cached!, 0)).toBe(99);
    expect(cache.get(query("WWW.example.com"))).toBeUndefined();
  });

  test("asks again after five minutes, however long a record lives", () => {
    const { world, clock } = loneWorld();
    const cache = new AnswerCache(world);
    cache.put(query("www.example.com"), reply(query("www.example.com"), 0, 86_400));
    clock.run(300_000);
    expect(cache.get(query("www.example.com"))).toBeUndefined();
    expect(cache.size).toBe(0);
  });

  test("drops the oldest when it is full", () => {
    const cache = new AnswerCache(loneWorld().world);
    for (let number = 0; number <= cachedAnswersMax; number++) {
      const asked = query(`n${number}.example.com`);
      cache.put(asked, reply(asked, 0, 60));
    }
    expect(cache.size).toBe(cachedAnswersMax);
    expect(cache.get(query("n0.example.com"))).toBeUndefined();
    expect(cache.get(query("n1.example.com"))).toBeDefined();
  });
});

describe("explicit servers", () => {
  test("take the place of the file's, at any port, and its options still count", () => {
    const upstreams = new Upstreams(loneWorld().world, {
      ownAddresses: [],
      servers: [
        { host: "192.0.2.9", port: 5353 },
        { host: "fd00::53", port: 53 },
      ],
    });
    upstreams.use(parseResolvConf("nameserver 8.8.8.8\noptions attempts:2\n"));
    expect(upstreams.list).toEqual(["192.0.2.9:5353", "fd00::53"]);
    expect(upstreams.order()).toHaveLength(2);
    expect(upstreams.attempts).toBe(2);
  });
});
