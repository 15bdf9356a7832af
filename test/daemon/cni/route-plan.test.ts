import { describe, expect, test } from "bun:test";
import { formatCidr, formatIp, parseCidr } from "../../../lib/base/ip.ts";
import {
  type AskedRoutes,
  needsBridgeAddress,
  planRoutes,
} from "../../../lib/daemon/cni/route-plan.ts";

const bridge = ["10.32.0.1/12", "10.50.0.1/16", "fd00::1/64"];

function planned(cidr: string, asked: AskedRoutes, addresses: readonly string[] = bridge) {
  const { gateway, routes } = planRoutes(parseCidr(cidr), asked, addresses.map(parseCidr));
  return [
    gateway === undefined ? "" : formatIp(gateway),
    ...routes.map(({ destination, gateway: by }) =>
      [formatCidr(destination), ...(by === undefined ? [] : ["via", formatIp(by)])].join(" "),
    ),
  ];
}

describe("a container's routes", () => {
  test("lead everywhere by the bridge, at its address in the same subnet", () => {
    expect(planned("10.32.0.2/12", {})).toEqual(["10.32.0.1", "0.0.0.0/0 via 10.32.0.1"]);
    expect(planned("10.50.0.2/16", {})).toEqual(["10.50.0.1", "0.0.0.0/0 via 10.50.0.1"]);
    expect(planned("fd00::2/64", {})).toEqual(["fd00::1", "::/0 via fd00::1"]);
  });

  test("make a gateway of another subnet known first", () => {
    const far = ["10.32.0.1", "10.32.0.1/32", "0.0.0.0/0 via 10.32.0.1"];
    expect(planned("10.60.0.2/16", {})).toEqual(far);
    expect(planned("10.60.0.2/16", { gateway: "10.32.0.1" }, [])).toEqual(far);
  });

  test("are those listed, each by its own gateway or by the network's", () => {
    const routes = [{ dst: "192.168.0.0/16" }, { dst: "10.8.9.1/8", gw: "10.32.0.9" }];
    expect(planned("10.32.0.2/12", { routes, gateway: "10.32.0.5" })).toEqual([
      "10.32.0.5",
      "192.168.0.0/16 via 10.32.0.5",
      "10.0.0.0/8 via 10.32.0.9",
    ]);
  });

  test("to the container's own subnet are on the link", () => {
    expect(planned("10.32.0.2/12", { routes: [{ dst: "10.32.0.0/12" }] })).toEqual([
      "",
      "10.32.0.0/12",
    ]);
    const everywhere = { routes: [{ dst: "0.0.0.0/0" }] };
    expect(planned("10.32.0.2/12", everywhere)).toEqual(["10.32.0.1", "0.0.0.0/0 via 10.32.0.1"]);
    expect(planned("10.32.0.2/12", everywhere, [])).toEqual(["", "0.0.0.0/0"]);
  });

  test("are none when the list is empty, or when nothing leads away", () => {
    expect(planned("10.32.0.2/12", { routes: [] })).toEqual([""]);
    expect(planned("10.32.0.2/12", {}, ["fd00::1/64"])).toEqual([""]);
  });

  test("need an address of the bridge only when nothing is said of them", () => {
    expect(needsBridgeAddress({})).toBe(true);
    expect(needsBridgeAddress({ gateway: "10.32.0.1" })).toBe(false);
    expect(needsBridgeAddress({ routes: [] })).toBe(false);
  });

  test("that are none are refused", () => {
    for (const asked of [
      { gateway: "10.32" },
      { routes: [{ dst: "10.32.0.0" }] },
      { routes: [{ dst: "10.32.0.0/8", gw: "here" }] },
    ]) {
      expect(() => planned("10.32.0.2/12", asked)).toThrow();
    }
  });
});
