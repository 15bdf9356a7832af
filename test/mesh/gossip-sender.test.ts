import { describe, expect, test } from "bun:test";
import { fromUtf8, utf8 } from "../../lib/base/bytes.ts";
import type { GossipData, Gossiper, StateComparison } from "../../lib/base/gossip.ts";
import { type GossipLink, GossipSender, heldOctetsMax } from "../../lib/mesh/gossip-sender.ts";
import { isChannelMessage, type OutgoingMessage } from "../../lib/mesh/protocol-message.ts";
import { nameOf } from "./records.ts";

class Numbers implements GossipData {
  readonly numbers: number[];
  readonly split: boolean;

  constructor(numbers: number[], split = false) {
    this.numbers = numbers;
    this.split = split;
  }

  encode(): Uint8Array[] {
    return this.split
      ? this.numbers.map((number) => utf8(`${number}`))
      : [utf8(this.numbers.join("+"))];
  }

  merge(newer: GossipData): GossipData {
    return new Numbers([...this.numbers, ...(newer as Numbers).numbers], this.split);
  }
}

/** A connection that takes one message and then reports a backlog until it is drained. */
class SlowLink implements GossipLink {
  backlogBytes = 0;
  open = true;
  readonly sent: string[] = [];

  send(message: OutgoingMessage): boolean {
    if (!this.open || !isChannelMessage(message)) return false;
    const { kind, channel } = message;
    const from =
      "sender" in message ? [message.sender] : "origin" in message ? [message.origin] : [];
    this.sent.push([kind, channel, ...from, fromUtf8(message.payload)].join(" "));
    this.backlogBytes = 1 << 20;
    return true;
  }
}

/** Compares its number, once it has one. */
class ComparedNumber implements Gossiper {
  number: number | undefined;
  state: GossipData | undefined;
  readonly comparison: StateComparison = {
    digest: () => (this.number === undefined ? undefined : utf8(`${this.number}`)),
    inquire: () => undefined,
    answer: () => this.state,
  };

  onUnicast(): void {}
  onBroadcast(): undefined {}
  onGossip(): undefined {}

  full(): GossipData | undefined {
    return this.state;
  }
}

function slow() {
  const link = new SlowLink();
  const sender = new GossipSender(link, nameOf(1));
  const drain = (): string | undefined => {
    link.backlogBytes = 0;
    const before = link.sent.length;
    sender.pump();
    expect(link.sent.length - before).toBeLessThanOrEqual(1);
    return link.sent[before];
  };
  return { link, sender, drain };
}

describe("gossip on its way to a slow neighbour", () => {
  test("is the latest state and never a history", () => {
    const { link, sender, drain } = slow();
    for (let number = 0; number < 5; number++) sender.gossip("numbers", new Numbers([number]));
    expect(link.sent).toEqual([`gossip numbers ${nameOf(1)} 0`]);
    expect(drain()).toBe(`gossip numbers ${nameOf(1)} 1+2+3+4`);
    expect(drain()).toBeUndefined();
  });

  test("of a state that is compared is one digest and one question, of the latest", () => {
    const link = new SlowLink();
    const sender = new GossipSender(link, nameOf(1), { now: () => 0 });
    const owner = new ComparedNumber();
    for (let number = 0; number < 5; number++) {
      owner.number = number;
      sender.state("numbers", owner);
      sender.inquire("numbers", utf8(`have ${number}`));
    }
    sender.gossip("numbers", new Numbers([7]));
    for (let turn = 0; turn < 4; turn++) {
      link.backlogBytes = 0;
      sender.pump();
    }
    expect(link.sent).toEqual([
      "digest numbers 0",
      `gossip numbers ${nameOf(1)} 7`,
      "digest numbers 4",
      "inquiry numbers have 4",
    ]);
  });

  test("of a state that is not to be compared yet is the state, and nothing if there is none", () => {
    const link = new SlowLink();
    const sender = new GossipSender(link, nameOf(1), { now: () => 0 });
    const owner = new ComparedNumber();
    sender.state("numbers", owner);
    expect(link.sent).toEqual([]);
    owner.state = new Numbers([3]);
    sender.state("numbers", owner);
    expect(link.sent).toEqual([`gossip numbers ${nameOf(1)} 3`]);
  });

  test("goes before broadcasts, which are merged by origin", () => {
    const { sender, drain } = slow();
    sender.gossip("numbers", new Numbers([0]));
    for (const [origin, number] of [
      [2, 10],
      [3, 20],
      [2, 11],
    ] as const) {
      sender.broadcast("numbers", nameOf(origin), new Numbers([number]));
    }
    sender.gossip("numbers", new Numbers([1]));
    expect([drain(), drain(), drain(), drain()]).toEqual([
      `gossip numbers ${nameOf(1)} 1`,
      `broadcast numbers ${nameOf(2)} 10+11`,
      `broadcast numbers ${nameOf(3)} 20`,
      undefined,
    ]);
  });

  test("of several channels takes turns", () => {
    const { sender, drain } = slow();
    sender.gossip("a", new Numbers([0]));
    for (const channel of ["a", "b", "a", "b"]) {
      sender.gossip(channel, new Numbers([1]));
      sender.broadcast(channel, nameOf(2), new Numbers([2]));
    }
    const order = [drain(), drain(), drain(), drain()].map((line) => line!.slice(0, 11));
    expect(order).toEqual(["gossip a 10", "gossip b 10", "broadcast a", "broadcast b"]);
  });

  test("that takes several messages is sent one at a time, and whole", () => {
    const { link, sender, drain } = slow();
    sender.gossip("numbers", new Numbers([1, 2, 3], true));
    expect(link.sent.length).toBe(1);
    expect([drain(), drain(), drain()].map((line) => line?.at(-1))).toEqual(["2", "3", undefined]);
  });

  test("does not delay what is for one peer alone", () => {
    const { link, sender } = slow();
    sender.gossip("numbers", new Numbers([1]));
    sender.gossip("numbers", new Numbers([2]));
    const unicast = { kind: "unicast", channel: "numbers", origin: nameOf(1) } as const;
    expect(sender.direct({ ...unicast, destination: nameOf(2), payload: utf8("x") })).toBe(true);
    expect(link.sent.at(-1)).toBe(`unicast numbers ${nameOf(1)} x`);
  });

  test("ends with the connection", () => {
    const { link, sender } = slow();
    link.open = false;
    sender.gossip("numbers", new Numbers([1]));
    expect(link.sent).toEqual([]);
  });
});

describe("what is kept of others", () => {
  class Held implements GossipData {
    readonly name: string;
    readonly heldOctets: number;

    constructor(name: string, heldOctets: number) {
      this.name = name;
      this.heldOctets = heldOctets;
    }

    encode(): Uint8Array[] {
      return [utf8(this.name)];
    }

    merge(newer: GossipData): GossipData {
      return newer;
    }
  }

  test("waits for a slow neighbour within bounds, however many channels and origins it names", () => {
    const { link, sender, drain } = slow();
    sender.gossip("busy", new Numbers([1]));
    sender.gossip("read", new Numbers([2]));
    const size = heldOctetsMax / 4;
    for (let n = 0; n < 10; n++) sender.gossip(`held ${n}`, new Held(`${n}`, size));
    for (let n = 10; n < 12; n++) sender.broadcast("more", nameOf(n), new Held(`${n}`, size));
    for (let n = 12; n < 14; n++) sender.broadcast("read", nameOf(n), new Held(`${n}`, size));
    const lines = Array.from({ length: 6 }, drain);
    const order = ["2", "8", "9", "10", "11", undefined];
    expect(lines.map((line) => line?.split(" ").at(-1))).toEqual(order);
    expect(link.sent.length).toBe(6);
  });
});
