import { afterAll, describe, expect, test } from "bun:test";
import { parseCidr, tryParseIpv4 } from "../../lib/base/ip.ts";
import { addAddress } from "../../lib/host/netlink/address.ts";
import { changeLink, createVeth, findLink } from "../../lib/host/netlink/link.ts";
import { openRoute } from "../../lib/host/netlink/open.ts";
import { widestUnderlay } from "../../lib/host/underlay-mtu.ts";
import { Laboratory } from "./laboratory.ts";

describe("the underlay of a host", () => {
  const laboratory = new Laboratory("underlay");
  const netlink = openRoute(laboratory.namespace("h"));
  afterAll(() => {
    netlink.close();
    laboratory.close();
  });

  function device(name: string, mtu: number, cidr?: string): number {
    createVeth(netlink, { name, mtu }, { name: `${name}-far`, mtu });
    const { index } = findLink(netlink, { name })!;
    changeLink(netlink, index, { up: true });
    if (cidr !== undefined) addAddress(netlink, index, parseCidr(cidr));
    return index;
  }

  const underlay = (address?: string, others: readonly string[] = ["weave"]) =>
    widestUnderlay(netlink, address === undefined ? undefined : tryParseIpv4(address), others);

  test("is nothing where there is only the loopback", () => {
    const { index } = findLink(netlink, { name: "lo" })!;
    changeLink(netlink, index, { up: true });
    expect(underlay()).toBeUndefined();
  });

  test("is the widest interface that leads anywhere, or the one of the address in use", () => {
    device("eth0", 1500, "192.168.1.1/24");
    device("eth1", 9000, "192.168.2.1/24");
    device("weave", 65_000, "10.32.0.1/12");
    device("silent", 60_000);
    device("six", 60_000, "fd00::1/64");
    changeLink(netlink, device("down", 60_000, "192.168.3.1/24"), { up: false });
    expect(underlay()).toMatchObject({ name: "eth1", mtu: 9000 });
    expect(underlay("192.168.1.1")).toMatchObject({ name: "eth0", mtu: 1500 });
    expect(underlay("192.168.9.9")).toBeUndefined();
    expect(underlay(undefined, ["weave", "eth1"])).toMatchObject({ name: "eth0" });
  });
});
