import { afterEach, describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { parseIpv4 } from "../../lib/base/ip.ts";
import { sceneFolder } from "../../lib/cli/demo/scene.ts";
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
      .filter((name) => name.startsWith("weave-demo-")),
    folder: existsSync(sceneFolder),
  };
}

afterEach(() => strikeStage());

describe("the stage of the demonstration", () => {
  test("joins two hosts by a cable, and goes without a trace", async () => {
    const before = machine();
    buildStage();
    expect(machine().namespaces).toEqual([
      "weave-demo-client",
      "weave-demo-db",
      "weave-demo-host1",
      "weave-demo-host2",
      "weave-demo-web",
    ]);
    const answered = inNamespace("weave-demo-host2", () => {
      using ping = new Ping(parseIpv4("192.168.48.11"));
      return ping.roundTripMs(2000);
    });
    expect(answered).toBeGreaterThan(0);
    await strikeStage();
    expect(machine()).toEqual(before);
  });

  test("is there once: a second demonstration is told how to remove the first", () => {
    buildStage();
    expect(buildStage).toThrow("another demonstration is there");
  });

  test("can be struck when there is none", async () => {
    await strikeStage();
    expect(machine().folder).toBe(false);
  });
});
