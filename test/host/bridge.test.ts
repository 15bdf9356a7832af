import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { formatPeerName, parsePeerName } from "../../lib/base/peer-name.ts";
import { attachContainer } from "../../lib/host/attach.ts";
import { capturedMtu, prepareBridge, removeBridge } from "../../lib/host/bridge.ts";
import { defaultDeviceNames as names } from "../../lib/host/device-names.ts";
import {
  activeOffloads,
  describedOffloads,
  describedUdpOffload,
  keepOffloads,
} from "../../lib/host/interface-offloads.ts";
import type { Netlink } from "../../lib/host/netlink/conversation.ts";
import {
  changeLink,
  createBridge,
  createVeth,
  deleteLink,
  findLink,
  listLinks,
} from "../../lib/host/netlink/link.ts";
import { openRoute } from "../../lib/host/netlink/open.ts";
import type { NetworkNamespace } from "../../lib/host/netns.ts";
import { sysctl } from "../../lib/host/sysctl.ts";
import { awaitOperational, cidrs, deliver, Laboratory, recordingLog } from "./laboratory.ts";

const peer = parsePeerName("8a:3e:3e:3e:3e:3e");

describe("the bridge", () => {
  const laboratory = new Laboratory("bridge");
  let host: NetworkNamespace;
  let netlink: Netlink;

  beforeAll(() => {
    host = laboratory.namespace("h");
    netlink = openRoute(host);
  });
  afterEach(() => {
    removeBridge(netlink, names);
  });
  afterAll(() => {
    netlink.close();
    laboratory.close();
  });

  const prepare = (mtu = capturedMtu) =>
    host.run(() => prepareBridge(netlink, { names, peer, mtu }));
  const link = (name: string) => findLink(netlink, { name })!;

  test("is made with the peer's name as MAC, the MTU, and the tap as its port", () => {
    const { bridge, capture, mended } = prepare();
    expect(mended.slice(0, 2)).toEqual(["made bridge weave", "made vethwe-bridge and vethwe-pcap"]);
    expect(bridge).toMatchObject({ mac: formatPeerName(peer), mtu: 65535, up: true });
    expect(capture).toMatchObject({ name: "vethwe-pcap", mtu: 65535, up: true });
    expect(link("vethwe-bridge")).toMatchObject({
      master: bridge.index,
      mtu: 65535,
      up: true,
      hairpin: false,
    });
    host.run(() => {
      for (const name of ["weave", "vethwe-bridge", "vethwe-pcap"]) {
        expect(sysctl(`ipv6/conf/${name}/accept_ra`)).toBe(0);
      }
      expect(sysctl("ipv4/neigh/weave/base_reachable_time_ms")).toBe(5000);
      expect(sysctl("ipv4/neigh/weave/delay_first_probe_time")).toBe(2);
      expect(sysctl("ipv4/neigh/weave/ucast_solicit")).toBe(1);
    });
  });

  test("that stands is left alone", () => {
    const first = prepare(1376);
    for (const name of [names.bridge, names.capture]) awaitOperational(netlink, name);
    const settled = { bridge: link(names.bridge), capture: link(names.capture), mended: [] };
    expect(prepare(1376)).toEqual(settled);
    expect([settled.bridge.index, settled.capture.index]).toEqual([
      first.bridge.index,
      first.capture.index,
    ]);
  });

  test("is mended whatever part of it is missing or changed", () => {
    const damages: [string, () => void][] = [
      ["bridge deleted", () => deleteLink(netlink, link("weave").index)],
      ["tap deleted", () => deleteLink(netlink, link("vethwe-pcap").index)],
      [
        "both deleted",
        () => {
          deleteLink(netlink, link("weave").index);
          deleteLink(netlink, link("vethwe-bridge").index);
        },
      ],
      ["bridge down", () => changeLink(netlink, link("weave").index, { up: false })],
      ["tap down", () => changeLink(netlink, link("vethwe-bridge").index, { up: false })],
      ["tap unplugged", () => changeLink(netlink, link("vethwe-bridge").index, { master: 0 })],
      ["MTU changed", () => changeLink(netlink, link("weave").index, { mtu: 1400 })],
      [
        "MAC changed",
        () => changeLink(netlink, link("weave").index, { mac: Uint8Array.of(2, 0, 0, 0, 0, 1) }),
      ],
      ["hairpin on", () => changeLink(netlink, link("vethwe-bridge").index, { hairpin: true })],
    ];
    for (const [what, damage] of damages) {
      prepare();
      damage();
      const { bridge, capture, mended } = prepare();
      expect([what, mended.length > 0]).toEqual([what, true]);
      expect(bridge).toMatchObject({ mac: formatPeerName(peer), mtu: 65535, up: true });
      const tap = link("vethwe-bridge");
      expect(tap).toMatchObject({ master: bridge.index, peer: capture.index, up: true });
      expect([tap.hairpin, capture.up]).toEqual([false, true]);
      expect(prepare().mended).toEqual([]);
    }
  });

  test("takes its containers back after it was deleted under them", () => {
    prepare();
    const ends = ["c1", "c2"].map((short) => laboratory.namespace(short));
    const log = recordingLog();
    host.run(() => {
      ends.forEach((namespace, index) => {
        const target = { ident: `c${index}`, namespace, bridgeName: "weave", log };
        const addresses = cidrs(`10.32.0.${index + 1}/12`);
        attachContainer(target, { addresses, multicastRoute: false });
      });
    });
    deleteLink(netlink, link("weave").index);
    const { mended } = prepare();
    expect(mended.filter((line) => line.startsWith("plugged vethwepl"))).toHaveLength(2);
    expect(deliver(ends[0]!, ends[1]!, "10.32.0.2")).toBe("10.32.0.1");
  });

  test("does not take the place of somebody else's interface", () => {
    createVeth(netlink, { name: "weave" }, { name: "other" });
    expect(() => prepare()).toThrow(
      expect.objectContaining({
        code: "BRIDGE_TAKEN",
        message: "interface weave exists and is no bridge (veth)",
      }),
    );
    deleteLink(netlink, link("weave").index);
  });

  test("goes with everything of ours and nothing else", () => {
    createBridge(netlink, { name: "br0" });
    createVeth(netlink, { name: "vethother", master: link("br0").index }, { name: "vethpeer" });
    createVeth(netlink, { name: "vethweplforeig", master: link("br0").index }, { name: "inside" });
    prepare();
    createVeth(netlink, { name: "vethweplours", master: link("weave").index }, { name: "guest" });
    expect(removeBridge(netlink, names).sort()).toEqual([
      "vethwe-bridge",
      "vethwe-pcap",
      "vethweplours",
      "weave",
    ]);
    const left = listLinks(netlink).map(({ name }) => name);
    expect(left.sort()).toEqual(["br0", "inside", "lo", "vethother", "vethpeer", "vethweplforeig"]);
    expect(removeBridge(netlink, names)).toEqual([]);
    for (const name of ["br0", "vethother", "inside"]) deleteLink(netlink, link(name).index);
  });

  test("can be named otherwise", () => {
    const other = { bridge: "wv1", tap: "wv1-bridge", capture: "wv1-pcap", datapath: "wv1-dp" };
    const { bridge } = host.run(() => prepareBridge(netlink, { names: other, peer, mtu: 1500 }));
    expect(bridge).toMatchObject({ name: "wv1", mtu: 1500 });
    expect(removeBridge(netlink, other).sort()).toEqual(["wv1", "wv1-bridge", "wv1-pcap"]);
  });

  test("leaves to its router only what the router can finish, and containers all of theirs", () => {
    prepare();
    host.run(() => {
      const kept = new Set([...describedOffloads, describedUdpOffload]);
      const left = activeOffloads("vethwe-bridge");
      expect(left).toContain("tx-tcp-segmentation");
      expect(left.filter((name) => !kept.has(name))).toEqual([]);
      expect(activeOffloads("weave")).toContain("tx-checksum-ip-generic");
      expect(activeOffloads("vethwe-pcap")).toContain("tx-sctp-segmentation");
    });
  });

  test("keeps an offload off that somebody has switched off", () => {
    prepare();
    host.run(() => keepOffloads("vethwe-bridge", []));
    expect(prepare().mended).toEqual([]);
    expect(host.run(() => activeOffloads("vethwe-bridge"))).toEqual([]);
  });

  test("needs an interface to switch its offloads off", () => {
    expect(() => host.run(() => keepOffloads("nosuch", []))).toThrow(
      expect.objectContaining({ code: "SYS_ENODEV" }),
    );
  });
});
