import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import {
  cidrContains,
  formatIp,
  type IpAddress,
  parseCidr,
  parseIp,
} from "../../../lib/base/ip.ts";
import { type AddressRange, rangesWithout } from "../../../lib/host/policy/block-ranges.ts";

function texts(block: string, ...except: readonly string[]): string[] {
  return rangesWithout(parseCidr(block), except.map(parseCidr)).map(
    ({ first, last }) => `${formatIp(first)} ${formatIp(last)}`,
  );
}

describe("what is left of a block", () => {
  test("is all of it when nothing is taken, and nothing when all is", () => {
    expect(texts("10.32.0.0/16")).toEqual(["10.32.0.0 10.32.255.255"]);
    expect(texts("10.32.0.0/16", "10.0.0.0/8")).toEqual([]);
    expect(texts("0.0.0.0/0", "0.0.0.0/0")).toEqual([]);
  });

  test("has no gap where exceptions touch or overlap, and none outside", () => {
    const taken = ["10.0.1.0/24", "10.0.2.0/24", "10.0.0.0/22", "10.0.2.128/25", "192.168.0.0/16"];
    expect(texts("10.0.0.0/20", ...taken)).toEqual(["10.0.4.0 10.0.15.255"]);
  });

  test("reaches the ends of both families", () => {
    const ends = ["0.0.0.0/32", "255.255.255.255/32", "fd00::/8"];
    expect(texts("0.0.0.0/0", ...ends)).toEqual(["0.0.0.1 255.255.255.254"]);
    expect(texts("::/0", "8000::/1", "10.0.0.0/8")).toEqual([`:: 7${"fff:f".repeat(7)}fff`]);
  });

  test("is that and nothing else for any exceptions", () => {
    const address = fc.nat(255).map((last) => parseIp(`10.0.0.${last}`));
    const cidr = fc
      .tuple(address, fc.integer({ min: 22, max: 32 }))
      .map(([ip, prefix]) => ({ address: ip, prefix }));
    fc.assert(
      fc.property(cidr, fc.array(cidr, { maxLength: 5 }), address, (block, except, ip) => {
        const ranges = rangesWithout(block, except);
        const isLeft = cidrContains(block, ip) && !except.some((each) => cidrContains(each, ip));
        expect(ranges.filter((range) => isIn(range, ip))).toHaveLength(isLeft ? 1 : 0);
      }),
      { seed: 1, numRuns: 2000 },
    );
  });
});

function isIn({ first, last }: AddressRange, { value }: IpAddress): boolean {
  return value >= first.value && value <= last.value;
}
