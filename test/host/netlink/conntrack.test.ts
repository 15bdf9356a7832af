import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { fromHex, toHex } from "../../../lib/base/bytes.ts";
import { errorCode } from "../../../lib/base/errors.ts";
import { parseIpv4 } from "../../../lib/base/ip.ts";
import {
  connections,
  decodeConnection,
  forgetConnection,
  markConnection,
  masterOf,
  tcpState,
} from "../../../lib/host/netlink/conntrack.ts";
import { Netlink } from "../../../lib/host/netlink/conversation.ts";
import {
  attribute,
  decodeMessages,
  encodeMessage,
  messageType,
} from "../../../lib/host/netlink/message.ts";

/** What a kernel 6.18 told of connections of its own; in the order of the header and of attributes. */
const told = {
  /** By TCP to 10.96.0.1:80, which is 10.40.0.0:5432. */
  translated: [
    ...["02000000", "34000180", "14000180", "080001000a200001", "080002000a600001"],
    ...["1c000280", "0500010006000000", "060002009c400000", "0600030000500000"],
    ...["34000280", "14000180", "080001000a280000", "080002000a200001"],
    ...["1c000280", "0500010006000000", "0600020015380000", "060003009c400000"],
    ...["08000300000001ae", "080008004000002a", "08000c00205015ac", "08000b0000000001"],
    ...["080007000006977f", "30000480", "2c000180", "0500010003000000", "050002000a000000"],
    ...["050003000a000000", "0600040023000000", "0600050023000000"],
  ],
  /** By UDP, in zone 7. */
  zoned: [
    ...["02000000", "34000180", "14000180", "080001000a200001", "080002000a280000"],
    ...["1c000280", "0500010011000000", "0600020013890000", "0600030000350000"],
    ...["34000280", "14000180", "080001000a280000", "080002000a200001"],
    ...["1c000280", "0500010011000000", "0600020000350000", "0600030013890000"],
    ...["0600120000070000", "0800030000000188", "0800080000000000", "08000c009d2ac6f2"],
    ...["08000b0000000001", "080007000000001d"],
  ],
  ping: [
    ...["02000000", "3c000180", "14000180", "080001000a200001", "080002000a280000"],
    ...["24000280", "0500010001000000", "060004001a3a0000", "0500050008000000", "0500060000000000"],
    ...["3c000280", "14000180", "080001000a280000", "080002000a200001"],
    ...["24000280", "0500010001000000", "060004001a3a0000", "0500050000000000", "0500060000000000"],
    ...["080003000000018a", "0800080000000000", "08000c00bae145d9", "08000b0000000001"],
    "080007000000001d",
  ],
  ipv6: [
    ...["0a000000", "4c000180", "2c000180"],
    ...["14000300fd000000000000000000000000000001", "14000400fd000000000000000000000000000002"],
    ...["1c000280", "0500010011000000", "0600020013880000", "0600030000350000"],
    ...["4c000280", "2c000180"],
    ...["14000300fd000000000000000000000000000002", "14000400fd000000000000000000000000000001"],
    ...["1c000280", "0500010011000000", "0600020000350000", "0600030013880000"],
    ...["0800030000000188", "0800080000000000"],
  ],
} as const;
/** `IPCTNL_MSG_CT_NEW` of the subsystem. */
const NEW = 0x0100;

function messageOf(body: Uint8Array, type = NEW) {
  return { type, flags: 0, sequence: 0, body };
}

function decoded(name: keyof typeof told) {
  return decodeConnection(messageOf(fromHex(told[name].join(""))))!;
}

const [client, server] = [parseIpv4("10.32.0.1"), parseIpv4("10.40.0.0")];

describe("a connection that the kernel tells of", () => {
  test("has the ends as they are written each way, a mark, and the state of TCP", () => {
    expect(decoded("translated")).toMatchObject({
      original: {
        ...{ source: client, destination: parseIpv4("10.96.0.1") },
        ...{ protocol: 6, sourcePort: 40_000 },
      },
      reply: { source: server, destination: client, protocol: 6, sourcePort: 5432 },
      mark: 0x4000_002a,
      ...{ tcpState: 3, wasPickedUp: false, hasMaster: false },
    });
    expect(tcpState).toEqual({ timeWait: 7, close: 8 });
  });

  test("may be one that the kernel has seen from its middle on", () => {
    const body = fromHex(told.translated.join("").replace("0600040023", "060004002b"));
    expect(decodeConnection(messageOf(body))?.wasPickedUp).toBe(true);
  });

  test("may be one of IPv6, or have no ports", () => {
    expect(decoded("ipv6")).toMatchObject({
      original: { source: "fd00::1", destination: "fd00::2", protocol: 17, sourcePort: 5000 },
      reply: { source: "fd00::2", destination: "fd00::1", sourcePort: 53 },
      ...{ mark: 0, tcpState: undefined },
    });
    expect(decoded("ping")).toMatchObject({
      original: { source: client, destination: server, protocol: 1, sourcePort: undefined },
      reply: { source: server, destination: client, sourcePort: undefined },
    });
  });

  test("is none when it has no addresses, or is about something else", () => {
    const body = fromHex(told.ping.join(""));
    expect(decodeConnection(messageOf(body, 0x0200))).toBeUndefined();
    expect(decodeConnection(messageOf(body.subarray(0, 4)))).toBeUndefined();
    expect(decodeConnection(messageOf(body.subarray(0, 64)))).toBeUndefined();
  });

  test("is refused by name when it is garbage, and never worse", () => {
    const garbage = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc
        .tuple(fc.constantFrom(...Object.values(told)), fc.nat(), fc.nat(255))
        .map(([hex, at, octet]) => {
          const body = fromHex(hex.join(""));
          body[at % body.length] = octet;
          return body;
        }),
    );
    const property = fc.property(garbage, (body) => {
      try {
        decodeConnection(messageOf(body));
      } catch (error) {
        expect(errorCode(error)).toBe("NETLINK_FORMAT");
      }
    });
    fc.assert(property, { seed: 1, numRuns: 2000 });
  });
});

/** A kernel that remembers requests, and gives these answers to one after the other. */
function kernel(...answers: readonly (readonly Uint8Array[])[]) {
  const requests: { type: number; flags: number; body: string }[] = [];
  const left = [...answers];
  const waiting: Uint8Array[] = [];
  const netlink = new Netlink({
    send(datagram) {
      const [request] = decodeMessages(datagram);
      const { type, flags, sequence, body } = request!;
      requests.push({ type, flags, body: toHex(body) });
      const isDump = (flags & 0x300) !== 0;
      for (const each of left.shift() ?? []) waiting.push(encodeMessage(NEW, 2, sequence, each));
      const end = isDump ? messageType.done : messageType.error;
      waiting.push(encodeMessage(end, 0, sequence, new Uint8Array(4)));
    },
    receive: () => waiting.shift(),
    close() {},
  });
  return { netlink, requests };
}

function refusing(errno: number): Netlink {
  const waiting: Uint8Array[] = [];
  return new Netlink({
    send(datagram) {
      const body = new Uint8Array(4);
      new DataView(body.buffer).setInt32(0, -errno, true);
      const { sequence } = decodeMessages(datagram)[0]!;
      waiting.push(encodeMessage(messageType.error, 0, sequence, body));
    },
    receive: () => waiting.shift(),
    close() {},
  });
}

describe("connections", () => {
  test("are told part by part, all of them or those with a mark", () => {
    const bodies = [told.ping, told.ipv6].map((hex) => fromHex(hex.join("")));
    const { netlink, requests } = kernel(bodies, []);
    const parts = [...connections(netlink)];
    expect(parts.flat().map(({ original }) => original.protocol)).toEqual([1, 17]);
    expect(parts.map(({ length }) => length)).toEqual([1, 1, 0]);
    expect([...connections(netlink, { marked: 0x4000_0000 })].flat()).toEqual([]);
    const marked = "0800080040000000";
    expect(requests).toEqual([
      { type: 0x0101, flags: 0x301, body: "00000000" },
      { type: 0x0101, flags: 0x301, body: `00000000${marked}0800150040000000` },
    ]);
  });

  test("of a kernel that does not tell are an error with its reason", () => {
    expect(() => [...connections(refusing(95))]).toThrow("connections");
  });

  test("are told by whom they come from, also where the kernel tells of all", () => {
    const bodies = [told.ping, told.translated, told.ipv6].map((hex) => fromHex(hex.join("")));
    const { netlink, requests } = kernel(bodies, bodies);
    const source = { way: "reply", address: server } as const;
    const found = [...connections(netlink, { source })].flat();
    expect(found.map(({ original }) => original.protocol)).toEqual([1, 6]);
    const other = { way: "original", address: "fd00::1" } as const;
    expect([...connections(netlink, { source: other })].flat()).toHaveLength(1);
    const tuple = "100002800c000180080001000a280000";
    expect(requests.map(({ body }) => body)).toEqual([
      `02000000${tuple}0c0019800800020001000000`,
      "0a000000",
    ]);
  });

  test("are forgotten by the addresses that the kernel told, unless they have ended", () => {
    const { netlink, requests } = kernel();
    expect(forgetConnection(netlink, decoded("ipv6"))).toBe(true);
    const body = `0a000000${told.ipv6.slice(1, 9).join("")}`;
    expect(requests).toEqual([{ type: 0x0102, flags: 0x5, body }]);
    expect(forgetConnection(refusing(2), decoded("ping"))).toBe(false);
    expect(() => forgetConnection(refusing(1), decoded("ping"))).toThrow("connection");
  });

  test("are marked by the addresses that the kernel told, in their zone, bit by bit", () => {
    const { netlink, requests } = kernel();
    const original = told.zoned.slice(1, 9).join("");
    const mask = "0800150040000000";
    expect(markConnection(netlink, decoded("zoned"), 0x4000_0000, 0x4000_0000)).toBe(true);
    expect(markConnection(netlink, decoded("zoned"), 0, 0x4000_0000)).toBe(true);
    expect(markConnection(netlink, decoded("ipv6"), 0, 0x4000_0000)).toBe(true);
    const name = `02000000${original}0600120000070000`;
    expect(requests).toEqual([
      { type: NEW, flags: 0x5, body: `${name}0800080040000000${mask}` },
      { type: NEW, flags: 0x5, body: `${name}0800080000000000${mask}` },
      {
        ...{ type: NEW, flags: 0x5 },
        body: `0a000000${told.ipv6.slice(1, 9).join("")}0800080000000000${mask}`,
      },
    ]);
  });

  test("that have ended meanwhile are not marked, which is no error; others are", () => {
    expect(markConnection(refusing(2), decoded("ping"), 1, 1)).toBe(false);
    expect(() => markConnection(refusing(1), decoded("ping"), 1, 1)).toThrow("mark");
  });

  test("that another one has announced lead to that one", () => {
    const own = fromHex(told.ipv6.join(""));
    const master = fromHex(told.ipv6.slice(2, 9).join(""));
    const announced = decodeConnection(
      messageOf(Buffer.concat([own, attribute(14 | 0x8000, master)])),
    )!;
    expect(announced.hasMaster).toBe(true);
    const { netlink, requests } = kernel([own]);
    expect(masterOf(netlink, announced)).toMatchObject({ original: { source: "fd00::1" } });
    expect(requests).toEqual([
      { type: 0x0101, flags: 0x5, body: `0a000000${told.ipv6.slice(1, 9).join("")}` },
    ]);
    expect(masterOf(refusing(2), announced)).toBeUndefined();
    expect(masterOf(netlink, decoded("ping"))).toBeUndefined();
  });
});
