import { describe, expect, test } from "bun:test";
import { parsePeerName } from "../../lib/base/peer-name.ts";
import { GossipTally, otherChannel, talliedChannelsMax } from "../../lib/mesh/gossip-tally.ts";

const gossip = (channel: string, octets: number) => ({
  ...{ kind: "gossip" as const, channel, sender: parsePeerName("::1") },
  payload: new Uint8Array(octets),
});

describe("what is said between routers", () => {
  test("is counted by channel and direction, and heartbeats are not", () => {
    const tally = new GossipTally();
    tally.sent(gossip("topology", 10));
    tally.sent(gossip("topology", 5));
    tally.received(gossip("nameserver", 7));
    tally.sent({ kind: "heartbeat" });
    tally.received({ kind: "control", tag: 7, body: new Uint8Array(100) });
    const nothing = { sentMessages: 0, sentBytes: 0, receivedMessages: 0, receivedBytes: 0 };
    expect(tally.list()).toEqual([
      { ...nothing, channel: "topology", sentMessages: 2, sentBytes: 15 },
      { ...nothing, channel: "nameserver", receivedMessages: 1, receivedBytes: 7 },
    ]);
  });

  test("on channels that others make up is counted together, beyond a few", () => {
    const tally = new GossipTally();
    for (let n = 0; n < 1000; n++) tally.received(gossip(`channel ${n}`, 1));
    const list = tally.list();
    expect(list).toHaveLength(talliedChannelsMax + 1);
    expect(list.at(-1)).toMatchObject({
      channel: otherChannel,
      receivedMessages: 1000 - talliedChannelsMax,
    });
  });
});
