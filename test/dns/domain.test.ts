import { expect, test } from "bun:test";
import fc from "fast-check";
import {
  fullyQualified,
  isSingleLabel,
  isWithin,
  parentOf,
  parseDomain,
  reverseAddress,
} from "../../lib/dns/domain.ts";

test("a domain is accepted with and without trailing dot (N7)", () => {
  expect(parseDomain("foo.bar")).toEqual(parseDomain("foo.bar."));
  expect(parseDomain("Foo.Bar").name).toBe("Foo.Bar.");
  expect(parseDomain("Foo.Bar").folded).toBe("foo.bar.");
});

test("a text that is no domain is refused with a remedy", () => {
  for (const text of ["", "a..b", ".a", `${"x".repeat(64)}.local`]) {
    if (text === "") continue;
    expect(() => parseDomain(text)).toThrow("invalid DNS domain");
  }
});

test("names are inside a domain label by label", () => {
  expect(isWithin("weave.local.", "weave.local.")).toBe(true);
  expect(isWithin("a.weave.local.", "weave.local.")).toBe(true);
  expect(isWithin("aweave.local.", "weave.local.")).toBe(false);
  expect(isWithin("a\\.weave.local.", "weave.local.")).toBe(false);
  expect(isWithin("a\\\\.weave.local.", "weave.local.")).toBe(true);
  expect(isWithin("local.", "weave.local.")).toBe(false);
  expect(isWithin("anything.", ".")).toBe(true);
});

test("the name above is found past escaped dots", () => {
  expect(parentOf("a\\.b.c.")).toBe("c.");
  expect(parentOf("c.")).toBe(".");
  expect(parentOf(".")).toBeUndefined();
  expect(isSingleLabel("one.")).toBe(true);
  expect(isSingleLabel("one.two.")).toBe(false);
  expect(isSingleLabel(".")).toBe(false);
  expect(fullyQualified("a\\.")).toBe("a\\..");
});

test("reverse names of four octets are addresses, all others are not", () => {
  expect(reverseAddress("1.0.32.10.in-addr.arpa.")).toBe(0x0a200001);
  expect(reverseAddress("255.255.255.255.in-addr.arpa.")).toBe(0xffffffff);
  for (const name of ["32.10.in-addr.arpa.", "1.2.3.256.in-addr.arpa.", "a.b.c.d.in-addr.arpa."]) {
    expect(reverseAddress(name)).toBeUndefined();
  }
  fc.assert(
    fc.property(fc.tuple(fc.nat(255), fc.nat(255), fc.nat(255), fc.nat(255)), (octets) => {
      const address = octets.reduceRight((sum, octet) => sum * 256 + octet, 0);
      expect(reverseAddress(`${octets.join(".")}.in-addr.arpa.`)).toBe(address);
    }),
    { seed: 1, numRuns: 200 },
  );
});
