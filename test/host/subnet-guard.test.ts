import { afterAll, describe, expect, test } from "bun:test";
import { loadProgram, testRunProgram } from "../../ffi/bpf/programs.ts";
import { closeDescriptor } from "../../ffi/descriptor.ts";
import { parseIpv4, parseIpv4Cidr } from "../../lib/base/ip.ts";
import { link } from "../../lib/host/bpf/assembler.ts";
import { assembleGuard, type GuardedDirection } from "../../lib/host/subnet-guard.ts";
import { etherType } from "../../lib/wire/ethernet.ts";

const programs: number[] = [];
afterAll(() => programs.forEach(closeDescriptor));

function guard(
  direction: GuardedDirection,
  subnet: string,
): (frame: DataView<ArrayBuffer>) => string {
  const program = loadProgram(
    "weave_test",
    link(assembleGuard(direction, parseIpv4Cidr(subnet)), {}),
    "Apache-2.0",
  );
  programs.push(program);
  return (frame) => {
    const { verdict } = testRunProgram(program, new Uint8Array(frame.buffer));
    return verdict === 2 ? "drop" : "pass";
  };
}

function frameOf(type: number): DataView<ArrayBuffer> {
  const frame = new DataView(new ArrayBuffer(60));
  frame.setUint16(12, type);
  return frame;
}

function ipv4(source: string, destination: string): DataView<ArrayBuffer> {
  const frame = frameOf(etherType.ipv4);
  frame.setUint32(26, parseIpv4(source));
  frame.setUint32(30, parseIpv4(destination));
  return frame;
}

function arp(sender: string, target: string): DataView<ArrayBuffer> {
  const frame = frameOf(etherType.arp);
  frame.setUint32(28, parseIpv4(sender));
  frame.setUint32(38, parseIpv4(target));
  return frame;
}

const [here, other, foreign] = ["10.50.0.2", "10.50.255.254", "10.51.0.1"];

describe("a port that is kept within its subnet", () => {
  const [from, to] = [guard("from", "10.50.0.0/16"), guard("to", "10.50.0.0/16")];

  test("lets neighbours of the subnet talk, in both directions", () => {
    for (const pass of [from, to]) {
      expect(pass(ipv4(here, other))).toBe("pass");
      expect(pass(arp(here, other))).toBe("pass");
    }
  });

  test("lets nothing in from another subnet, whatever it is sent to", () => {
    for (const target of [here, "224.0.0.251", "255.255.255.255"]) {
      expect(to(ipv4(foreign, target))).toBe("drop");
    }
    expect(to(arp(foreign, here))).toBe("drop");
    expect(to(arp(here, foreign))).toBe("drop");
  });

  test("lets nothing out to another subnet, nor under a foreign address", () => {
    expect(from(ipv4(here, foreign))).toBe("drop");
    expect(from(ipv4(foreign, here))).toBe("drop");
    expect(from(arp(here, foreign))).toBe("drop");
    expect(from(arp(foreign, here))).toBe("drop");
  });

  test("lets out what is for a group or for everybody", () => {
    for (const group of ["224.0.0.1", "239.255.255.250", "255.255.255.255"]) {
      expect(from(ipv4(here, group))).toBe("pass");
    }
    for (const none of ["223.255.255.255", "240.0.0.1", "255.255.255.254"]) {
      expect(from(ipv4(here, none))).toBe("drop");
    }
  });

  test("lets a probe ask whether an address is free, of the subnet alone", () => {
    expect(from(arp("0.0.0.0", other))).toBe("pass");
    expect(from(arp("0.0.0.0", foreign))).toBe("drop");
  });

  test("drops what has no IPv4 address, and what is cut short", () => {
    for (const pass of [from, to]) {
      expect(pass(frameOf(etherType.ipv6))).toBe("drop");
      expect(pass(frameOf(etherType.vlan))).toBe("drop");
      expect(pass(new DataView(arp(here, other).buffer.slice(0, 40)))).toBe("drop");
    }
  });

  test("has the size that its prefix says, up to half of all addresses and down to one", () => {
    const half = guard("to", "128.0.0.0/1");
    expect(half(ipv4("255.1.2.3", here))).toBe("pass");
    expect(half(ipv4("127.255.255.255", here))).toBe("drop");
    const one = guard("to", "10.50.0.2/32");
    expect(one(ipv4("10.50.0.2", here))).toBe("pass");
    expect(one(ipv4("10.50.0.3", here))).toBe("drop");
    expect(guard("to", "0.0.0.0/0")(ipv4(foreign, here))).toBe("pass");
  });
});
