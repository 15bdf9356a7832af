import { expect, test } from "bun:test";
import { parseCidr, parseIp } from "../../../lib/base/ip.ts";
import { discrepancies } from "../../../lib/daemon/cni/discrepancies.ts";
import type { GuestState } from "../../../lib/host/guest-interface.ts";

const wanted = {
  ...{ interface: "eth0", bridge: "weave", mtu: 1376, hairpin: true },
  cidrs: ["10.32.0.2/12"],
  routes: [
    { dst: "10.32.0.0/12" },
    { dst: "0.0.0.0/0", gw: "10.32.0.1" },
    { dst: "10.9.0.0/16", gw: "10.32.0.3" },
  ],
};

const route = (destination: string | undefined, gateway?: string) => ({
  destination: destination === undefined ? undefined : parseCidr(destination),
  gateway: gateway === undefined ? undefined : parseIp(gateway),
  interfaceIndex: 2,
});

const sound: GuestState = {
  ...{ up: true, mtu: 1376, port: { bridge: "weave", hairpin: true } },
  addresses: [parseCidr("10.32.0.2/12")],
  routes: [route("10.32.0.0/12"), route(undefined, "10.32.0.1"), route("10.9.0.0/16", "10.32.0.3")],
};

const { port: _, ...unplugged } = sound;

const cases: readonly (readonly [string, GuestState | undefined, readonly string[]])[] = [
  ["that is as it was made", sound, []],
  ["that is gone", undefined, ["there is no interface eth0"]],
  ["that is down", { ...sound, up: false }, ["eth0 is down"]],
  ["whose port was taken off the bridge", unplugged, ["eth0 does not lead to bridge weave"]],
  [
    "of another bridge",
    { ...sound, port: { bridge: "br0", hairpin: false } },
    ["eth0 does not lead to bridge weave"],
  ],
  [
    "without hairpin mode",
    { ...sound, port: { bridge: "weave", hairpin: false } },
    ["hairpin mode is off"],
  ],
  ["of another size", { ...sound, mtu: 1500 }, ["the MTU is 1500, not 1376"]],
  [
    "whose address has another prefix",
    { ...sound, addresses: [parseCidr("10.32.0.2/16")] },
    ["eth0 has no address 10.32.0.2/12"],
  ],
  [
    "whose routes lead elsewhere",
    { ...sound, routes: [route(undefined, "10.32.0.9"), route("10.9.0.0/16")] },
    [
      "there is no route to 10.32.0.0/12",
      "there is no route to 0.0.0.0/0 via 10.32.0.1",
      "there is no route to 10.9.0.0/16 via 10.32.0.3",
    ],
  ],
];

for (const [what, found, sentences] of cases) {
  test(`an interface ${what} is told as such`, () => {
    expect(discrepancies(wanted, found)).toEqual([...sentences]);
  });
}
