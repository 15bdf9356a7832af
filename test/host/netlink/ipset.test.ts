import { afterAll, describe, expect, test } from "bun:test";
import { parseIp } from "../../../lib/base/ip.ts";
import { Netlink } from "../../../lib/host/netlink/conversation.ts";
import {
  addToIpset,
  createIpset,
  destroyIpset,
  hasIpsets,
  listIpsets,
  removeFromIpset,
} from "../../../lib/host/netlink/ipset.ts";
import { decodeMessages, encodeMessage, messageType } from "../../../lib/host/netlink/message.ts";
import { openNetfilter } from "../../../lib/host/netlink/open.ts";
import { Laboratory } from "../laboratory.ts";

/** A kernel that answers everything with this error, and keeps what it was sent. */
function answering(errno: number): { netlink: Netlink; sent: Uint8Array[] } {
  const sent: Uint8Array[] = [];
  const body = new Uint8Array(20);
  new DataView(body.buffer).setInt32(0, -errno, true);
  const port = {
    send: (datagram: Uint8Array) => void sent.push(datagram),
    receive: () =>
      encodeMessage(messageType.error, 0, decodeMessages(sent.at(-1)!)[0]!.sequence, body),
    close() {},
  };
  return { netlink: new Netlink(port), sent };
}

describe("messages to ip_set", () => {
  const { netlink, sent } = answering(0);
  const expectSent = (...octets: string[]) => expect(sent.pop()?.toHex()).toBe(octets.join(""));

  test("create a set with its type, family, first size and limit", () => {
    createIpset(netlink, { name: "s", type: "hash:net", family: 6 });
    expectSent(
      ...["58000000", "0206", "0506", "01000000", "00000000", "02000000"],
      ...["0500010006000000", "0600020073000000", "0d000300", "686173683a6e657400000000"],
      ...["0500040003000000", "050005000a000000"],
      ...["14000780", "0800124000000040", "0800134000100000"],
    );
  });

  test("create a set with room for what it is going to have", () => {
    const { netlink, sent } = answering(0);
    for (const expected of [10, 1000, 10_000_000]) {
      createIpset(netlink, { name: "s", type: "hash:ip", family: 4, expected });
    }
    const buckets = sent.map((message) => message.toHex().slice(-24, -16));
    expect(buckets).toEqual(["00000040", "000003e8", "00100000"]);
  });

  test("add a network that is not in the set", () => {
    const element = { address: parseIp("10.32.0.0"), prefix: 16, isExcept: true };
    addToIpset(netlink, "s", [element]);
    expectSent(
      ...["50000000", "0906", "0500", "02000000", "00000000", "02000000"],
      ...["0500010006000000", "0600020073000000", "0800094000000000"],
      ...["24000880", "20000780", "0c000180", "080001400a200000"],
      ...["0500030010000000", "0800084000000004"],
    );
  });

  test("remove a port of an address", () => {
    const port = { protocol: 132, number: 0x1234 };
    removeFromIpset(netlink, "s", [{ address: parseIp("fd00::1"), port }]);
    expectSent(
      ...["5c000000", "0a06", "0500", "03000000", "00000000", "02000000"],
      ...["0500010006000000", "0600020073000000", "0800094000000000"],
      ...["30000880", "2c000780", "18000180", "14000240", "fd000000000000000000000000000001"],
      ...["0600044012340000", "0500070084000000"],
    );
  });

  test("are several when there are many elements, and none when there are none", () => {
    const elements = Array.from({ length: 2500 }, (_, at) => ({
      address: { family: 4, value: at } as const,
    }));
    addToIpset(netlink, "s", elements);
    expect(sent.splice(0).map(({ length }) => length)).toEqual([16_048, 16_048, 8048]);
    addToIpset(netlink, "s", []);
    expect(sent).toEqual([]);
  });

  for (const [errno, name] of [
    [4098, "EOPNOTSUPP"],
    [4100, "EBUSY"],
    [4352, "ENOSPC"],
  ] as const) {
    test(`that are refused with ${errno} fail as ${name}`, () => {
      const act = () => destroyIpset(answering(errno).netlink, "s");
      expect(act).toThrow(expect.objectContaining({ code: `SYS_${name}` }));
    });
  }

  test("are none to a kernel that has no sets", () => {
    expect(hasIpsets(answering(22).netlink)).toBe(false);
    expect(listIpsets(answering(22).netlink)).toEqual([]);
  });
});

describe("sets of the kernel", () => {
  const laboratory = new Laboratory("ipset");
  afterAll(() => laboratory.close());

  test("are made, filled, listed and destroyed", () => {
    const namespace = laboratory.namespace("one");
    using netlink = openNetfilter(namespace);
    const [a, b] = ["10.32.0.1", "10.32.0.2"].map((text) => ({ address: parseIp(text) }));
    createIpset(netlink, { name: "a", type: "hash:ip", family: 4 });
    addToIpset(netlink, "a", [a!, b!, a!]);
    removeFromIpset(netlink, "a", [b!, b!]);
    createIpset(netlink, { name: "p", type: "hash:ip,port", family: 6 });
    const port = { protocol: 132, number: 80 };
    addToIpset(netlink, "p", [{ address: parseIp("fd00::1"), port }]);
    createIpset(netlink, { name: "n", type: "hash:net", family: 4 });
    addToIpset(netlink, "n", [
      { address: parseIp("10.0.0.0"), prefix: 8 },
      { address: parseIp("10.1.0.0"), prefix: 16, isExcept: true },
    ]);
    expect(listIpsets(netlink)).toEqual([
      { name: "a", type: "hash:ip", family: 4, size: 1 },
      { name: "p", type: "hash:ip,port", family: 6, size: 1 },
      { name: "n", type: "hash:net", family: 4, size: 2 },
    ]);
    const saved = namespace.run(() => Bun.spawnSync(["ipset", "save"]).stdout.toString());
    // The kernel keeps them by a hash with a seed of its own.
    expect(saved.match(/^add.*$/gm)?.sort()).toEqual([
      "add a 10.32.0.1",
      "add n 10.0.0.0/8",
      "add n 10.1.0.0/16 nomatch",
      "add p fd00::1,sctp:80",
    ]);
    for (const { name } of listIpsets(netlink)) destroyIpset(netlink, name);
    destroyIpset(netlink, "a");
    expect(listIpsets(netlink)).toEqual([]);
  });

  test("of one name are made once", () => {
    using netlink = openNetfilter(laboratory.namespace("two"));
    const make = () => createIpset(netlink, { name: "a", type: "hash:ip", family: 4 });
    make();
    expect(make).toThrow(expect.objectContaining({ code: "SYS_EEXIST" }));
  });
});
