import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { parseCidr } from "../../lib/base/ip.ts";
import { parsePeerName } from "../../lib/base/peer-name.ts";
import { capturedMtu, prepareBridge } from "../../lib/host/bridge.ts";
import { BridgeKeeper } from "../../lib/host/bridge-keeper.ts";
import { defaultDeviceNames as names } from "../../lib/host/device-names.ts";
import { LinkWatch } from "../../lib/host/link-watch.ts";
import { addAddress } from "../../lib/host/netlink/address.ts";
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
  let mendings = 0;
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
        devices: () => [names.bridge, names.tap, names.capture],
        prepare: (netlink) => {
          const { capture, mended } = prepareBridge(netlink, settings);
          return { captureInterface: capture.index, mended };
        },
        captureInterface: capture.index,
        recapture: (index) => recaptured.push(index),
        mended: () => mendings++,
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
    mendings = 0;
    host.run(() => keeper.check());
    return { mendings, recaptured: [...recaptured] };
  };

  test("looks once a second and finds nothing to do", () => {
    expect(periodMs).toBe(1000);
    expect(check()).toEqual({ mendings: 0, recaptured: [] });
  });

  test("leaves other people's links alone", () => {
    createBridge(netlink, { name: "br0" });
    addAddress(netlink, link("br0")!.index, parseCidr("10.9.0.1/24"));
    expect(check().mendings).toBe(0);
    deleteLink(netlink, link("br0")!.index);
    expect(check().mendings).toBe(0);
  });

  test("changes nothing by looking, which it would take for a reason to look again", () => {
    const watch = host.run(() => new LinkWatch());
    changeLink(netlink, link(names.tap)!.index, { alias: "somebody's" });
    expect([...watch.changes()!]).toEqual([names.tap]);
    expect(check().mendings).toBe(0);
    expect(watch.changes()?.size).toBe(0);
    watch.close();
  });

  test("puts up a bridge that was put down, and switches hairpin off on the tap", () => {
    changeLink(netlink, link(names.bridge)!.index, { up: false });
    changeLink(netlink, link(names.tap)!.index, { hairpin: true });
    expect(check()).toEqual({ mendings: 1, recaptured: [] });
    expect(link(names.bridge)!.up).toBe(true);
    expect(link(names.tap)!.hairpin).toBe(false);
    expect(log.lines.join("\n")).toContain("switched off hairpin mode on vethwe-bridge");
    expect(check().mendings).toBe(0);
  });

  test("makes what was deleted anew and says where to capture now", () => {
    for (const name of [names.tap, names.bridge]) deleteLink(netlink, link(name)!.index);
    expect(check()).toEqual({ mendings: 1, recaptured: [link(names.capture)!.index] });
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
    expect(check().mendings).toBe(1);
    expect(link(names.bridge)!.kind).toBe("bridge");
  });
});

test("more changes than the kernel keeps are told as such, and later ones by name again", () => {
  const laboratory = new Laboratory("flood");
  const host = laboratory.namespace("h");
  using netlink = openRoute(host);
  const watch = host.run(() => new LinkWatch());
  createBridge(netlink, { name: "br0", up: true });
  const { index } = findLink(netlink, { name: "br0" })!;
  for (let round = 0; round < 2000; round++) changeLink(netlink, index, { alias: `${round}` });
  expect(watch.changes()).toBeUndefined();
  while (watch.changes()?.size !== 0);
  changeLink(netlink, index, { alias: "last" });
  expect([...(watch.changes() ?? [])]).toEqual(["br0"]);
  watch.close();
  laboratory.close();
});
