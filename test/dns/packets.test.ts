import { describe, expect, test } from "bun:test";
import packet, { type DecodedPacket } from "dns-packet";
import { fromHex, readUint16 } from "../../lib/base/bytes.ts";
import { parseIpv4 } from "../../lib/base/ip.ts";
import { makeEntry } from "../../lib/dns/entry.ts";
import { Forwarder } from "../../lib/dns/forwarder.ts";
import { parseResolvConf } from "../../lib/dns/resolv-conf.ts";
import { DnsResponder } from "../../lib/dns/responder.ts";
import type { Transport } from "../../lib/dns/truncation.ts";
import { Upstreams } from "../../lib/dns/upstreams.ts";
import packets from "../vectors/dns/packets.json";
import failures from "../vectors/dns/packets_upstream_failures.json";
import { type Exchange, FakeUpstream, withIdOf } from "./fake-upstream.ts";
import { otherName, ownName, TableBench } from "./names.ts";

/** The table that stood behind the recordings. */
function recordedTable(): TableBench {
  const rows: Array<[string, string, string, boolean]> = [
    ["one.weave.local.", "c1", "10.32.0.1", true],
    ["alias.weave.local.", "c1", "10.32.0.1", true],
    ["SeeTwo.weave.local.", "c2", "10.32.0.2", true],
    ["seetwo.weave.local.", "c3", "10.40.0.2", false],
    ["a.sub.weave.local.", "c4", "10.40.0.4", false],
    ["weave.local.", "c6", "10.32.0.6", true],
    ["name.other.zone.", "c7", "10.40.0.7", false],
  ];
  for (let host = 1; host <= 50; host++) {
    rows.push(["many.weave.local.", `m${host}`, `10.33.0.${host}`, false]);
  }
  const entry = ([hostname, containerId, address, own]: [string, string, string, boolean]) =>
    makeEntry({
      hostname,
      containerId,
      address: parseIpv4(address),
      origin: own ? ownName : otherName,
      version: 0,
      tombstone: 0,
    });
  const gone = entry(["gone.weave.local.", "c9", "10.32.0.9", true]);
  return new TableBench(1_700_000_000, [
    ...rows.map(entry),
    { ...gone, version: 1, tombstone: 1_700_000_000 },
  ]);
}

/** One server, and what it is asked and answers. */
function ask(
  hex: string,
  transport: Transport,
  resolvConf: string,
  upstreamReply: string | undefined,
): { reply: Uint8Array | undefined; exchanges: readonly Exchange[] } {
  const bench = recordedTable();
  const responder = new DnsResponder(bench.table, { ttlS: 1, random: bench.world.random });
  const upstreams = new Upstreams(bench.world, { ownAddresses: ["172.17.0.1"] });
  upstreams.use(parseResolvConf(resolvConf));
  const answer = (query: Uint8Array) =>
    upstreamReply === undefined ? undefined : withIdOf(query, fromHex(upstreamReply));
  const io = new FakeUpstream(bench.world, { "192.0.2.1": answer, "fd00::53": answer });
  const forwarder = new Forwarder(bench.world, io, upstreams, responder, {
    fallbackTimeoutMs: 5000,
  });
  const outcome = responder.handle(fromHex(hex), transport);
  let reply = outcome.kind === "reply" ? outcome.bytes : undefined;
  if (outcome.kind === "forward") {
    forwarder.forward(outcome, transport, "10.32.0.77", (bytes) => {
      reply = bytes;
    });
    bench.clock.run(10_000);
    expect(forwarder.running).toBe(0);
  }
  return { reply, exchanges: io.exchanges };
}

/** What both sides of a comparison show of a reply, as an independent codec reads it. */
function summary(bytes: Uint8Array) {
  const message = decode(bytes);
  return {
    id: message.id,
    flags: readUint16(bytes, 2),
    questions: message.questions,
    answerCount: message.answers?.length ?? 0,
    answers: (message.answers ?? []).map((answer) => JSON.stringify(answer)).sort(),
  };
}

function decode(bytes: Uint8Array): DecodedPacket {
  return packet.decode(Buffer.from(bytes));
}

const rcodeOf = (bytes: Uint8Array): number => readUint16(bytes, 2) & 15;
const isAuthoritative = (bytes: Uint8Array): boolean => decode(bytes).flag_aa === true;
const authority = (bytes: Uint8Array): string[] =>
  (decode(bytes).authorities ?? []).map((record) => `${record.type} ${record.name}`);
const additional = (bytes: Uint8Array): string[] =>
  (decode(bytes).additionals ?? []).map((record) => record.type);

function expectNegative(reply: Uint8Array, code: number): void {
  expect(rcodeOf(reply)).toBe(code);
  expect(isAuthoritative(reply)).toBe(true);
  expect(decode(reply).answers).toEqual([]);
  expect(authority(reply)).toEqual(["SOA weave.local"]);
}

type Check = (reply: Uint8Array, recorded: Uint8Array, exchanges: readonly Exchange[]) => void;

const expectForwarded: Check = (_reply, _recorded, exchanges) => expect(exchanges).toHaveLength(1);
const expectNoSuchName: Check = (reply) => expectNegative(reply, 3);
const expectNoData: Check = (reply) => expectNegative(reply, 0);
const expectSameAndEdns: Check = (reply, recorded) => {
  const { answers: _order, ...rest } = summary(reply);
  const { answers: _otherOrder, ...expected } = summary(recorded);
  expect(rest).toEqual(expected);
  expect(additional(reply)).toEqual(["OPT"]);
};

/** Every deliberate difference from the original, with the reason and what happens instead. */
const improvements: Readonly<Record<string, { why: string; check: Check }>> = {
  a_unknown: { why: "D4: NXDOMAIN has AA and SOA", check: expectNoSuchName },
  a_tombstoned: { why: "D4: NXDOMAIN has AA and SOA", check: expectNoSuchName },
  aaaa_unknown: { why: "D4: NXDOMAIN has AA and SOA", check: expectNoSuchName },
  a_sub_intermediate: { why: "D4: an empty non-terminal exists", check: expectNoData },
  aaaa_existing: { why: "D4: no data comes with SOA", check: expectNoData },
  mx_existing: { why: "D4: no data comes with SOA", check: expectNoData },
  soa_domain: {
    why: "D4: the domain has an SOA",
    check: (reply) => {
      const [soa] = decode(reply).answers ?? [];
      expect(soa).toMatchObject({ type: "SOA", name: "weave.local", ttl: 1 });
      expect(isAuthoritative(reply)).toBe(true);
    },
  },
  any_existing: {
    why: "D15: ANY gets what there is",
    check: (reply) => {
      expect(decode(reply).answers).toMatchObject([
        { type: "A", name: "one.weave.local", data: "10.32.0.1" },
      ]);
    },
  },
  root_ns: { why: "D5: the root is not an unqualified name", check: expectForwarded },
  tld_ns: { why: "D5: a top-level domain is not an unqualified name", check: expectForwarded },
  ptr_wrong_type: { why: "D5: other types are forwarded", check: expectForwarded },
  ptr_partial: { why: "D5: partial reverse names are forwarded", check: expectForwarded },
  upstream_oversize: {
    why: "D6: more than the client takes is cut at a record",
    check: (reply) => {
      expect(reply.length).toBeLessThanOrEqual(512);
      expect(decode(reply)).toMatchObject({ flag_tc: true, rcode: "NOERROR" });
      expect(decode(reply).answers!.length).toBeGreaterThan(25);
    },
  },
  many_udp_edns_700: { why: "D8: EDNS is answered", check: expectSameAndEdns },
  many_udp_edns_4096: { why: "D8: EDNS is answered", check: expectSameAndEdns },
  many_tcp_edns_700: { why: "D8: EDNS is answered", check: expectSameAndEdns },
  many_udp_edns_100: { why: "D8: 512 octets always pass", check: expectFull512 },
  many_udp_edns_20: { why: "D8: 512 octets always pass", check: expectFull512 },
  class_chaos: {
    why: "D15: the names are of class IN",
    check: (reply) => {
      expect(rcodeOf(reply)).toBe(5);
      expect(decode(reply).answers).toEqual([]);
    },
  },
  opcode_status: {
    why: "D15: only queries are implemented",
    check: (reply) => {
      expect(readUint16(reply, 2)).toBe(0x9184);
      expect(decode(reply).answers).toEqual([]);
    },
  },
};

function expectFull512(reply: Uint8Array): void {
  expect(decode(reply)).toMatchObject({ flag_tc: true });
  expect(decode(reply).answers).toHaveLength(14);
  expect(reply.length).toBeLessThanOrEqual(512);
}

interface Vector {
  readonly name: string;
  readonly description: string;
  readonly transport: string;
  readonly query_hex: string;
  readonly reply_hex?: string;
  readonly forwarded_upstream_times?: number;
}

function replay(vector: Vector, resolvConf: string): void {
  const transport = vector.transport === "tcp" ? "tcp" : "udp";
  const upstreamReply = vector.name === "upstream_silent" ? undefined : vector.reply_hex;
  const { reply, exchanges } = ask(vector.query_hex, transport, resolvConf, upstreamReply);
  if (vector.reply_hex === undefined) {
    expect(reply).toBeUndefined();
    return;
  }
  const recorded = fromHex(vector.reply_hex);
  const improvement = improvements[vector.name];
  if (improvement !== undefined) {
    improvement.check(reply!, recorded, exchanges);
    return;
  }
  const shown = summary(reply!);
  const expected = summary(recorded);
  // Which addresses survive truncation is random in every reply.
  if (expected.answerCount > 10) {
    expected.answers = shown.answers;
    expect(new Set(shown.answers).size).toBe(expected.answerCount);
  }
  expect(shown).toEqual(expected);
  expect(exchanges).toHaveLength(vector.forwarded_upstream_times ?? 0);
  for (const exchange of exchanges) {
    expect(exchange.query.toHex().slice(4)).toBe(vector.query_hex.slice(4));
    expect(exchange.transport).toBe(transport);
  }
}

describe("recorded exchanges", () => {
  for (const vector of packets.cases as readonly Vector[]) {
    const why = improvements[vector.name]?.why;
    const name = `${vector.name} over ${vector.transport}`;
    test(why === undefined ? `${name} is as recorded` : `${name} differs: ${why}`, () => {
      replay(vector, "nameserver 192.0.2.1\n");
    });
  }

  test("every listed improvement stands for a recorded exchange", () => {
    const names = packets.cases.map((vector) => vector.name);
    expect(Object.keys(improvements).filter((name) => !names.includes(name))).toEqual([]);
    expect(packets.cases).toHaveLength(51);
  });
});

describe("recorded failures of forwarding", () => {
  const byName = (name: string): Vector =>
    (failures.cases as readonly Vector[]).find((vector) => vector.name === name)!;

  test("without a server the answer is SERVFAIL", () => {
    replay(byName("no_upstream_servers"), "");
  });

  test("an IPv6 server works (D3)", () => {
    const { query_hex } = byName("ipv6_upstream");
    const { reply_hex } = byName("second_server_used");
    const { reply } = ask(query_hex, "udp", "nameserver fd00::53\n", reply_hex);
    expect(reply!.toHex()).toBe(reply_hex!);
  });

  test("a second server is used when the first is silent", () => {
    const { query_hex, reply_hex } = byName("second_server_used");
    const conf = "nameserver 192.0.2.66\nnameserver 192.0.2.1\n";
    const { reply, exchanges } = ask(query_hex, "udp", conf, reply_hex);
    expect(summary(reply!)).toEqual(summary(fromHex(reply_hex!)));
    expect(exchanges.map((each) => each.server)).toEqual(["192.0.2.66", "192.0.2.1"]);
    expect(failures.cases).toHaveLength(3);
  });
});
