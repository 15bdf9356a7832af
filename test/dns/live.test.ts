import { describe, expect, test } from "bun:test";
import { fromHex, readUint32 } from "../../lib/base/bytes.ts";
import { peerNameFromNumber } from "../../lib/base/peer-name.ts";
import { decodeNames } from "../../lib/dns/name-codec.ts";
import { GobDecoder, gob } from "../../lib/wire/gob.ts";
import capture from "../vectors/live/two-peers-plain.json";
import { TableBench, toVector } from "./names.ts";

interface Segment {
  readonly hex: string;
}

interface NameserverMessage {
  readonly isBroadcast: boolean;
  readonly source: number;
  readonly payload: Uint8Array;
}

/** The messages of one direction on channel nameserver, taken out by the capture's own index. */
function nameserverMessages(segments: readonly Segment[], index: readonly string[]) {
  const stream = fromHex(segments.map((segment) => segment.hex).join(""));
  return index.flatMap((line): NameserverMessage[] => {
    const match = /^(\d+)\+(\d+) gossip(-broadcast)? nameserver$/.exec(line);
    if (match === null) return [];
    const at = Number(match[1]);
    const size = Number(match[2]);
    const framed = stream.subarray(at, at + size);
    const body = readUint32(framed, 0) === size - 4 ? framed.subarray(5) : framed.subarray(1);
    const decoder = new GobDecoder(body);
    expect(decoder.read(gob.string)).toBe("nameserver");
    const source = decoder.read(gob.uint);
    const payload = decoder.read(gob.bytes);
    return [{ isBroadcast: match[3] !== undefined, source, payload }];
  });
}

describe("a captured session of two originals", () => {
  const [session] = capture.tcp;
  const directions = {
    client: nameserverMessages(session!.client_to_server, session!.client_to_server_messages),
    server: nameserverMessages(session!.server_to_client, session!.server_to_client_messages),
  };

  for (const [side, messages] of Object.entries(directions)) {
    test(`what the ${side} said leaves its names in our table, and saying it again nothing new`, () => {
      expect(messages.length).toBeGreaterThan(3);
      const bench = new TableBench();
      const hear = ({ isBroadcast, source, payload }: NameserverMessage) => {
        bench.nowS = decodeNames(payload).timestampS;
        const from = peerNameFromNumber(source);
        return isBroadcast
          ? bench.table.onBroadcast(from, payload)
          : bench.table.onGossip(from, payload);
      };
      for (const message of messages) hear(message);
      const latest = decodeNames(messages.at(-1)!.payload);
      expect(bench.state()).toEqual(
        expect.arrayContaining(latest.entries.map((entry) => toVector(entry))),
      );
      expect(bench.state().length).toBeGreaterThan(0);
      for (const message of messages.filter((each) => !each.isBroadcast)) {
        expect(hear(message)).toBeUndefined();
      }
    });
  }
});
