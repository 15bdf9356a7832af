import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import {
  isAddressToken,
  parseAddressToken,
  parseAddressTokens,
} from "../../lib/base/address-token.ts";
import { formatIpv4Cidr } from "../../lib/base/ip.ts";

describe("a word of a command line", () => {
  const addresses = [
    "10.2.1.1/24",
    "ip:10.2.1.1/24",
    "net:10.2.1.0/24",
    "net:default",
    "10.2/33",
    "fd00::1/64",
    "FD00::1/64",
    "ip:",
    "net:",
  ];
  test("with a prefix, or with the form of an address and a prefix length, means an address", () => {
    expect(addresses.filter((word) => !isAddressToken(word))).toEqual([]);
  });

  test("of any other form names a container", () => {
    const names = [
      "c1",
      "beef",
      "10.2.1.1",
      "fd00::1",
      "a/b",
      "web/24",
      "10.2.1.1/x",
      "netns:a",
      "",
    ];
    expect(names.filter(isAddressToken)).toEqual([]);
  });

  test("that can be read as an address is always meant as one", () => {
    const octet = fc.nat(255);
    const cidr = fc
      .tuple(octet, octet, octet, octet, fc.nat(32))
      .map(([a, b, c, d, prefix]) => `${a}.${b}.${c}.${d}/${prefix}`);
    fc.assert(
      fc.property(cidr, fc.constantFrom("", "ip:"), (text, prefix) => {
        expect(isAddressToken(prefix + text)).toBe(true);
        const token = parseAddressToken(prefix + text);
        expect(token.kind === "address" && formatIpv4Cidr(token.cidr)).toBe(text);
      }),
      { seed: 1, numRuns: 300 },
    );
  });
});

describe("the addresses that a request names", () => {
  test("are single ones and subnets", () => {
    const shown = parseAddressTokens(["10.2.1.1/24", "net:10.2.1.0/24"]).map((token) =>
      token.kind === "subnet" ? token.text : formatIpv4Cidr(token.cidr),
    );
    expect(shown).toEqual(["10.2.1.1/24", "10.2.1.0/24"]);
  });

  test("are of the default subnet when there are none", () => {
    expect(parseAddressTokens([])).toEqual([{ kind: "subnet", text: "default" }]);
  });

  test("are refused when they are none", () => {
    for (const text of ["10.2.1.1", "ip:10.2.1.1", "fd00::1/64", "10.2/33", "c1", ""]) {
      expect(() => parseAddressToken(text)).toThrow("invalid");
    }
  });
});
