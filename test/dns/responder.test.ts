import { describe, expect, test } from "bun:test";
import packet, { type DecodedPacket } from "dns-packet";
import { fromHex, readUint16 } from "../../lib/base/bytes.ts";
import { parseIpv4 } from "../../lib/base/ip.ts";
import { type Entry, makeEntry } from "../../lib/dns/entry.ts";
import type { NameTableOptions } from "../../lib/dns/name-table.ts";
import { DnsResponder, type Transport } from "../../lib/dns/responder.ts";
import { truncateReply } from "../../lib/dns/truncation.ts";
import { fuzz } from "../fuzz/mutate.ts";
import packets from "../vectors/dns/packets.json";
import { ip, otherName, TableBench } from "./names.ts";

type Edns = { udpSize: number; version?: number; dnssecOk?: boolean };

function query(name: string, type: string, edns?: Edns): Uint8Array {
  return packet.encode({
    type: "query",
    id: 4711,
    flags: packet.RECURSION_DESIRED,
    questions: [{ type: type as "A", name, class: "IN" }],
    additionals:
      edns === undefined
        ? []
        : [
            {
              type: "OPT",
              name: ".",
              udpPayloadSize: edns.udpSize,
              extendedRcode: 0,
              ednsVersion: edns.version ?? 0,
              flags: edns.dnssecOk ? packet.DNSSEC_OK : 0,
              flag_do: edns.dnssecOk ?? false,
              options: [],
            },
          ],
  });
}

function server(domain = "weave.local", options: Partial<NameTableOptions> = {}) {
  const bench = new TableBench(1_700_000_000, [], { domain, ...options });
  const responder = new DnsResponder(bench.table, { ttlS: 1, random: bench.world.random });
  const reply = (bytes: Uint8Array, transport: Transport = "udp"): DecodedPacket => {
    const outcome = responder.handle(bytes, transport);
    if (outcome.kind !== "reply") throw new Error(outcome.kind);
    return packet.decode(Buffer.from(outcome.bytes));
  };
  const addresses = (name: string, type = "A"): unknown[] =>
    (reply(query(name, type)).answers ?? []).map((answer) => "data" in answer && answer.data);
  const hear = (...entries: Entry[]): void => bench.hear(...entries);
  return { ...bench, table: bench.table, hear, responder, reply, addresses };
}

describe("names", () => {
  test("resolve to addresses, and addresses to names (N1)", () => {
    const { table, addresses } = server();
    table.add("seetwo.weave.local", "c2", ip("10.32.0.2"));
    expect(addresses("seetwo.weave.local")).toEqual(["10.32.0.2"]);
    expect(addresses("2.0.32.10.in-addr.arpa", "PTR")).toEqual(["seetwo.weave.local"]);
    expect(addresses("2.0.32.10.IN-ADDR.ARPA", "PTR")).toEqual(["seetwo.weave.local"]);
  });

  test("in sub-domains of any domain are distinct (N7)", () => {
    const { table, addresses } = server("foo.bar.");
    table.add("foo.sub1.foo.bar", "c1", ip("10.32.0.1"));
    table.add("foo.sub2.foo.bar", "c2", ip("10.32.0.2"));
    expect(addresses("foo.sub1.foo.bar")).toEqual(["10.32.0.1"]);
    expect(addresses("foo.sub2.foo.bar")).toEqual(["10.32.0.2"]);
  });

  test("of one label are found in the domain, owner as asked (N8)", () => {
    const { table, reply } = server();
    table.add("mysql.weave.local", "c1", ip("10.32.0.1"));
    expect(reply(query("mysql", "A")).answers).toMatchObject([
      { name: "mysql", data: "10.32.0.1" },
    ]);
    expect(reply(query("mysql", "MX"))).toMatchObject({ rcode: "NOERROR", answers: [] });
  });

  test("registered with one address by two containers answer with one record", () => {
    const { table, addresses } = server();
    table.add("one.weave.local", "c1", ip("10.32.0.1"));
    table.add("one.weave.local", "c2", ip("10.32.0.1"));
    expect(addresses("one.weave.local")).toEqual(["10.32.0.1"]);
  });

  test("of 255 octets are answered in a datagram of 512", () => {
    const { table, reply } = server();
    const label = "x".repeat(60);
    const name = `${[label, label, label, "y".repeat(56)].join(".")}.weave.local`;
    table.add(name, "c1", ip("10.32.0.1"));
    expect(reply(query(name, "A")).answers).toMatchObject([{ name, data: "10.32.0.1" }]);
  });

  test("the root as domain serves every name", () => {
    const { table, addresses, reply } = server(".");
    table.add("one.example.com", "c1", ip("10.32.0.1"));
    expect(addresses("one.example.com")).toEqual(["10.32.0.1"]);
    expect(reply(query("two.example.com", "A"))).toMatchObject({ rcode: "NXDOMAIN" });
    expect(reply(query("com", "A"))).toMatchObject({ rcode: "NOERROR" });
  });
});

describe("order and size", () => {
  test("each of two addresses comes first in 40 to 60 % of 1000 replies (N26)", () => {
    const { table, addresses } = server();
    table.add("two.weave.local", "c1", ip("10.32.0.1"));
    table.add("two.weave.local", "c2", ip("10.32.0.2"));
    let first = 0;
    for (let asked = 0; asked < 1000; asked++) {
      if (addresses("two.weave.local")[0] === "10.32.0.1") first++;
    }
    expect(first).toBeWithin(400, 601);
  });

  test("those that no frame reaches come last, and are all there is when there are no others (D12)", () => {
    const far = new Set([otherName]);
    const { table, addresses, hear } = server("weave.local", { unreachablePeers: () => far });
    for (const host of [1, 2]) table.add("web.weave.local", `c${host}`, ip(`10.32.0.${host}`));
    const remote = (hostname: string, address: string) =>
      makeEntry({
        ...{ containerId: "r", origin: otherName, version: 0, tombstone: 0 },
        ...{ hostname, address: parseIpv4(address) },
      });
    hear(
      ...["10.40.0.1", "10.40.0.2"].map((address) => remote("web.weave.local.", address)),
      remote("web.weave.local.", "10.32.0.1"),
      remote("db.weave.local.", "10.40.0.3"),
    );
    const firsts = new Set<unknown>();
    for (let round = 0; round < 50; round++) {
      const order = addresses("web.weave.local");
      firsts.add(order[0]);
      expect(order.slice(0, 2).sort()).toEqual(["10.32.0.1", "10.32.0.2"]);
      expect(order.slice(2).sort()).toEqual(["10.40.0.1", "10.40.0.2"]);
    }
    expect(firsts.size).toBe(2);
    expect(addresses("db.weave.local")).toEqual(["10.40.0.3"]);
    far.clear();
    const anywhere = Array.from({ length: 50 }, () => addresses("web.weave.local")[0]);
    expect(new Set(anywhere).size).toBe(4);
  });

  test("50 addresses come over TCP and with EDNS 4096, and as many as fit otherwise (N18)", () => {
    const { table, reply } = server();
    for (let host = 1; host <= 50; host++) {
      table.add("many.weave.local", `c${host}`, ip(`10.33.0.${host}`));
    }
    const count = (edns?: Edns, transport: Transport = "udp") => {
      const { answers, flag_tc } = reply(query("many.weave.local", "A", edns), transport);
      return [answers!.length, flag_tc];
    };
    expect(count()).toEqual([14, true]);
    expect(count({ udpSize: 700 })).toEqual([20, true]);
    expect(count({ udpSize: 4096 })).toEqual([50, false]);
    expect(count({ udpSize: 65_535 })).toEqual([50, false]);
    expect(count(undefined, "tcp")).toEqual([50, false]);
    expect(count({ udpSize: 700 }, "tcp")).toEqual([50, false]);
  });

  test("a reply over TCP never exceeds its length field", () => {
    const { table, responder } = server();
    for (let host = 0; host < 3000; host++) {
      table.add("huge.weave.local", `c${host}`, { family: 4, value: 0x0a200000 + host });
    }
    const outcome = responder.handle(query("huge.weave.local", "A"), "tcp");
    if (outcome.kind !== "reply") throw new Error(outcome.kind);
    expect(outcome.bytes.length).toBeLessThanOrEqual(65_535);
    expect(packet.decode(Buffer.from(outcome.bytes))).toMatchObject({ flag_tc: true });
  });
});

describe("negative answers", () => {
  test("MX of a local name is no data, an unknown local name does not exist (N11, N22)", () => {
    const { table, reply } = server();
    table.add("one.weave.local", "c1", ip("10.32.0.1"));
    for (const type of ["MX", "AAAA"]) {
      expect(reply(query("one.weave.local", type))).toMatchObject({
        rcode: "NOERROR",
        flag_aa: true,
        answers: [],
      });
      expect(reply(query("xx.weave.local", type))).toMatchObject({ rcode: "NXDOMAIN" });
    }
  });

  test("fit what the client takes also where the domain has a long name", () => {
    const domain = `${"d".repeat(60)}.${"e".repeat(60)}.${"f".repeat(60)}.local`;
    const { responder, reply } = server(domain);
    const longest = `${"x".repeat(63)}.${domain}`;
    for (const [type, name] of [
      ["A", longest],
      ["SOA", domain],
      ["MX", domain],
    ] as const) {
      const outcome = responder.handle(query(name, type), "udp");
      if (outcome.kind !== "reply") throw new Error(outcome.kind);
      expect(outcome.bytes.length).toBeLessThanOrEqual(512);
      expect(reply(query(name, type, { udpSize: 1232 })).additionals).toHaveLength(1);
    }
    expect(reply(query(domain, "SOA")).flag_tc).toBe(true);
    expect(reply(query(domain, "SOA"), "tcp").answers).toHaveLength(1);
    expect(reply(query(longest, "A")).flag_tc).toBe(false);
    expect(reply(query(longest, "A", { udpSize: 1232 })).authorities).toHaveLength(1);
  });

  test("carry the SOA of the domain with a short minimum and a serial that grows", () => {
    const { table, reply } = server();
    const soa = () => {
      const [record] = reply(query("xx.weave.local", "A")).authorities ?? [];
      return record?.type === "SOA" ? { ...record.data, name: record.name, ttl: record.ttl } : {};
    };
    const before = soa();
    expect(before).toMatchObject({ name: "weave.local", ttl: 1, minimum: 1, serial: 0 });
    expect(before).toMatchObject({ mname: "weave.local", rname: "hostmaster.weave.local" });
    table.add("one.weave.local", "c1", ip("10.32.0.1"));
    expect(soa()).toMatchObject({ serial: 1 });
  });

  test("the domain itself always exists", () => {
    const { reply } = server();
    expect(reply(query("weave.local", "A"))).toMatchObject({ rcode: "NOERROR", answers: [] });
    expect(reply(query("WEAVE.local", "SOA")).answers).toHaveLength(1);
  });

  test("another type of a known reverse name is no data", () => {
    const { table, reply } = server();
    table.add("one.weave.local", "c1", ip("10.32.0.1"));
    expect(reply(query("1.0.32.10.in-addr.arpa", "TXT"))).toMatchObject({
      rcode: "NOERROR",
      answers: [],
    });
  });
});

describe("EDNS", () => {
  test("is answered with our size, DO repeated", () => {
    const { reply } = server();
    const { additionals } = reply(query("x.weave.local", "A", { udpSize: 1232, dnssecOk: true }));
    expect(additionals).toMatchObject([{ type: "OPT", udpPayloadSize: 4096, flag_do: true }]);
    expect(reply(query("x.weave.local", "A")).additionals).toEqual([]);
  });

  test("of another version is refused as BADVERS", () => {
    const { reply } = server();
    const { additionals, flags } = reply(query("a.weave.local", "A", { udpSize: 512, version: 1 }));
    expect((flags ?? 0) & 15).toBe(0);
    expect(additionals).toMatchObject([{ type: "OPT", extendedRcode: 1, ednsVersion: 0 }]);
  });

  test("twice in one query breaks the format", () => {
    const { responder } = server();
    const twice = packet.decode(Buffer.from(query("a.weave.local", "A", { udpSize: 512 })));
    twice.additionals = [...twice.additionals!, ...twice.additionals!];
    const outcome = responder.handle(packet.encode(twice), "udp");
    expect(outcome).toMatchObject({ kind: "reply", result: "malformed" });
  });

  test("queries beyond 512 octets are understood", () => {
    const { table, reply } = server();
    table.add("one.weave.local", "c1", ip("10.32.0.1"));
    const long = packet.decode(Buffer.from(query("one.weave.local", "A", { udpSize: 1232 })));
    const [opt] = long.additionals!;
    if (opt?.type === "OPT") opt.options = [{ code: 12, length: 1000 }];
    const bytes = packet.encode(long);
    expect(bytes.length).toBeGreaterThan(1000);
    expect(reply(bytes).answers).toMatchObject([{ data: "10.32.0.1" }]);
  });
});

describe("truncation of other servers' replies", () => {
  const recorded = packets.cases.find((vector) => vector.name === "upstream_oversize")!;
  const reply = fromHex(recorded.reply_hex!);

  test("keeps whole answers and sets TC", () => {
    for (let limit = 512; limit < reply.length; limit += 7) {
      const shorter = truncateReply(reply, limit)!;
      expect(shorter.length).toBeLessThanOrEqual(limit);
      const message = packet.decode(Buffer.from(shorter));
      expect(message.flag_tc).toBe(true);
      expect(message.answers).toHaveLength(readUint16(shorter, 6));
    }
    expect(truncateReply(reply, reply.length)).toBe(reply);
  });

  test("keeps the OPT record", () => {
    const long = packet.encode({
      type: "response",
      id: 1,
      questions: [{ type: "A", name: "many.example.com" }],
      answers: Array.from({ length: 60 }, () => ({
        type: "A" as const,
        name: "many.example.com",
        data: "192.0.2.1",
      })),
      additionals: packet.decode(Buffer.from(query("a", "A", { udpSize: 1232 }))).additionals!,
    });
    const message = packet.decode(Buffer.from(truncateReply(long, 600)!));
    expect(message.additionals).toMatchObject([{ type: "OPT", udpPayloadSize: 1232 }]);
    expect(message.answers!.length).toBeGreaterThan(10);
  });

  test("gives up on a reply that breaks the format", () => {
    const broken = reply.slice();
    broken.set([0xff, 0xff], 6);
    expect(truncateReply(broken, 512)).toBeUndefined();
  });
});

test("200 000 damaged packets are ignored, answered in bounds, or forwarded", () => {
  const { table, responder } = server();
  for (let host = 1; host <= 50; host++) {
    table.add("many.weave.local", `c${host}`, ip(`10.33.0.${host}`));
  }
  table.add("one.weave.local", "c1", ip("10.32.0.1"));
  const corpus = packets.cases.map((vector) => fromHex(vector.query_hex));
  fuzz(3, corpus, 200_000, (mutant) => {
    const outcome = responder.handle(mutant, "udp");
    if (outcome.kind === "ignore") return;
    const bytes = outcome.kind === "forward" ? responder.failure(outcome.query, 2) : outcome.bytes;
    expect(bytes.length).toBeLessThanOrEqual(4096);
    expect(bytes[0]).toBe(mutant[0]!);
    expect(bytes[2]! & 0x80).toBe(0x80);
  });
});

test("100 000 damaged replies of other servers are cut in bounds or given up", () => {
  const corpus = packets.cases.flatMap((vector) => {
    const hex = "reply_hex" in vector ? vector.reply_hex : undefined;
    return hex === undefined ? [] : [fromHex(hex)];
  });
  fuzz(4, corpus, 100_000, (mutant) => {
    const shorter = truncateReply(mutant, 512);
    if (shorter !== undefined) expect(shorter.length).toBeLessThanOrEqual(512);
  });
});
