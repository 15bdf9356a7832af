import { expect, test } from "bun:test";
import { fromHex } from "../../lib/base/bytes.ts";
import { errorText } from "../../lib/base/errors.ts";
import { noPeer, type PeerName, peerNameFromNumber } from "../../lib/base/peer-name.ts";
import { formatRange } from "../../lib/ipam/range.ts";
import { decodeState, encodeState } from "../../lib/ipam/state-codec.ts";
import { decodeUnicast, encodeUnicast } from "../../lib/ipam/unicast-codec.ts";
import { GobDecoder, gob } from "../../lib/wire/gob.ts";
import { TestPeer } from "./test-peer.ts";
import { sorted } from "./vectors.ts";

interface Capture {
  tcp: {
    client_to_server: { hex: string }[];
    client_to_server_messages: string[];
    server_to_client: { hex: string }[];
    server_to_client_messages: string[];
  }[];
}

interface Message {
  tag: number;
  source: PeerName;
  payload: Uint8Array;
}

/** What the running original sent on this channel, one list per direction of each connection. */
async function directionsOf(name: string): Promise<Message[][]> {
  const file = Bun.file(new URL(`../vectors/live/${name}.json`, import.meta.url));
  const { tcp }: Capture = await file.json();
  return tcp.flatMap((connection) => [
    messagesOf(connection.client_to_server, connection.client_to_server_messages),
    messagesOf(connection.server_to_client, connection.server_to_client_messages),
  ]);
}

function messagesOf(segments: { hex: string }[], index: string[]): Message[] {
  const stream = fromHex(segments.map(({ hex }) => hex).join(""));
  return index.flatMap((line) => {
    const place = /^(\d+)\+(\d+) gossip\S* IPallocation/.exec(line);
    if (place === null) return [];
    const end = Number(place[1]) + Number(place[2]);
    // Four octets of length stand before the message.
    return [parse(stream.subarray(Number(place[1]) + 4, end))];
  });
}

function parse(message: Uint8Array): Message {
  const body = new GobDecoder(message.subarray(1));
  expect(body.read(gob.string)).toBe("IPallocation");
  const source = peerNameFromNumber(body.read(gob.uint));
  const tag = message[0]!;
  if (tag === 5) body.read(gob.uint);
  return { tag, source, payload: body.read(gob.bytes) };
}

function feed(peer: TestPeer, { tag, source, payload }: Message): string | undefined {
  try {
    if (tag === 4) peer.allocator.channel.onGossip(source, payload);
    else if (tag === 5) peer.allocator.channel.onUnicast(source, payload);
    else peer.allocator.channel.onBroadcast(source, payload);
  } catch (error) {
    return errorText(error);
  }
  return undefined;
}

for (const name of ["two-peers-plain", "ipam-seed-mode"]) {
  test(`everything that running originals said to each other reads and writes: ${name}`, async () => {
    const messages = (await directionsOf(name)).flat();
    expect(messages.length).toBeGreaterThan(1);
    for (const { tag, payload } of messages) {
      if (tag === 5) {
        const message = decodeUnicast(payload)!;
        expect(decodeUnicast(encodeUnicast(message))).toEqual(message);
      } else {
        const state = sorted(decodeState(payload));
        expect(sorted(decodeState(encodeState(state)))).toEqual(state);
      }
    }
  });

  test(`a peer that listens to a running original agrees with its last ring: ${name}`, async () => {
    for (const messages of await directionsOf(name)) {
      const states = messages
        .filter(({ tag }) => tag !== 5)
        .map(({ payload }) => decodeState(payload));
      const { ring } = states.at(-1)!;
      const universe = formatRange(ring!.universe);
      const peer = new TestPeer({ name: "ff:ff:ff:ff:ff:ff", universe, init: "observer" });
      for (const message of messages) expect(feed(peer, message)).toBeUndefined();
      const heard = decodeState(peer.allocator.channel.full()!.encode()[0]!).ring!;
      expect(heard.entries.map(({ token, peer: owner }) => [token, owner])).toEqual(
        ring!.entries.map(({ token, peer: owner }) => [token, owner]),
      );
      expect(heard.seeds).toEqual(ring!.seeds);
      expect(heard.peer).not.toBe(noPeer);
    }
  });
}

for (const name of ["refused-different-range", "refused-different-rings"]) {
  test(`two running originals that refuse each other would be refused by us too: ${name}`, async () => {
    const [ours, theirs] = (await directionsOf(name)).filter((messages) => messages.length > 0);
    const { ring } = decodeState(ours![0]!.payload);
    const universe = formatRange(ring!.universe);
    const peer = new TestPeer({ name: "ff:ff:ff:ff:ff:ff", universe, init: "observer" });
    for (const message of ours!) expect(feed(peer, message)).toBeUndefined();
    expect(feed(peer, theirs![0]!)).toStartWith("IP allocation was seeded by different peers");
  });
}
