import { concatBytes, readUint16, writeUint16 } from "../../../lib/base/bytes.ts";
import type { Endpoint } from "../../../lib/base/endpoint.ts";
import { parseIp } from "../../../lib/base/ip.ts";
import { seededRandom } from "../../../lib/base/random.ts";
import { Forwarder } from "../../../lib/dns/forwarder.ts";
import { DnsResponder, type Forward } from "../../../lib/dns/responder.ts";
import { recordPlaces, type Transport } from "../../../lib/dns/truncation.ts";
import { Upstreams } from "../../../lib/dns/upstreams.ts";
import { headerSize } from "../../../lib/wire/dns-message.ts";
import { DnsStream, withLength } from "../../../lib/wire/dns-stream.ts";
import { FakeUpstream } from "../../dns/fake-upstream.ts";
import { TableBench } from "../../dns/names.ts";
import { chunks } from "../mutate.ts";
import { recordedBytes } from "../recorded.ts";
import { type FuzzTarget, fingerprint, hold } from "../target.ts";

const files = ["dns/packets", "dns/packets_upstream_failures"];
const queries = (): Uint8Array[] => recordedBytes(files, /^query_hex$/);
const replies = (): Uint8Array[] => recordedBytes(files, /^reply_hex$/);

const upstreamServers: readonly Endpoint[] = [
  { host: "192.0.2.1", port: 53 },
  { host: "192.0.2.2", port: 53 },
];
/** Longer than all rounds of asking all upstream servers. */
const forwardMaxMs = 60_000;

/** A name server with a table, whose upstream servers answer what they are told. */
class NameServer {
  readonly bench = new TableBench();
  readonly responder: DnsResponder;
  readonly forwarder: Forwarder;
  /** What the upstream servers make of a query. */
  upstream: (query: Uint8Array) => Uint8Array | undefined = () => undefined;

  constructor() {
    const { table, world } = this.bench;
    for (let host = 1; host <= 50; host++) {
      table.add("many.weave.local", `c${host}`, parseIp(`10.33.0.${host}`));
    }
    table.add("one.weave.local", "c1", parseIp("10.32.0.1"));
    table.add(`${"x".repeat(60)}.${"y".repeat(60)}.weave.local`, "c2", parseIp("10.32.0.2"));
    this.responder = new DnsResponder(table, { ttlS: 1, random: world.random });
    const behaviour = (query: Uint8Array): Uint8Array | undefined => this.upstream(query);
    const io = new FakeUpstream(world, { "192.0.2.1": behaviour, "192.0.2.2": behaviour });
    const upstreams = new Upstreams(world, { ownAddresses: [], servers: upstreamServers });
    this.forwarder = new Forwarder(world, io, upstreams, this.responder, {
      fallbackTimeoutMs: 500,
    });
  }

  /** Forwards to the end and checks what comes of it; the reply. */
  forward(request: Forward, transport: Transport): Uint8Array {
    let reply: Uint8Array | undefined;
    let answers = 0;
    this.forwarder.forward(request, transport, "10.9.9.9", (bytes) => {
      reply = bytes;
      answers++;
    });
    this.bench.clock.run(forwardMaxMs);
    hold(answers === 1 && reply !== undefined, `${answers} replies to one query`);
    hold(this.forwarder.running === 0, "a query is under way without end");
    checkReply(reply!, request.query.bytes, request.replySizeMax);
    return reply!;
  }
}

/** The reply is to this query, and no larger than the client takes. */
function checkReply(reply: Uint8Array, query: Uint8Array, sizeMax: number): void {
  hold(reply.length >= headerSize && reply.length <= sizeMax, `a reply of ${reply.length} octets`);
  hold(readUint16(reply, 0) === readUint16(query, 0), "a reply under another id");
  hold((reply[2]! & 0x80) !== 0, "a reply that is a query");
}

function wellFormed(reply: Uint8Array): void {
  const places = recordPlaces(reply);
  hold(places !== undefined, "a reply that breaks the format");
  const end = places!.records.at(-1)?.end ?? places!.questionEnd;
  hold(end === reply.length, "a reply with octets behind its records");
}

const sizeMaxOf = { udp: 4096, tcp: 65_535 } as const;

/** What came of one query: ours to answer, or to forward. */
function answer(server: NameServer, query: Uint8Array, transport: Transport): boolean {
  const outcome = server.responder.handle(query, transport);
  if (outcome.kind === "ignore") return false;
  if (outcome.kind === "forward") {
    server.forward(outcome, transport);
    return true;
  }
  checkReply(outcome.bytes, query, sizeMaxOf[transport]);
  wellFormed(outcome.bytes);
  return outcome.result !== "malformed";
}

/** Turns a query into a reply that has nothing to say: header with QR, and the question. */
function echo(query: Uint8Array): Uint8Array {
  const reply = query.slice();
  reply[2]! |= 0x80;
  return reply;
}

/** Damaged queries, answered from the table or forwarded. */
export const dnsQueryTarget: FuzzTarget = {
  name: "dns-query",
  corpus: queries,
  begin() {
    const server = new NameServer();
    server.upstream = echo;
    return {
      consume: (bytes) => answer(server, bytes, (fingerprint(bytes) & 1) === 0 ? "udp" : "tcp"),
      end: () => stillAnswers(server),
    };
  },
};

/** Damaged replies of upstream servers, most of them under the right id and question. */
export const dnsReplyTarget: FuzzTarget = {
  name: "dns-reply",
  corpus: replies,
  begin() {
    const server = new NameServer();
    const asked = queries().flatMap((query) => {
      const outcome = server.responder.handle(query, "udp");
      return outcome.kind === "forward" ? [outcome] : [];
    });
    return {
      consume(bytes) {
        const choice = fingerprint(bytes);
        const request = asked[choice % asked.length]!;
        server.upstream = (query) => {
          const reply = bytes.slice();
          if (reply.length < headerSize) return reply;
          if ((choice & 0x300) !== 0) reply.set(query.subarray(0, 2));
          return (choice & 0xc00) === 0 ? reply : withQuestionOf(query, reply);
        };
        const reply = server.forward(request, (choice & 0x1000) === 0 ? "udp" : "tcp");
        return reply.length > request.query.questionEnd || (reply[3]! & 0x0f) === 0;
      },
      end: () => stillAnswers(server),
    };
  },
};

/** The damaged reply from behind its question, with the question that was asked. */
function withQuestionOf(query: Uint8Array, reply: Uint8Array): Uint8Array {
  const end = recordPlaces(reply)?.questionEnd ?? headerSize;
  const counts = reply.slice(0, headerSize);
  counts.set(query.subarray(0, 2));
  counts[2] = (counts[2]! & 0x07) | 0x80;
  writeUint16(counts, 4, 1);
  const questionEnd = recordPlaces(query)?.questionEnd ?? headerSize;
  return concatBytes(counts, query.subarray(headerSize, questionEnd), reply.subarray(end));
}

/** Damaged streams of queries, as over TCP, in any pieces. */
export const dnsStreamTarget: FuzzTarget = {
  name: "dns-stream",
  corpus() {
    const framed = queries().map(withLength);
    return framed.map((first, at) => concatBytes(first, framed[(at + 1) % framed.length]!));
  },
  begin() {
    const server = new NameServer();
    server.upstream = echo;
    return {
      consume(bytes) {
        const whole = new DnsStream().push(bytes);
        const stream = new DnsStream();
        const pieces = chunks(seededRandom(fingerprint(bytes)), bytes);
        const cut = [...pieces].flatMap((piece) => stream.push(piece));
        hold(Bun.deepEquals(whole, cut), "a stream in pieces holds other queries than the whole");
        const accepted = cut.map((query) => answer(server, query, "tcp"));
        return accepted.includes(true);
      },
      end: () => stillAnswers(server),
    };
  },
};

function stillAnswers({ responder, bench }: NameServer): void {
  const query = queries()[0]!;
  hold(responder.handle(query, "udp").kind !== "ignore", "a good query is ignored");
  bench.table.stop();
  bench.clock.run(forwardMaxMs);
  hold(bench.clock.pending === 0, `${bench.clock.pending} timers run on without a query`);
}
