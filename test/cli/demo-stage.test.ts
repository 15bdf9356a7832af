import { afterEach, describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { parseIpv4 } from "../../lib/base/ip.ts";
import { makeScene } from "../../lib/cli/demo/scene.ts";
import { buildStage, inNamespace, strikeStage } from "../../lib/cli/demo/stage.ts";
import { listLinks } from "../../lib/host/netlink/link.ts";
import { openRoute } from "../../lib/host/netlink/open.ts";
import { namedNamespaces } from "../../lib/host/netns.ts";
import { Ping } from "../../lib/host/ping.ts";

function machine() {
  using netlink = openRoute();
  return {
    links: listLinks(netlink)
      .map((link) => link.name)
      .filter((name) => !name.startsWith("veth"))
      .sort(),
    namespaces: namedNamespaces()
      .map((namespace) => namespace.name)
      .filter((name) => name.startsWith("wc-stage-")),
    folder: existsSync(scene.folder),
  };
}

/** Of the tests alone: a demonstration that somebody looks at stays. */
const scene = makeScene("wc-stage");
afterEach(() => strikeStage(scene));

describe("the stage of the demonstration", () => {
  test("joins two hosts by a cable, and goes without a trace", async () => {
    const before = machine();
    buildStage(scene);
    expect(machine().namespaces).toEqual([
      "wc-stage-client",
      "wc-stage-db",
      "wc-stage-host1",
      "wc-stage-host2",
      "wc-stage-web",
    ]);
    const answered = inNamespace("wc-stage-host2", () => {
      using ping = new Ping(parseIpv4("192.168.48.11"));
      return ping.roundTripMs(2000);
    });
    expect(answered).toBeGreaterThan(0);
    await strikeStage(scene);
    expect(machine()).toEqual(before);
  });

  test("is there once: a second demonstration is told how to remove the first", () => {
    buildStage(scene);
    expect(() => buildStage(scene)).toThrow("another demonstration is there");
  });

  test("can be struck when there is none", async () => {
    await strikeStage(scene);
    expect(machine().folder).toBe(false);
  });
});
