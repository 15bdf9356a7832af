import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { closeDescriptor } from "../../../ffi/descriptor.ts";
import { bindSocket, connectSocket, openSocket, SOCK_DGRAM, sendOne } from "../../../ffi/socket.ts";
import { type HostIp, parseIpv4 } from "../../../lib/base/ip.ts";
import { forgetConnections } from "../../../lib/host/netlink/forget-connections.ts";
import { openNetfilter } from "../../../lib/host/netlink/open.ts";
import type { NetworkNamespace } from "../../../lib/host/netns.ts";
import { socketAddress, udpByIpv4, udpByIpv6 } from "../../../lib/host/udp-family.ts";
import { Laboratory } from "../laboratory.ts";

const [service, two] = ["127.9.9.9", "127.0.0.2"] as const;
const ip = parseIpv4;

/** Connections of a host to itself, which its packet filter keeps track of. */
const rules = `
  table ip track {
    chain watched {
      type filter hook output priority 0
      ct state new counter
    }
    chain served {
      type nat hook output priority -100
      ip daddr ${service} dnat to ${two}
    }
  }
  table ip6 track {
    chain watched {
      type filter hook output priority 0
      ct state new counter
    }
  }`;

describe("connections of an address", () => {
  const laboratory = new Laboratory("forget");
  let host: NetworkNamespace;
  beforeAll(() => {
    host = laboratory.namespace("h");
    host.run(() => {
      const { exitCode, stderr } = Bun.spawnSync(["nft", "-f", "-"], { stdin: Buffer.from(rules) });
      expect([exitCode, stderr.toString()]).toEqual([0, ""]);
    });
  });
  afterAll(() => laboratory.close());

  /** A datagram, to which nobody answers. */
  const send = (from: HostIp, to: HostIp, port: number): void =>
    host.run(() => {
      const family = typeof from === "number" ? udpByIpv4 : udpByIpv6;
      const socket = openSocket(family.domain, SOCK_DGRAM, 0, "sender");
      bindSocket(socket, socketAddress(family, from, port), "sender");
      connectSocket(socket, socketAddress(family, to, 53), "sender");
      sendOne(socket, Uint8Array.of(1), "sender");
      closeDescriptor(socket);
    });
  const forget = (address: HostIp): number => {
    using netlink = openNetfilter(host);
    return forgetConnections(netlink, address);
  };

  test("are forgotten whoever opened them, also when another address led there, and those of others stay", () => {
    const one = ip("127.0.0.1");
    send(one, ip(two), 4001);
    send(ip(two), one, 4002);
    send(one, ip(service), 4003);
    send(one, ip("127.0.0.3"), 4004);
    expect(forget(ip(two))).toBe(3);
    expect(forget(ip(two))).toBe(0);
    expect(forget(ip("127.0.0.3"))).toBe(1);
  });

  test("are forgotten of both families", () => {
    send("::1", "::1", 4005);
    expect(forget("::2")).toBe(0);
    expect(forget("::1")).toBe(1);
  });
});
