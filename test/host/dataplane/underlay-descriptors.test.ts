import { afterAll, describe, expect, test } from "bun:test";
import { closeDescriptor } from "../../../ffi/descriptor.ts";
import { SystemError } from "../../../ffi/system-error.ts";
import { WeaveError } from "../../../lib/base/errors.ts";
import { type HostIp, parseIpv4 } from "../../../lib/base/ip.ts";
import { openUnderlay } from "../../../lib/host/dataplane/underlay-descriptors.ts";
import { openUdpSocket, UdpSocket } from "../../../lib/host/udp-socket.ts";
import { Laboratory } from "../laboratory.ts";

const bufferBytes = 1 << 16;

describe("the sockets by which a host is reached", () => {
  const laboratory = new Laboratory("under");
  const host = laboratory.namespace("h");
  afterAll(() => laboratory.close());

  /** Family and port of each, closing them. */
  function opened(...given: Parameters<typeof openUnderlay>) {
    const { descriptors, withoutIpv6 } = host.run(() => openUnderlay(...given));
    const sockets = descriptors.map((descriptor) => new UdpSocket(descriptor));
    const found = sockets.map(({ family, port }) => `${family} ${port}`);
    for (const socket of sockets) socket.close();
    return { found, withoutIpv6 };
  }

  test("are one a family where every address counts, at one port", () => {
    expect(opened({ host: 0, port: 6783, bufferBytes }).found).toEqual(["4 6783", "6 6783"]);
    const [v4, v6] = opened({ host: 0, port: 0, bufferBytes }).found;
    expect(v6).toBe(v4!.replace("4 ", "6 "));
  });

  test("are that of the address where there is one", () => {
    const ofHost = (address: HostIp) => opened({ host: address, port: 6783, bufferBytes }).found;
    expect(ofHost(parseIpv4("127.0.0.1"))).toEqual(["4 6783"]);
    expect(ofHost("::1")).toEqual(["6 6783"]);
  });

  test("of an earlier process are completed by the one of which that did not know", () => {
    const former = () => [host.run(() => openUdpSocket(0, 6783, bufferBytes))];
    const given = { host: 0, port: 6783, bufferBytes };
    expect(opened({ ...given, inherited: former() }).found).toEqual(["4 6783", "6 6783"]);
    const both = [...former(), host.run(() => openUdpSocket("::", 6783, bufferBytes))];
    expect(opened({ ...given, inherited: both }).found).toEqual(["4 6783", "6 6783"]);
    const one = { ...given, host: parseIpv4("127.0.0.1"), inherited: former() };
    expect(opened(one).found).toEqual(["4 6783"]);
  });

  /** As by a kernel that answers a socket of IPv6 so. */
  const answering = (errno: number) => (address: HostIp, port: number, bytes: number) => {
    if (typeof address === "number") return openUdpSocket(address, port, bytes);
    const cause = new SystemError({ call: "socket", errno, about: "for UDP" });
    throw new WeaveError("UDP_BIND", "cannot use UDP", { cause });
  };
  const [EADDRINUSE, EAFNOSUPPORT] = [98, 97];

  test("are those of IPv4 on a kernel without IPv6, with what it says", () => {
    const { found, withoutIpv6 } = opened(
      { host: 0, port: 6783, bufferBytes },
      answering(EAFNOSUPPORT),
    );
    expect(found).toEqual(["4 6783"]);
    expect(withoutIpv6).toContain("EAFNOSUPPORT");
  });

  test("are none where the port of one family is taken", () => {
    const options = { host: 0, port: 6783, bufferBytes };
    expect(() => host.run(() => openUnderlay(options, answering(EADDRINUSE)))).toThrow("UDP");
    const taken = host.run(() => openUdpSocket("::", 6783, bufferBytes));
    expect(() => host.run(() => openUnderlay(options))).toThrow("cannot use UDP [::]:6783");
    closeDescriptor(taken);
    expect(opened(options).found).toHaveLength(2);
  });
});
