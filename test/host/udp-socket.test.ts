import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { type HostIp, parseCidr, tryParseHostIp } from "../../lib/base/ip.ts";
import { keepOffloads } from "../../lib/host/interface-offloads.ts";
import { addAddress } from "../../lib/host/netlink/address.ts";
import { changeLink, findLink } from "../../lib/host/netlink/link.ts";
import { openRoute } from "../../lib/host/netlink/open.ts";
import type { NetworkNamespace } from "../../lib/host/netns.ts";
import {
  kernelPathMtu,
  openUdpSocket,
  type SendFailure,
  type UdpSocket,
} from "../../lib/host/udp-socket.ts";
import { awaitAddresses, awaitDatagram, Laboratory, udpIn } from "./laboratory.ts";

/** Two hosts on a cable, by either family. */
const underlays = [
  {
    ...{ family: 4, tag: "udp", any: 0, nowhere: "203.0.113.1", prefix: 24, headers: 28 },
    ...{ near: "192.168.5.1", far: "192.168.5.2", other: "192.168.5.77" },
  },
  {
    ...{ family: 6, tag: "ud6", any: "::", nowhere: "2001:db8::1", prefix: 64, headers: 48 },
    ...{ near: "fd05::1", far: "fd05::2", other: "fd05::77" },
  },
] as const;

describe.each(underlays)("the UDP socket by IPv$family", (underlay) => {
  const { any, headers, prefix } = underlay;
  const near = tryParseHostIp(underlay.near)!;
  const far = tryParseHostIp(underlay.far)!;
  const other = tryParseHostIp(underlay.other)!;
  const nowhere = tryParseHostIp(underlay.nowhere)!;
  /** The largest payload that is not fragmented. */
  const whole = 1500 - headers;
  const smallest = underlay.family === 4 ? 700 : 1280;
  const laboratory = new Laboratory(underlay.tag);
  let a: NetworkNamespace;
  let b: NetworkNamespace;
  let sender: UdpSocket;
  let receiver: UdpSocket;

  beforeAll(() => {
    a = laboratory.namespace("a");
    b = laboratory.namespace("b");
    laboratory.cable(
      { in: a, name: "eth0", address: `${underlay.near}/${prefix}` },
      { in: b, name: "eth0", address: `${underlay.far}/${prefix}` },
    );
    sender = udpIn(a, any);
    receiver = udpIn(b, any);
  });
  afterAll(() => {
    sender.close();
    receiver.close();
    laboratory.close();
  });

  const append = (
    bytes: Uint8Array,
    options: { df?: boolean; from?: HostIp; mark?: number } = {},
  ) =>
    sender.append(
      {
        from: options.from ?? 0,
        to: far,
        port: receiver.port,
        dontFragment: options.df ?? false,
      },
      options.mark ?? 0,
      bytes,
      bytes.length,
    );
  const flush = () => {
    const failures: [number, SendFailure][] = [];
    a.run(() => sender.flush((mark, failure) => failures.push([mark, failure])));
    return failures;
  };
  const drain = (): Uint8Array[] => {
    const got: Uint8Array[] = [];
    for (;;) {
      const next = receiver.receive((bytes, at, length) => got.push(bytes.slice(at, at + length)));
      if (next === 0) return got;
    }
  };

  test("sends a batch in order, from one port, whether it may be fragmented or not", () => {
    const sizes = [1, whole, 0, 60_000, 700, 65_507, 9, 1200];
    for (const [index, size] of sizes.entries()) {
      append(new Uint8Array(size).fill(index), { df: size <= whole && index % 2 === 1 });
    }
    expect(flush()).toEqual([]);
    const got = drain();
    expect(got.map(({ length }) => length)).toEqual(sizes);
    for (const [index, payload] of got.entries()) {
      expect(payload.every((octet) => octet === index)).toBe(true);
    }
  });

  test("tells who sent a datagram, address and port", () => {
    append(Uint8Array.of(1));
    flush();
    let from: [HostIp, number] | undefined;
    receiver.receive((_bytes, _at, _length, ip, port) => {
      from = [ip, port];
    });
    expect(from).toEqual([near, sender.port]);
  });

  test("sends from whichever of the host's addresses it is told", () => {
    using netlink = openRoute(a);
    const { index } = findLink(netlink, { name: "eth0" })!;
    addAddress(netlink, index, parseCidr(`${underlay.other}/${prefix}`));
    awaitAddresses(a);
    append(Uint8Array.of(1), { from: other });
    append(Uint8Array.of(2), { from: near });
    expect(flush()).toEqual([]);
    expect(awaitDatagram(receiver)?.from).toBe(underlay.other);
    drain();
  });

  test("reports what is larger than the path, with the path's MTU, and sends the rest", () => {
    append(new Uint8Array(whole), { df: true, mark: 1 });
    append(new Uint8Array(whole + 1), { df: true, mark: 2 });
    append(new Uint8Array(whole + 1), { mark: 3 });
    append(new Uint8Array(5), { df: true, mark: 4 });
    expect(flush()).toEqual([[2, { pathMtu: 1500 }]]);
    expect(drain().map(({ length }) => length)).toEqual([whole, whole + 1, 5]);
  });

  test("follows a path that becomes smaller", () => {
    using netlink = openRoute(a);
    const { index } = findLink(netlink, { name: "eth0" })!;
    changeLink(netlink, index, { mtu: smallest });
    append(new Uint8Array(1300), { df: true, mark: 8 });
    expect(flush()).toEqual([[8, { pathMtu: smallest }]]);
    expect(a.run(() => kernelPathMtu(0, far))).toBe(smallest);
    changeLink(netlink, index, { mtu: 1500 });
    expect(a.run(() => kernelPathMtu(near, far))).toBe(1500);
    expect(a.run(() => kernelPathMtu(0, nowhere))).toBeUndefined();
  });

  test("names any other reason for which a datagram is not sent", () => {
    sender.append({ from: 0, to: nowhere, port: 9, dontFragment: true }, 5, Uint8Array.of(1), 1);
    append(Uint8Array.of(2));
    expect(flush()).toEqual([[5, { error: "ENETUNREACH" }]]);
    expect(drain().map((payload) => [...payload])).toEqual([[2]]);
  });

  test("survives a receiver that is not there", () => {
    for (let round = 0; round < 3; round++) {
      sender.append({ from: 0, to: far, port: 9, dontFragment: true }, 0, Uint8Array.of(1), 1);
      expect(flush()).toEqual([]);
      expect(sender.receive(() => {})).toBe(0);
    }
  });

  test("takes no more than a batch before it is flushed", () => {
    let taken = 0;
    while (!sender.full) append(new Uint8Array(1 + taken).fill(taken++));
    expect([taken, sender.waiting]).toEqual([64, 64]);
    flush();
    expect(sender.waiting).toBe(0);
    expect(drain()).toHaveLength(64);
  });

  describe("with runs of datagrams of one size", () => {
    const run = (count: number, size: number, last = size): Uint8Array[] =>
      Array.from({ length: count }, (_, index) =>
        new Uint8Array(index === count - 1 ? last : size).fill(index + 1),
      );
    const messages = (): number => {
      let count = 0;
      for (let next = 1; next > 0; count += next) next = receiver.receive(() => {});
      return count;
    };

    test("gives each its own, at both ends", () => {
      const sent = [...run(50, 1400, 90), ...run(3, 700), ...run(100, 20), ...run(2, 30, 31)];
      for (const datagram of sent) append(datagram, { df: true });
      expect(sender.waiting).toBeLessThan(8);
      expect(flush()).toEqual([]);
      expect(drain()).toEqual(sent);
      expect([sender.sendsSingly, receiver.receivesSingly]).toEqual(["", ""]);
    });

    test("sends and receives them as one", () => {
      for (const datagram of run(46, 1400)) append(datagram, { df: true });
      expect(sender.waiting).toBe(1);
      flush();
      expect(messages()).toBe(1);
    });

    test("has room again for many when they are gone", () => {
      for (let round = 0; round < 5; round++) {
        let taken = 0;
        for (; !sender.full; taken++) append(new Uint8Array(1400), { df: true });
        expect(taken).toBeGreaterThan(100);
        expect(flush()).toEqual([]);
        drain();
      }
    });

    test("keeps apart what goes elsewhere, or otherwise", () => {
      for (let index = 0; index < 3; index++) {
        append(Uint8Array.of(1), { df: true });
        append(Uint8Array.of(2), { df: false });
        append(Uint8Array.of(3), { df: true, from: near });
        append(Uint8Array.of(4), { df: true, mark: 7 });
      }
      expect(sender.waiting).toBe(12);
      flush();
      expect(drain().map(([octet]) => octet)).toEqual([1, 2, 3, 4, 1, 2, 3, 4, 1, 2, 3, 4]);
    });

    test("reports each that is larger than the path, and sends the last, which is not", () => {
      for (const datagram of run(4, whole + 1, 100)) append(datagram, { df: true, mark: 6 });
      append(Uint8Array.of(9), { df: true, mark: 5 });
      expect(flush()).toEqual([1, 2, 3].map(() => [6, { pathMtu: 1500 }]));
      expect(drain().map(({ length }) => length)).toEqual([100, 1]);
      expect(sender.sendsSingly).toBe("");
    });

    test("lets those be fragmented that may be", () => {
      append(new Uint8Array(whole), { df: true });
      flush();
      drain();
      for (const size of [whole, whole + 1, 9000]) {
        for (const datagram of run(5, size)) append(datagram);
        expect(flush()).toEqual([]);
        expect(drain()).toEqual(run(5, size));
      }
    });

    test("finds out that a path became smaller, run by run", () => {
      using netlink = openRoute(a);
      const { index } = findLink(netlink, { name: "eth0" })!;
      changeLink(netlink, index, { mtu: smallest });
      for (const datagram of run(3, 1300)) append(datagram, { df: true, mark: 8 });
      for (const datagram of run(3, 1300)) append(datagram);
      expect(flush()).toEqual([1, 2, 3].map(() => [8, { pathMtu: smallest }]));
      expect(drain()).toEqual(run(3, 1300));
      changeLink(netlink, index, { mtu: 1500 });
    });

    test("gives runs up where the way out cannot finish their checksums", () => {
      using netlink = openRoute(a);
      a.run(() => keepOffloads("eth0", []));
      for (const datagram of run(5, 1400)) append(datagram, { df: true });
      expect(flush()).toEqual([]);
      expect(drain()).toEqual(run(5, 1400));
      findLink(netlink, { name: "eth0" });
      for (const datagram of run(5, 1400)) append(datagram, { df: true });
      expect(flush()).toEqual([]);
      expect(drain()).toEqual(run(5, 1400));
    });
  });

  test("refuses a port that is taken, and says what to do", () => {
    expect(() => a.run(() => openUdpSocket(any, sender.port, 1 << 16))).toThrow(
      expect.objectContaining({
        code: "UDP_BIND",
        remedy: expect.stringContaining("--port"),
      }),
    );
  });
});
