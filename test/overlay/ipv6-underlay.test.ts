import { expect, test } from "bun:test";
import { silentLog } from "../../lib/base/world.ts";
import { OverlayChooser } from "../../lib/overlay/chooser.ts";
import { SleeveOverlay } from "../../lib/overlay/sleeve/overlay.ts";
import type { SleeveEvents, SleeveLinkParameters } from "../../lib/overlay/sleeve/ports.ts";
import { MeshCluster, type MeshPeerOptions } from "../sim/mesh-peer.ts";

/** Peers with sleeve, whose engines take every link for established and remember what it is. */
function cluster(addresses: (n: number) => string): {
  readonly peers: MeshCluster;
  readonly links: SleeveLinkParameters[];
  start(n: number, targets: readonly string[], options?: MeshPeerOptions): void;
} {
  const peers = new MeshCluster(1, {}, addresses);
  const links: SleeveLinkParameters[] = [];
  const connect = (events: SleeveEvents) => ({
    prepare: (_: number, parameters: SleeveLinkParameters) => void links.push(parameters),
    confirm: (link: number) => events.established(link),
    control() {},
    renew() {},
    limit() {},
    narrow() {},
    stop() {},
    traffic: () => undefined,
  });
  const start = (n: number, targets: readonly string[], options: MeshPeerOptions = {}): void => {
    const engines = [new SleeveOverlay(connect, { secretBox: "", aead: undefined })];
    const realOverlay = new OverlayChooser({ engines, log: silentLog });
    peers.start(n, targets, { ...options, realOverlay });
  };
  return { peers, links, start };
}

test("peers that reach each other over IPv6 alone carry frames between their IPv6 addresses", () => {
  const { peers, links, start } = cluster((n) => `fd00::${n}`);
  start(1, []);
  start(2, ["fd00::1"]);
  peers.clock.run(20_000);
  expect(peers.peer(2).mesh.status().connections).toMatchObject([
    { address: "[fd00::1]:6783", state: "established", attributes: { name: "sleeve" } },
  ]);
  expect(links.map(({ localIp, remoteIp }) => [localIp, remoteIp]).sort()).toEqual([
    ["fd00::1", "fd00::2"],
    ["fd00::2", "fd00::1"],
  ]);
});

test("a peer that has IPv4 alone, as the original, is given up at once, and it is said why", () => {
  const { peers, links, start } = cluster((n) => `fd00::${n}`);
  start(1, [], { extensions: [] });
  start(2, ["fd00::1"]);
  peers.clock.run(500);
  const [target] = peers.peer(2).mesh.status().connections;
  expect(target).toMatchObject({ state: "failed", error: { code: "OVERLAY_NONE_WORKING" } });
  expect(target!.info).toContain("sleeve of this peer needs an IPv4 underlay, not fd00::1");
  expect(target!.error!.remedy).toContain("IPv4 addresses");
  expect(links).toEqual([]);
});

test("peers that reach each other by addresses of one link are told why no frames flow", () => {
  const { peers, start } = cluster((n) => `fe80::${n}`);
  start(1, []);
  start(2, ["fe80::1"]);
  peers.clock.run(20_000);
  const [target] = peers.peer(2).mesh.status().connections;
  expect(target).toMatchObject({
    address: "[fe80::1]:6783",
    state: "failed",
    error: {
      code: "OVERLAY_NONE_WORKING",
      text: "no working forwarders to 01:00:00:01:00:00: sleeve cannot send to fe80::2, which is of one link",
    },
  });
  expect(target!.error!.remedy).toContain("not link-local");
});
