import { SystemError } from "../../../ffi/system-error.ts";
import { concatBytes } from "../../../lib/base/bytes.ts";
import { formatCidr, formatIp, ipBytes, parseCidr, parseIp } from "../../../lib/base/ip.ts";
import { addAddress, listAddresses } from "../../../lib/host/netlink/address.ts";
import { Netlink, type NetlinkPort } from "../../../lib/host/netlink/conversation.ts";
import { decodeLink, deleteLink, findLink, listLinks } from "../../../lib/host/netlink/link.ts";
import {
  attribute,
  decodeMessages,
  encodeMessage,
  flags,
  headerBytes,
  messageType,
  nested,
  text,
  uint8,
  uint32,
} from "../../../lib/host/netlink/message.ts";
import { namespaceId } from "../../../lib/host/netlink/namespace-id.ts";
import { deleteTable, listTables } from "../../../lib/host/netlink/nftables.ts";
import { listRoutes } from "../../../lib/host/netlink/route.ts";
import { type FuzzTarget, fingerprint, hold, refusable } from "../target.ts";

const refusals = ["NETLINK_FORMAT", "NETLINK_TIMEOUT", "NETLINK_BUSY"];
/** Datagrams that may go out for one question: a dump is repeated a few times. */
const sentMax = 8;

/** A kernel that says one damaged thing, and then what it must to be done with a request. */
class OddKernel implements NetlinkPort {
  readonly #damaged: Uint8Array;
  #queue: Uint8Array[] = [];
  sent = 0;

  constructor(damaged: Uint8Array) {
    this.#damaged = damaged;
  }

  send(datagram: Uint8Array): void {
    this.sent++;
    const answer = this.#damaged.slice();
    const choice = fingerprint(answer);
    for (const request of decodeMessages(datagram)) {
      // Mostly it is an answer to what was asked.
      if ((choice & 3) !== 0 && answer.length >= headerBytes) {
        answer.set(datagram.subarray(sequenceAt, sequenceAt + 4), sequenceAt);
      }
      const done = encodeMessage(messageType.done, 0, request.sequence, new Uint8Array(4));
      const acknowledged = encodeMessage(
        messageType.error,
        0,
        request.sequence,
        new Uint8Array(20),
      );
      this.#queue.push(answer, done, acknowledged);
    }
  }

  receive(): Uint8Array | undefined {
    return this.#queue.shift();
  }

  close(): void {
    this.#queue = [];
  }
}

const sequenceAt = 8;

const cidr = parseCidr("10.32.0.1/12");

/** Everything that this program asks of the kernel. What was read is shown as status would. */
const questions: ReadonlyArray<(netlink: Netlink) => unknown> = [
  (netlink) => listLinks(netlink),
  (netlink) => findLink(netlink, { name: "weave" }),
  (netlink) => deleteLink(netlink, 7),
  (netlink) => listAddresses(netlink, { interfaceIndex: 7 }).map((each) => formatCidr(each.cidr)),
  (netlink) => addAddress(netlink, 7, cidr),
  (netlink) =>
    listRoutes(netlink).map(({ destination, gateway }) => [
      destination && formatCidr(destination),
      gateway && formatIp(gateway),
    ]),
  (netlink) => listTables(netlink, "inet"),
  (netlink) => deleteTable(netlink, { family: "ip", name: "weave" }),
  (netlink) => namespaceId(netlink, 3),
];

/** Answers of the kernel, none of which this program may trip over. */
export const netlinkTarget: FuzzTarget = {
  name: "netlink",
  corpus: () => [linkAnswer(), addressAnswer(), routeAnswer(), tableAnswer(), errorAnswer()],
  begin: () => ({
    consume(bytes) {
      const messages = refusable(refusals, () => decodeMessages(bytes));
      for (const message of messages ?? []) refusable(refusals, () => decodeLink(message));
      for (const ask of questions) {
        const kernel = new OddKernel(bytes);
        refusable(refusals, () => {
          try {
            ask(new Netlink(kernel));
          } catch (error) {
            // The kernel may refuse whatever it wants to.
            if (!(error instanceof SystemError)) throw error;
          }
        });
        hold(kernel.sent <= sentMax, `asked ${kernel.sent} times`);
      }
      return messages !== undefined;
    },
  }),
};

function header(size: number, words: Readonly<Record<number, number>>): Uint8Array {
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  for (const [at, word] of Object.entries(words)) view.setUint32(Number(at), word, true);
  return bytes;
}

function linkAnswer(): Uint8Array {
  const body = concatBytes(
    header(16, { 4: 7, 8: 0x11043 }),
    text(3, "vethwe-bridge"),
    attribute(1, Uint8Array.of(2, 0, 0, 0, 0, 1)),
    uint32(4, 1376),
    uint32(5, 8),
    uint32(10, 3),
    uint8(16, 6),
    text(20, "weave"),
    uint32(37, 1),
    nested(18, text(1, "veth"), text(4, "bridge"), nested(5, uint8(4, 1))),
  );
  return concatBytes(
    encodeMessage(16, flags.multi, 1, body),
    encodeMessage(16, flags.multi | flags.dumpInterrupted, 1, body),
  );
}

function addressAnswer(): Uint8Array {
  const answers = ["10.32.0.1", "fe80::1"].map((address) => {
    const octets = ipBytes(parseIp(address));
    const family = octets.length === 4 ? 2 : 10;
    const fixed = header(8, { 0: family | (12 << 8), 4: 7 });
    return encodeMessage(
      20,
      flags.multi,
      1,
      concatBytes(fixed, attribute(1, octets), attribute(2, octets)),
    );
  });
  return concatBytes(...answers);
}

function routeAnswer(): Uint8Array {
  const body = concatBytes(
    header(12, { 0: 2 | (12 << 8), 4: 254 }),
    uint32(15, 254),
    attribute(1, ipBytes(parseIp("10.32.0.0"))),
    attribute(5, ipBytes(parseIp("10.99.0.1"))),
    uint32(4, 7),
  );
  return encodeMessage(24, flags.multi, 1, body);
}

function tableAnswer(): Uint8Array {
  return encodeMessage(0xa00, flags.multi, 1, concatBytes(header(4, {}), text(1, "weave")));
}

/** A refusal with the request's header and the kernel's own words. */
function errorAnswer(): Uint8Array {
  const extendedAck = 0x200;
  const body = concatBytes(header(20, { 0: -95 >>> 0 }), text(1, "operation not supported"));
  return encodeMessage(messageType.error, extendedAck, 1, body);
}
