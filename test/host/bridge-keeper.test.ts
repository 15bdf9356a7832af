import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { parseCidr } from "../../lib/base/ip.ts";
import { parsePeerName } from "../../lib/base/peer-name.ts";
import { capturedMtu, prepareBridge } from "../../lib/host/bridge.ts";
import { BridgeKeeper } from "../../lib/host/bridge-keeper.ts";
import { defaultDeviceNames as names } from "../../lib/host/device-names.ts";
import { HostWatch } from "../../lib/host/host-watch.ts";
import { addAddress, deleteAddress } from "../../lib/host/netlink/address.ts";
import type { Netlink } from "../../lib/host/netlink/conversation.ts";
import {
  changeLink,
  createBridge,
  createVeth,
  deleteLink,
  findLink,
} from "../../lib/host/netlink/link.ts";
import { openRoute } from "../../lib/host/netlink/open.ts";
import { Laboratory, recordingLog } from "./laboratory.ts";

describe("the keeper of the bridge", () => {
  const laboratory = new Laboratory("keeper");
  const host = laboratory.namespace("h");
  const log = recordingLog();
  const recaptured: number[] = [];
  /** What is mended besides devices, once. */
  const rest: string[] = [];
  let periodMs = 0;
  let cancelled = false;
  let netlink: Netlink;
  let keeper: BridgeKeeper;

  beforeAll(() => {
    netlink = openRoute(host);
    keeper = host.run(() => {
      const settings = { names, peer: parsePeerName("::1"), mtu: capturedMtu };
      const { capture } = prepareBridge(netlink, settings);
      const world = {
        log,
        monotonicMs: () => 0,
        after: (delayMs: number) => {
          periodMs = delayMs;
          return () => {
            cancelled = true;
          };
        },
      };
      return new BridgeKeeper(world, {
        concerns: (name) => [names.bridge, names.tap, names.capture].includes(name),
        prepare: (netlink) => {
          const { capture, mended } = prepareBridge(netlink, settings);
          return { captureInterface: capture.index, mended };
        },
        captureInterface: capture.index,
        recapture: (index) => recaptured.push(index),
        mended() {},
        mendRest: () => rest.splice(0),
      });
    });
  });
  afterAll(() => {
    keeper.stop();
    expect(cancelled).toBe(true);
    netlink.close();
    laboratory.close();
  });

  const link = (name: string) => findLink(netlink, { name });
  const check = () => {
    log.lines.splice(0);
    recaptured.splice(0);
    host.run(() => keeper.check());
    const mended = log.lines.some((line) => line.endsWith("somebody had changed it"));
    return { mended, recaptured: [...recaptured] };
  };

  test("looks once a second and finds nothing to do", () => {
    expect(periodMs).toBe(1000);
    expect(check()).toEqual({ mended: false, recaptured: [] });
  });

  test("leaves other people's links alone", () => {
    createBridge(netlink, { name: "br0" });
    addAddress(netlink, link("br0")!.index, parseCidr("10.9.0.1/24"));
    expect(check().mended).toBe(false);
    deleteLink(netlink, link("br0")!.index);
    expect(check().mended).toBe(false);
  });

  test("changes nothing by looking, which it would take for a reason to look again", () => {
    const watch = host.run(() => new HostWatch());
    changeLink(netlink, link(names.tap)!.index, { alias: "somebody's" });
    expect([...watch.changes()!.links]).toEqual([names.tap]);
    expect(check().mended).toBe(false);
    expect(watch.changes()?.links.size).toBe(0);
    watch.close();
  });

  test("puts up a bridge that was put down, and switches hairpin off on the tap", () => {
    changeLink(netlink, link(names.bridge)!.index, { up: false });
    changeLink(netlink, link(names.tap)!.index, { hairpin: true });
    expect(check()).toEqual({ mended: true, recaptured: [] });
    expect(link(names.bridge)!.up).toBe(true);
    expect(link(names.tap)!.hairpin).toBe(false);
    expect(log.lines.join("\n")).toContain("switched off hairpin mode on vethwe-bridge");
    expect(check().mended).toBe(false);
  });

  test("looks at what is at the devices when an address is lost", () => {
    const { index } = link(names.bridge)!;
    const cidr = parseCidr("10.9.0.1/24");
    addAddress(netlink, index, cidr);
    expect(check().mended).toBe(false);
    rest.push("gave 10.9.0.1/24 back to weave");
    deleteAddress(netlink, index, cidr);
    expect(check().mended).toBe(true);
    expect(rest).toEqual([]);
  });

  test("looks every five times though nothing was told, for settings change silently", () => {
    rest.push("set something that nobody tells of");
    const checks = Array.from({ length: 5 }, () => check().mended);
    expect(checks.filter((mended) => mended)).toHaveLength(1);
  });

  test("makes what was deleted anew and says where to capture now", () => {
    for (const name of [names.tap, names.bridge]) deleteLink(netlink, link(name)!.index);
    expect(check()).toEqual({ mended: true, recaptured: [link(names.capture)!.index] });
    expect(link(names.tap)!.master).toBe(link(names.bridge)!.index);
  });

  test("goes on trying while something is in the way, and complains once", () => {
    deleteLink(netlink, link(names.bridge)!.index);
    createVeth(netlink, { name: names.bridge }, { name: "other" });
    check();
    expect(log.lines).toEqual([
      "error cannot mend the bridge: interface weave exists and is no bridge (veth)",
    ]);
    check();
    expect(log.lines).toEqual([]);
    deleteLink(netlink, link(names.bridge)!.index);
    expect(check().mended).toBe(true);
    expect(link(names.bridge)!.kind).toBe("bridge");
  });
});

test("more changes than the kernel keeps are told as such, and later ones by name again", () => {
  const laboratory = new Laboratory("flood");
  const host = laboratory.namespace("h");
  using netlink = openRoute(host);
  const watch = host.run(() => new HostWatch());
  createBridge(netlink, { name: "br0", up: true });
  const { index } = findLink(netlink, { name: "br0" })!;
  for (let round = 0; round < 2000; round++) changeLink(netlink, index, { alias: `${round}` });
  expect(watch.changes()).toBeUndefined();
  while (watch.changes()?.links.size !== 0);
  changeLink(netlink, index, { alias: "last" });
  expect([...(watch.changes()?.links ?? [])]).toEqual(["br0"]);
  watch.close();
  laboratory.close();
});
