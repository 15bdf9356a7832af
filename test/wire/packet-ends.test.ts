import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { concatBytes, fromHex } from "../../lib/base/bytes.ts";
import { packetEnds } from "../../lib/wire/packet-ends.ts";

/** 10.32.0.1 to 10.32.0.2 of this protocol, with this field of flags and fragment offset. */
function ipv4(protocol: number, rest: string, flags = "4000", words = 5): Uint8Array {
  const options = "01".repeat((words - 5) * 4);
  const number = protocol.toString(16).padStart(2, "0");
  return fromHex(
    `4${words}000000 0001${flags} 40${number}0000 0a200001 0a200002`.replaceAll(" ", "") +
      options +
      rest,
  );
}

const addresses6 = `${"fd32".padEnd(31, "0")}1${"fd32".padEnd(31, "0")}2`;

/** fd32::1 to fd32::2 with these headers behind the first. */
function ipv6(nextHeader: number, ...rest: readonly string[]): Uint8Array {
  const number = nextHeader.toString(16).padStart(2, "0");
  return concatBytes(fromHex(`600000000000${number}40${addresses6}`), fromHex(rest.join("")));
}

const between4 = { source: "10.32.0.1", destination: "10.32.0.2" };
const between6 = { source: "fd32::1", destination: "fd32::2" };
const ports = { ports: { source: 40000, destination: 80 } };
const octets = "9c400050";

describe("who sends a packet to whom", () => {
  test("is said with ports of TCP, UDP and SCTP, and of nothing else", () => {
    for (const protocol of [6, 17, 132]) {
      expect(packetEnds(ipv4(protocol, octets))).toEqual({ protocol, ...between4, ...ports });
      expect(packetEnds(ipv6(protocol, octets))).toEqual({ protocol, ...between6, ...ports });
    }
    expect(packetEnds(ipv4(1, octets))).toEqual({ protocol: 1, ...between4 });
    expect(packetEnds(ipv6(58, octets))).toEqual({ protocol: 58, ...between6 });
  });

  test("is found behind options and extension headers", () => {
    expect(packetEnds(ipv4(6, octets, "4000", 7))).toMatchObject(ports);
    const hopByHop = "2b00000000000000";
    const routing = "2c01000000000000".padEnd(32, "0");
    const firstFragment = "0600000100000000";
    const found = packetEnds(ipv6(0, hopByHop, routing, firstFragment, octets));
    expect(found).toEqual({ protocol: 6, ...between6, ...ports });
  });

  test("is said without ports of later fragments and of packets that are cut", () => {
    expect(packetEnds(ipv4(6, octets, "2001"))).toEqual({ protocol: 6, ...between4 });
    expect(packetEnds(ipv4(6, octets.slice(0, 6)))).toEqual({ protocol: 6, ...between4 });
    expect(packetEnds(ipv6(44, "0600000900000000", octets))).toEqual({ protocol: 6, ...between6 });
    expect(packetEnds(ipv6(0, "0600"))).toEqual({ protocol: 0, ...between6 });
  });

  test("is not said of octets that are no packet, and none does harm", () => {
    expect(packetEnds(new Uint8Array(0))).toBeUndefined();
    expect(packetEnds(fromHex("45000000"))).toBeUndefined();
    expect(packetEnds(ipv6(6).subarray(0, 39))).toBeUndefined();
    expect(packetEnds(new Uint8Array(60))).toBeUndefined();
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 128 }), (bytes) => void packetEnds(bytes)),
      { seed: 1, numRuns: 5000 },
    );
  });
});
