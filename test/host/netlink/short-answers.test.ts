import { describe, expect, test } from "bun:test";
import { concatBytes } from "../../../lib/base/bytes.ts";
import { listAddresses } from "../../../lib/host/netlink/address.ts";
import { Netlink } from "../../../lib/host/netlink/conversation.ts";
import { decodeLink, listLinks } from "../../../lib/host/netlink/link.ts";
import {
  attribute,
  decodeMessages,
  encodeMessage,
  messageType,
} from "../../../lib/host/netlink/message.ts";
import { listRoutes } from "../../../lib/host/netlink/route.ts";

/** A kernel that answers every request with one message of this type and body. */
function answering(type: number, body: Uint8Array): Netlink {
  const waiting: Uint8Array[] = [];
  return new Netlink({
    send(datagram) {
      const sequence = decodeMessages(datagram)[0]!.sequence;
      const answer = encodeMessage(type, 0, sequence, body);
      waiting.push(answer, encodeMessage(messageType.done, 0, sequence, new Uint8Array(4)));
    },
    receive: () => waiting.shift(),
    close() {},
  });
}

const questions = {
  links: listLinks,
  addresses: (netlink: Netlink) => listAddresses(netlink, { interfaceIndex: 1 }),
  routes: listRoutes,
};

describe("an answer whose fixed header is cut is refused by name", () => {
  for (const [name, ask] of Object.entries(questions)) {
    test(name, () => {
      expect(() => ask(answering(16, new Uint8Array(3)))).toThrow("impossible length");
    });
  }

  test("refusals", () => {
    expect(() => listLinks(answering(messageType.error, new Uint8Array(2)))).toThrow(
      "impossible length",
    );
  });

  test("changes of links", () => {
    const message = { type: 16, flags: 0, sequence: 0, port: 0, body: new Uint8Array(15) };
    expect(() => decodeLink(message)).toThrow("impossible length");
  });
});

test("an address that has neither four nor sixteen octets is no address", () => {
  const body = concatBytes(new Uint8Array(8), attribute(2, Uint8Array.of(10, 32, 0)));
  expect(listAddresses(answering(20, body), { interfaceIndex: 1 })).toEqual([]);
});

test("a kernel that stops answering half-way is given up on", () => {
  const silent = new Netlink({ send() {}, receive: () => undefined, close() {} });
  expect(() => listLinks(silent)).toThrow("did not answer");
});
