import { expect, test } from "bun:test";
import { silentLog } from "../../lib/base/world.ts";
import { OverlayChooser } from "../../lib/overlay/chooser.ts";
import { SleeveOverlay } from "../../lib/overlay/sleeve/overlay.ts";
import { MeshCluster } from "../sim/mesh-peer.ts";

const commands = {
  prepare() {},
  confirm() {},
  control() {},
  renew() {},
  limit() {},
  narrow() {},
  stop() {},
};

test("peers that reach each other over IPv6 alone are told why no frames flow, and what to do", () => {
  const two = new MeshCluster(1, {}, (n) => `fd00::${n}`);
  for (const n of [1, 2]) {
    const engines = [new SleeveOverlay(() => commands, { secretBox: "", aead: undefined })];
    const chooser = new OverlayChooser({ engines, log: silentLog });
    two.start(n, n === 1 ? [] : ["fd00::1"]).overlay.prepare = chooser.prepare.bind(chooser);
  }
  two.clock.run(20_000);
  const [target] = two.peer(2).mesh.status().connections;
  expect(target).toMatchObject({
    address: "[fd00::1]:6783",
    state: "failed",
    error: {
      code: "OVERLAY_NONE_WORKING",
      text: "no working forwarders to 01:00:00:01:00:00: sleeve needs an IPv4 underlay, not fd00::2",
    },
  });
  expect(target!.error!.remedy).toContain("IPv4");
  expect(target!.info).toContain("sleeve needs an IPv4 underlay");
});
