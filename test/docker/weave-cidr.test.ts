import { describe, expect, test } from "bun:test";
import { weaveCidrDecision } from "../../lib/docker/weave-cidr.ts";

function decide(networkMode: string, env: readonly string[], byDefault = true) {
  return weaveCidrDecision({ networkMode, env }, { byDefault });
}

/** Whatever the container asks for. */
const asked = ["PATH=/bin", "WEAVE_CIDR=10.2.1.1/24"];

describe("a container is left alone", () => {
  for (const [mode, reason] of [
    ["host", "has the network of its host"],
    ["container:abc", "has the network of another container"],
    ["backend", "is on the network backend"],
    ["weave", "is on the network weave"],
    ["Bridge", "is on the network Bridge"],
  ] as const) {
    test(`with network mode ${mode}, though it asks for an address`, () => {
      expect(decide(mode, asked)).toEqual({ attach: false, reason });
    });
  }

  test("when it asks for that", () => {
    const left = { attach: false, reason: "has WEAVE_CIDR=none" } as const;
    expect(decide("", ["WEAVE_CIDR=none"])).toEqual(left);
    expect(decide("bridge", ["A=1", "WEAVE_CIDR=none", "WEAVE_CIDR=10.2.1.1/24"])).toEqual(left);
  });

  test("when it asks for nothing and only those that ask are attached", () => {
    const left = {
      attach: false,
      reason: "has no WEAVE_CIDR, and --no-default-ipalloc was given",
    } as const;
    expect(decide("default", ["WEAVE_CIDRS=10.2.1.1/24", "MY_WEAVE_CIDR=none"], false)).toEqual(
      left,
    );
    expect(decide("", ["WEAVE_CIDR"], false)).toEqual(left);
  });
});

describe("a container is attached", () => {
  for (const mode of ["", "none", "default", "bridge"]) {
    test(`with network mode "${mode}", by default to the default subnet`, () => {
      expect(decide(mode, [])).toEqual({ attach: true, addresses: [] });
    });

    test(`with network mode "${mode}", with the addresses that it asks for`, () => {
      expect(decide(mode, asked, false)).toEqual({ attach: true, addresses: ["10.2.1.1/24"] });
    });
  }

  test("with several addresses, of which words may be apart by any white space", () => {
    const env = ["WEAVE_CIDR= net:default\tip:10.2.1.1/24 \n net:10.3.0.0/24 "];
    expect(decide("", env)).toEqual({
      attach: true,
      addresses: ["net:default", "ip:10.2.1.1/24", "net:10.3.0.0/24"],
    });
  });

  test("to the default subnet for an empty value, though only those that ask are attached", () => {
    expect(decide("", ["WEAVE_CIDR="], false)).toEqual({ attach: true, addresses: [] });
    expect(decide("", ["WEAVE_CIDR=  "], false)).toEqual({ attach: true, addresses: [] });
  });

  test("by the first of several values", () => {
    const env = ["WEAVE_CIDR=10.2.1.1/24", "WEAVE_CIDR=none"];
    expect(decide("", env)).toEqual({ attach: true, addresses: ["10.2.1.1/24"] });
  });

  test("when the word none is only one of several, which is then no address", () => {
    expect(decide("", ["WEAVE_CIDR=none 10.2.1.1/24"])).toEqual({
      attach: true,
      addresses: ["none", "10.2.1.1/24"],
    });
  });
});
