import { expect, test } from "bun:test";
import { fromHex } from "../../lib/base/bytes.ts";
import { errorText } from "../../lib/base/errors.ts";
import { formatIpv4, formatIpv4Cidr, parseIpv4Cidr } from "../../lib/base/ip.ts";
import { parsePeerName } from "../../lib/base/peer-name.ts";
import { decodeState } from "../../lib/ipam/state-codec.ts";
import { expectSent, type VectorSend } from "./sent.ts";
import { TestPeer } from "./test-peer.ts";
import {
  fromEntry,
  sorted,
  toState,
  type VectorEntry,
  type VectorState,
  vectors,
} from "./vectors.ts";

interface ConversationEvent {
  note?: string;
  event?: string;
  peer: string;
  request: string;
  noErrorOnUnknown?: boolean;
  as: "broadcast" | "gossip" | "unicast";
  from?: string;
  from_neighbour?: string;
  message: string;
  hex?: string;
  sends?: VectorSend[];
  state?: VectorState;
  ring_after?: VectorEntry[];
  completed_operations?: string[];
  pending_operations?: number;
  awaiting_consensus?: boolean;
  error_connection_closed?: string;
}

interface Conversation {
  peers: { peer: string; nickname: string; universe: string }[];
  events: ConversationEvent[];
}

/** Votes needed by the electors of each conversation, as `consensus=<n>`. */
const initModes: Record<string, string> = {
  claims: "consensus=1",
  competing_elections: "consensus=3",
  election_and_donation: "consensus=2",
  exhaustion: "consensus=1",
  observer_calls_election: "consensus=2",
  seeds: "consensus=1",
  shutdown_and_takeover: "consensus=1",
};

/** Messages of the original that we do not send, because it has asked the same already. */
const superfluous = new Set(["exhaustion m8"]);

/** From here on the histories differ: we do not give away the edges of a subnet. */
const partsAt: Record<string, { peer: string; message: string }> = {
  exhaustion: { peer: "01:00:00:00:00:01", message: "m4" },
};

/** One peer of a conversation, fed with what the original peers sent it. */
class Replay {
  readonly #conversation: Conversation;
  readonly #name: string;
  readonly #initMode: string;
  readonly #sentHex = new Map<string, string>();
  readonly #completed: string[] = [];
  #peer: TestPeer | undefined;

  constructor(conversation: Conversation, name: string, initMode: string) {
    this.#conversation = conversation;
    this.#name = name;
    this.#initMode = initMode;
    for (const { sends } of conversation.events) {
      for (const { id, hex } of sends ?? []) this.#sentHex.set(id!, hex!);
    }
  }

  get peer(): TestPeer {
    this.#peer ??= this.#start(this.#initMode);
    return this.#peer;
  }

  #start(init: string): TestPeer {
    const index = this.#conversation.peers.findIndex(({ peer }) => peer === this.#name);
    const { nickname, universe } = this.#conversation.peers[index]!;
    const peer = new TestPeer({
      name: this.#name,
      nickname,
      universe,
      uid: BigInt(11 * (index + 1)),
      init: nickname === "observer" ? "observer" : init,
    });
    for (const other of this.#conversation.peers) {
      if (other.peer !== this.#name) peer.known.add(parsePeerName(other.peer));
    }
    return peer;
  }

  /** Operations that ended since the last call. */
  async takeCompleted(): Promise<string[]> {
    for (let turns = 0; turns < 4; turns++) await Promise.resolve();
    return this.#completed.splice(0);
  }

  /** The error, if the message was refused. */
  play(event: ConversationEvent): string | undefined {
    try {
      if (event.event === "receive") this.#receive(event);
      else if (event.event === "5-second tick") this.peer.pass(5);
      else if (event.event === "local request") this.#request(event);
      else this.#peer = this.#start(event.event!.replace("start with seed ", "seed="));
    } catch (error) {
      return errorText(error);
    }
    return undefined;
  }

  #receive(event: ConversationEvent): void {
    const from = parsePeerName((event.from ?? event.from_neighbour)!);
    const payload = fromHex(event.hex ?? this.#sentHex.get(event.message)!);
    const { allocator } = this.peer;
    if (event.state !== undefined && event.as !== "unicast") {
      expect(sorted(decodeState(payload))).toEqual(sorted(toState(event.state)));
    }
    if (event.as === "broadcast") allocator.channel.onBroadcast(from, payload);
    else if (event.as === "gossip") allocator.channel.onGossip(from, payload);
    else allocator.channel.onUnicast(from, payload);
  }

  #request({ request, noErrorOnUnknown = false }: ConversationEvent): void {
    const { allocator } = this.peer;
    const [verb, first = "", , last = ""] = request.split(" ");
    const options = { isContainer: false, noErrorOnUnknown };
    if (verb === "prime") {
      const wanted = allocator.prime();
      this.#finish(
        request,
        wanted.then(() => "done"),
      );
    } else if (verb === "allocate") {
      const wanted = allocator.allocate(first, parseIpv4Cidr(last), options);
      this.#finish(
        request,
        wanted.then(({ address }) => formatIpv4(address)),
      );
    } else if (verb === "claim") {
      const wanted = allocator.claim(last, parseIpv4Cidr(first), options);
      this.#finish(
        request,
        wanted.then(() => "ok"),
      );
    } else if (verb === "release") {
      allocator.delete(first);
    } else if (verb === "shutdown") {
      allocator.shutdown();
    } else if (verb === "rmpeer") {
      this.peer.known.delete(parsePeerName(first));
      expect(allocator.takeover(first, { force: false })).toBe(256);
    } else {
      throw new Error(`no such request: ${request}`);
    }
  }

  #finish(request: string, result: Promise<string>): void {
    result.then(
      (text) => this.#completed.push(`${request} -> ${text}`),
      (error) => this.#completed.push(`${request} -> error: ${errorText(error)}`),
    );
  }
}

for (const [name, initMode] of Object.entries(initModes)) {
  const conversation = await vectors<Conversation>(`conversation_${name}`);
  for (const { peer, nickname } of conversation.peers) {
    test(`in the conversation about ${name}, ${nickname} says and does what the original does`, async () => {
      const replay = new Replay(conversation, peer, initMode);
      const parting = partsAt[name];
      let primesDone = 0;
      let primesDoneByOriginal = 0;
      for (const event of conversation.events) {
        if (event.peer !== peer) continue;
        if (parting?.peer === peer && parting.message === event.message) break;
        expect(replay.play(event)).toBe(event.error_connection_closed);

        const wanted = (event.sends ?? []).filter(({ id }) => !superfluous.has(`${name} ${id}`));
        expectSent(replay.peer.takeSent(), wanted);
        const { ring } = decodeState(replay.peer.allocator.channel.full()!.encode()[0]!);
        if (event.ring_after !== undefined) {
          expect(ring?.entries.map(fromEntry)).toEqual(event.ring_after);
        }
        const status = replay.peer.allocator.status();
        expect(status.election !== undefined).toBe(event.awaiting_consensus ?? false);

        // The original answers a prime at the next tick only; we must not be later than that.
        const completed = await replay.takeCompleted();
        const isPrime = (operation: string): boolean => operation.startsWith("prime");
        primesDone += completed.filter(isPrime).length;
        primesDoneByOriginal += (event.completed_operations ?? []).filter(isPrime).length;
        expect(primesDone).toBeGreaterThanOrEqual(primesDoneByOriginal);
        expect(completed.filter((operation) => !isPrime(operation))).toEqual(
          (event.completed_operations ?? []).filter((operation) => !isPrime(operation)),
        );
        if (event.request !== "prime") {
          const pending = status.pendingClaims.length + status.pendingAllocations.length;
          expect(pending).toBe(event.pending_operations ?? 0);
        }
      }
    });
  }
}

test("where the conversations part, nothing useless is given away", async () => {
  const conversation = await vectors<Conversation>("conversation_exhaustion");
  const { peer, message } = partsAt.exhaustion!;
  const replay = new Replay(conversation, peer, "consensus=1");
  const own = conversation.events.filter((event) => event.peer === peer);
  const parting = own.findIndex((event) => event.message === message);
  for (const event of own.slice(0, parting)) replay.play(event);
  replay.peer.takeSent();
  const before = replay.peer.allocator.status().ranges;
  replay.play(own[parting]!);
  expect(replay.peer.allocator.status().ranges).toEqual(before);
  expect(replay.peer.takeSent().map((sent) => [sent.kind, sent.payload[0]])).toEqual([
    ["unicast", 2],
    ["unicast", 1],
  ]);
  expect(replay.peer.allocator.list().map(({ cidrs }) => cidrs.map(formatIpv4Cidr))).toHaveLength(
    6,
  );
});
