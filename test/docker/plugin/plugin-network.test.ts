import { describe, expect, test } from "bun:test";
import { parseIpv4Cidr } from "../../../lib/base/ip.ts";
import { createNetworkSchema, parseRequest } from "../../../lib/docker/plugin/messages.ts";
import { networkFrom, remarksOn } from "../../../lib/docker/plugin/plugin-network.ts";

const defaults = {
  ...{ driver: "weavemesh", multicast: false, addressSpace: "weavelocal" },
  defaultSubnet: parseIpv4Cidr("10.32.0.0/16"),
};

function remarks(
  subnet: string,
  options: Record<string, string> = {},
  AddressSpace = "weavelocal",
): string[] {
  const request = parseRequest(createNetworkSchema, {
    NetworkID: "ab".repeat(32),
    Options: { "com.docker.network.generic": options },
    IPv4Data: [{ AddressSpace, Pool: subnet, Gateway: subnet }],
    IPv6Data: null,
  });
  return remarksOn(request, networkFrom(request, defaults), defaults);
}

describe("whoever makes a network hears in the log", () => {
  test("nothing of one that is as it should be", () => {
    expect(remarks("10.40.0.0/16", { "works.weave.multicast": "true", "com.x": "y" })).toEqual([]);
    expect(remarks("10.32.0.0/16")).toEqual([]);
  });

  test("of an option that we do not have", () => {
    expect(remarks("10.40.0.0/16", { "works.weave.multicst": "true" })).toEqual([
      "option works.weave.multicst is not known",
    ]);
  });

  test("that addresses of Docker are not unique in the cluster", () => {
    expect(remarks("172.19.0.0/16", {}, "LocalDefault")).toEqual([
      "Docker chooses its addresses on each host by itself: give --ipam-driver weavemesh",
    ]);
  });

  test("that a subnet within the default subnet is not its own", () => {
    expect(remarks("10.32.7.0/24")).toEqual([
      "its subnet overlaps with the default subnet, in which others are",
    ]);
    expect(remarks("10.32.7.0/24", { "works.weave.isolated": "false" })).toEqual([]);
  });
});
