import { describe, expect, test } from "bun:test";
import { fromHex, fromUtf8, toHex, utf8 } from "../../lib/base/bytes.ts";
import { AssertionError, type WeaveError } from "../../lib/base/errors.ts";
import type { GossipData, Gossiper, StateComparison } from "../../lib/base/gossip.ts";
import type { PeerName } from "../../lib/base/peer-name.ts";
import {
  circleMaxMs,
  type GossipNeighbour,
  GossipRouter,
  surrogateLifetimeMs,
  surrogatesMax,
} from "../../lib/mesh/gossip-router.ts";
import { GossipSender, relayBacklogMaxBytes } from "../../lib/mesh/gossip-sender.ts";
import { inquiryWindowMs } from "../../lib/mesh/inquiries.ts";
import { relayWindowMaxMs, relayWindowMs } from "../../lib/mesh/news-relay.ts";
import { Peers } from "../../lib/mesh/peers.ts";
import {
  channelNameMaxLength,
  decodeMessage,
  encodeMessage,
  type OutgoingMessage,
} from "../../lib/mesh/protocol-message.ts";
import { Routes } from "../../lib/mesh/routes.ts";
import { WordChannel } from "../sim/word-channel.ts";
import { loneWorld } from "../sim/world.ts";
import gossipVectors from "../vectors/mesh/gossip-messages.json";
import { nameOf, type SketchedPeer, sketch } from "./records.ts";

/** What time it is for whoever sends digests. */
const clockAt = { now: () => 1_700_000_000_000 };

/** Peer 1, its neighbours and what it sends to each. */
function router(peers: readonly SketchedPeer[]) {
  const { world, clock } = loneWorld();
  const [own, ...others] = peers.map(sketch);
  const database = new Peers(own!);
  database.apply(others);
  const routes = new Routes(world, database, () => {});
  const sent: Array<{ to: PeerName; message: OutgoingMessage }> = [];
  const refused: Array<{ channel: string; origin: PeerName; error: WeaveError }> = [];
  const neighbours = new Map<PeerName, GossipNeighbour>();
  const connect = (name: PeerName, compares: boolean, backlogBytes = 0): void => {
    const send = (message: OutgoingMessage): boolean => sent.push({ to: name, message }) > 0;
    const sender = new GossipSender(
      { backlogBytes, send },
      own!.name,
      compares ? clockAt : undefined,
    );
    neighbours.set(name, { name, sender });
  };
  for (const name of own!.links.keys()) connect(name, true);
  const state = { published: 0 };
  const made = new GossipRouter(world, {
    self: own!.name,
    routes,
    neighbour: (name) => neighbours.get(name),
    beforeBroadcast: () => state.published++,
    refused: (channel, origin, error) => refused.push({ channel, origin, error }),
  });
  const receivers = (): PeerName[] => {
    const names = sent.map(({ to }) => to).sort((a, b) => a - b);
    sent.length = 0;
    return names;
  };
  return { router: made, clock, world, sent, refused, receivers, state, connect };
}

/** Peer 1 in the middle of 2, 3 and 4; 5 is behind 4. */
const star: SketchedPeer[] = [
  { n: 1, links: [[2], [3], [4]] },
  { n: 2, links: [[1]] },
  { n: 3, links: [[1]] },
  { n: 4, links: [[1], [5]] },
  { n: 5, links: [[4]] },
];

function gossip(sender: number, text: string, channel = "words") {
  return { kind: "gossip", channel, sender: nameOf(sender), payload: utf8(text) } as const;
}

function broadcast(origin: number, text: string, channel = "words") {
  return { kind: "broadcast", channel, origin: nameOf(origin), payload: utf8(text) } as const;
}

describe("gossip", () => {
  test("that is new goes on to others, in our name, and not back", () => {
    const { router: made, sent, receivers } = router(star);
    made.join("words", new WordChannel());
    made.receive(gossip(2, "news"), nameOf(2));
    expect(sent.map(({ message }) => message)).toEqual(Array(2).fill(gossip(1, "news")));
    expect(receivers()).toEqual([nameOf(3), nameOf(4)]);
    made.receive(gossip(2, "news"), nameOf(2));
    expect(receivers()).toEqual([]);
  });

  test("that names another sender than it came from goes back to neither", () => {
    const { router: made, receivers } = router(star);
    made.join("words", new WordChannel());
    made.receive(gossip(3, "news"), nameOf(2));
    expect(receivers()).toEqual([nameOf(4)]);
  });

  test("that comes in bursts is passed on together, and the first at once", () => {
    const { router: made, clock, sent, receivers } = router(star);
    made.join("words", new WordChannel());
    for (const word of ["a", "b", "c"]) made.receive(gossip(2, word), nameOf(2));
    made.receive(gossip(3, "d"), nameOf(3));
    expect(receivers()).toEqual([nameOf(3), nameOf(4)]);
    clock.run(relayWindowMs);
    expect(sent.map(({ message }) => message)).toEqual(Array(3).fill(gossip(1, "b,c,d")));
    // Neither 2 nor 3 told us all of it.
    expect(receivers()).toEqual([nameOf(2), nameOf(3), nameOf(4)]);
    clock.run(2 * relayWindowMs);
    made.receive(gossip(2, "e"), nameOf(2));
    expect(receivers().length).toBe(2);
  });

  test("that does not end is passed on less and less often, until it ends", () => {
    const { router: made, clock, receivers } = router(star);
    made.join("words", new WordChannel());
    let rounds = 0;
    for (let atMs = 0; atMs < 10_000; atMs += 10) {
      made.receive(gossip(2, `word ${atMs}`), nameOf(2));
      rounds += receivers().length / 2;
      clock.run(10);
    }
    expect(rounds).toBeLessThan(5 + 10_000 / relayWindowMaxMs);
    clock.run(2 * relayWindowMaxMs);
    receivers();
    made.receive(gossip(2, "later"), nameOf(2));
    expect(receivers().length).toBe(2);
  });

  test("of all state goes out periodically where there is something to say", () => {
    const { router: made, receivers } = router(star);
    const owner = new WordChannel();
    made.join("words", owner);
    made.gossipState();
    expect(receivers()).toEqual([]);
    owner.words.add("something");
    made.gossipState();
    expect(receivers().length).toBe(3);
  });

  test("leaves no timer when stopped", () => {
    const { router: made, world } = router(star);
    made.join("words", new WordChannel());
    made.receive(gossip(2, "a"), nameOf(2));
    made.receive(gossip(2, "b"), nameOf(2));
    made.stop();
    expect(world.timers).toBe(0);
  });
});

describe("a broadcast", () => {
  test("of ours goes to every neighbour, after our record", () => {
    const { router: made, receivers, state } = router(star);
    const owner = new WordChannel();
    owner.channel = made.join("words", owner);
    owner.say("hello");
    expect(receivers()).toEqual([nameOf(2), nameOf(3), nameOf(4)]);
    expect(state.published).toBe(1);
  });

  test("of ours that comes back is not taken in again", () => {
    const { router: made, receivers } = router(star);
    const owner = new WordChannel();
    made.join("words", owner);
    made.receive(broadcast(1, "echo"), nameOf(2));
    expect(owner.deliveries).toEqual([]);
    expect(receivers()).toEqual([]);
  });

  test("that went round a circle goes no further; the same said later does", () => {
    const { router: made, clock, receivers } = router(star);
    made.join("words", new WordChannel());
    made.receive(broadcast(2, "news"), nameOf(2));
    expect(receivers()).toEqual([nameOf(3), nameOf(4)]);
    made.receive(broadcast(2, "news"), nameOf(4));
    expect(receivers()).toEqual([]);
    made.receive(broadcast(2, "news"), nameOf(2));
    expect(receivers()).toEqual([]);
    clock.run(circleMaxMs);
    made.receive(broadcast(2, "news"), nameOf(2));
    expect(receivers()).toEqual([nameOf(3), nameOf(4)]);
    made.receive(broadcast(2, "news"), nameOf(2));
    expect(receivers()).toEqual([]);
    clock.run(10_000 - circleMaxMs);
    made.receive(broadcast(2, "news"), nameOf(4));
    expect(receivers()).toEqual([nameOf(3)]);
  });

  test("by somebody unknown is taken in and goes no further", () => {
    const { router: made, receivers } = router(star);
    const owner = new WordChannel();
    made.join("words", owner);
    made.receive(broadcast(9, "who?"), nameOf(2));
    expect(owner.words.has("who?")).toBe(true);
    expect(receivers()).toEqual([]);
  });
});

describe("a unicast", () => {
  test("for another peer is relayed byte for byte", () => {
    const { router: made, sent } = router(star);
    const recorded = gossipVectors.messages.filter(({ hex }) => hex.startsWith("05"));
    expect(recorded.length).toBeGreaterThan(0);
    for (const { hex } of recorded) {
      // Whoever it is for lives behind peer 4, and its octets are not those that we would write.
      const message = decodeMessage(fromHex(`${hex}00`));
      if (message.kind !== "unicast") throw new Error("not a unicast");
      made.receive({ ...message, destination: nameOf(5) }, nameOf(2));
      const relayed = sent.pop()!;
      expect(relayed.to).toBe(nameOf(4));
      expect(toHex(encodeMessage(relayed.message))).toBe(`${hex}00`);
    }
  });

  test("for another peer is dropped where so much waits that a connection could end over it", () => {
    const { router: made, receivers, connect } = router(star);
    const message = { kind: "unicast", channel: "words", origin: nameOf(2) } as const;
    const relay = (): void =>
      made.receive({ ...message, destination: nameOf(5), payload: utf8("x") }, nameOf(2));
    connect(nameOf(4), true, relayBacklogMaxBytes - 1);
    relay();
    expect(receivers()).toEqual([nameOf(4)]);
    connect(nameOf(4), true, relayBacklogMaxBytes);
    relay();
    expect(receivers()).toEqual([]);
  });

  test("is never sent back to where it came from", () => {
    const { router: made, receivers } = router(star);
    const message = { kind: "unicast", channel: "words", origin: nameOf(2) } as const;
    made.receive({ ...message, destination: nameOf(5), payload: utf8("x") }, nameOf(4));
    made.receive({ ...message, destination: nameOf(9), payload: utf8("x") }, nameOf(2));
    expect(receivers()).toEqual([]);
  });
});

/** Words that neighbours compare: the digest and the inquiry are the words themselves. */
class ComparedWords extends WordChannel {
  readonly comparison: StateComparison = {
    digest: () => this.#said(),
    inquire: (_, digest) =>
      fromUtf8(digest) === fromUtf8(this.#said()) ? undefined : this.#said(),
    answer: () => this.full(),
  };

  #said(): Uint8Array {
    return utf8([...this.words].join(","));
  }
}

describe("state that neighbours compare", () => {
  function compared(...words: readonly string[]) {
    const made = router(star);
    const owner = new ComparedWords();
    for (const word of words) owner.words.add(word);
    made.router.join("words", owner);
    return { ...made, owner };
  }
  const digest = (text: string, channel = "words") =>
    ({ kind: "digest", channel, payload: utf8(text), unixMs: clockAt.now() }) as const;
  const inquiry = (text: string, channel = "words") =>
    ({ kind: "inquiry", channel, payload: utf8(text) }) as const;

  test("goes out as a digest, every period and to a new neighbour", () => {
    const { router: made, sent } = compared("a", "b");
    made.gossipState();
    expect(sent.map(({ message }) => message)).toEqual(Array(3).fill(digest("a,b")));
  });

  test("is compared in place of bulky news, which neighbours hear from several sides", () => {
    const { router: made, owner, sent } = compared("a", "b");
    made.gossip("words", { ...owner.full()!, isBulky: true });
    expect(sent.map(({ message }) => message)).toEqual(Array(3).fill(digest("a,b")));
  });

  test("is asked for of one neighbour at a time", () => {
    const { router: made, clock, sent, owner } = compared("a");
    made.receive(digest("a,b"), nameOf(2));
    made.receive(digest("a,b"), nameOf(3));
    made.receive(digest("a,c"), nameOf(4));
    expect(sent).toEqual([{ to: nameOf(2), message: inquiry("a") }]);
    owner.words.add("b");
    clock.run(inquiryWindowMs);
    expect(sent.slice(1)).toEqual([{ to: nameOf(4), message: inquiry("a,b") }]);
  });

  test("is not asked for of a neighbour that came back as one that does not compare", () => {
    const { router: made, clock, sent, connect } = compared("a");
    made.receive(digest("a,b"), nameOf(2));
    made.receive(digest("a,c"), nameOf(3));
    made.receive(digest("a,d"), nameOf(4));
    connect(nameOf(3), false);
    clock.run(inquiryWindowMs);
    expect(sent.map(({ to }) => to)).toEqual([nameOf(2), nameOf(4)]);
  });

  test("is not asked for where it would be no news", () => {
    const { router: made, sent } = compared("a");
    made.receive(digest("a"), nameOf(2));
    expect(sent).toEqual([]);
  });

  test("is asked for where it may be news, and sent to whoever asks, and nobody else", () => {
    const { router: made, sent } = compared("a");
    made.receive(digest("b"), nameOf(2));
    made.receive(inquiry("c"), nameOf(3));
    expect(sent).toEqual([
      { to: nameOf(2), message: inquiry("a") },
      { to: nameOf(3), message: gossip(1, "a") },
    ]);
  });

  test("of a channel without an owner here is asked for whole, since others may want it", () => {
    const { router: made, sent } = compared();
    made.receive(digest("a", "others"), nameOf(2));
    made.receive(inquiry("a", "others"), nameOf(2));
    expect(sent).toEqual([{ to: nameOf(2), message: inquiry("", "others") }]);
    expect(made.channels()).toEqual([{ name: "words", surrogate: false }]);
  });

  test("that an owner cannot make sense of is laid to the neighbour", () => {
    const { router: made, owner, sent, refused } = compared();
    owner.comparison.answer = () => {
      throw new AssertionError("never seen such words");
    };
    made.receive(inquiry("?"), nameOf(2));
    made.receive(digest("a", "x".repeat(channelNameMaxLength + 1)), nameOf(3));
    expect(refused.map(({ origin }) => origin)).toEqual([nameOf(2), nameOf(3)]);
    expect(sent).toEqual([]);
  });
});

describe("a channel without an owner here", () => {
  test("is flooded once, broadcast along the tree, and keeps unicasts to us", () => {
    const { router: made, receivers } = router(star);
    made.receive(gossip(2, "state", "other"), nameOf(2));
    expect(receivers()).toEqual([nameOf(3), nameOf(4)]);
    made.receive(gossip(3, "state", "other"), nameOf(3));
    expect(receivers()).toEqual([]);
    made.receive(broadcast(2, "state", "other"), nameOf(2));
    expect(receivers()).toEqual([nameOf(3), nameOf(4)]);
    const unicast = { kind: "unicast", channel: "other", origin: nameOf(2) } as const;
    made.receive({ ...unicast, destination: nameOf(1), payload: utf8("x") }, nameOf(2));
    expect(receivers()).toEqual([]);
  });

  test("floods the same again after half a minute", () => {
    const { router: made, clock, receivers } = router(star);
    made.receive(gossip(2, "state", "other"), nameOf(2));
    receivers();
    clock.run(30_000);
    made.receive(gossip(2, "state", "other"), nameOf(2));
    expect(receivers().length).toBe(2);
  });

  test("is forgotten when unused, or when too many others came", () => {
    const { router: made, clock } = router(star);
    const names = (): string[] => made.channels().map(({ name }) => name);
    for (let number = 0; number < surrogatesMax + 10; number++) {
      clock.run(1);
      made.receive(gossip(2, "x", `channel ${number}`), nameOf(2));
    }
    expect(names().length).toBe(surrogatesMax);
    expect(names()).not.toContain("channel 9");
    expect(names()).toContain("channel 10");
    clock.run(surrogateLifetimeMs - 1);
    made.receive(gossip(2, "y", "channel 20"), nameOf(2));
    clock.run(1);
    made.gossipState();
    expect(names()).toEqual(["channel 20"]);
  });

  test("is handed to an owner that joins later", () => {
    const { router: made } = router(star);
    made.receive(gossip(2, "early", "words"), nameOf(2));
    const owner = new WordChannel();
    made.join("words", owner);
    made.receive(gossip(2, "late"), nameOf(2));
    expect([...owner.words]).toEqual(["late"]);
    expect(made.channels()).toEqual([{ name: "words", surrogate: false }]);
  });

  test("cannot have a name that only serves to fill memory", () => {
    const { router: made, refused } = router(star);
    made.receive(gossip(2, "x", "n".repeat(channelNameMaxLength + 1)), nameOf(2));
    expect(made.channels()).toEqual([]);
    expect(refused.map(({ origin, error }) => [origin, error.code])).toEqual([
      [nameOf(2), "CHANNEL_NAME"],
    ]);
  });
});

describe("a payload that its owner refuses", () => {
  test("is laid to whom it comes from, not to the neighbour that relayed it", () => {
    const { router: made, refused, receivers } = router(star);
    made.join("words", new WordChannel());
    made.receive(broadcast(5, "refuse me"), nameOf(4));
    made.receive(gossip(2, "refuse me"), nameOf(2));
    expect(refused.map(({ origin, error }) => [origin, error.code])).toEqual([
      [nameOf(5), "WORDS_REFUSED"],
      [nameOf(2), "WORDS_REFUSED"],
    ]);
    expect(receivers()).toEqual([]);
  });

  test("is laid to the neighbour that said it, whatever name it goes by", () => {
    const { router: made, refused } = router(star);
    const owner = new WordChannel();
    made.join("words", owner);
    made.receive(gossip(3, "refuse me"), nameOf(2));
    made.receive(gossip(3, "hello"), nameOf(2));
    made.receive(gossip(3, "x", "n".repeat(channelNameMaxLength + 1)), nameOf(2));
    expect(refused.map(({ origin }) => origin)).toEqual([nameOf(2), nameOf(2)]);
    expect(owner.deliveries.at(-1)).toBe(`gossip ${nameOf(2)} hello`);
  });

  test("is dropped also when the owner fails in a way it should not", () => {
    const { router: made, refused } = router(star);
    const owner: Gossiper = {
      onUnicast() {},
      onBroadcast: (): GossipData => {
        throw new AssertionError("ring has a hole");
      },
      onGossip: () => undefined,
      full: () => undefined,
    };
    made.join("words", owner);
    made.receive(broadcast(5, "x"), nameOf(4));
    expect(refused[0]!.error.code).toBe("INTERNAL");
    expect(refused[0]!.error.cause).toBeInstanceOf(AssertionError);
  });
});
