import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PeerFollower } from "../../../lib/kubernetes/agent/peer-follower.ts";
import { PeerCache } from "../../../lib/kubernetes/peer-cache.ts";
import { someNode } from "../fake-cluster.ts";
import { FollowedNodes } from "./followed-nodes.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "weave-peers-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const node = (number: number) => someNode(`n${number}`, { InternalIP: `10.0.0.${number}` });

async function follow(known: readonly string[], { connects = true, others = [] as string[] } = {}) {
  const followed = new FollowedNodes();
  for (const number of [1, 2, 3]) followed.cluster.apply(node(number));
  const connected: string[] = [];
  const cache = new PeerCache(join(folder, "peers.json"));
  cache.write({ addresses: known, count: known.length + 1 });
  const follower = new PeerFollower({
    ...{ world: followed.world, nodes: followed.nodes, cache, connects },
    others,
    own: { nodeName: "n1", hasAddress: () => false },
    router: {
      async connect(addresses, { replace }) {
        connected.push(`${addresses.join(" ")}${replace ? ", no others" : ""}`);
      },
    },
  });
  followed.nodes.start();
  await followed.pass(2000);
  const stop = async (): Promise<void> => {
    follower.stop();
    await followed[Symbol.asyncDispose]();
  };
  return { followed, connected, cache, stop };
}

describe("the router of a node", () => {
  test("connects to nodes that come, and gives up those that are removed", async () => {
    const { followed, connected, cache, stop } = await follow(["10.0.0.2", "10.0.0.3"]);
    expect(connected).toEqual([]);
    followed.cluster.apply(node(4));
    await followed.pass(2000);
    expect(connected.splice(0)).toEqual(["10.0.0.2 10.0.0.3 10.0.0.4"]);
    followed.cluster.delete("nodes", "n2");
    followed.cluster.delete("nodes", "n3");
    await followed.pass(2000);
    expect(connected.splice(0)).toEqual(["10.0.0.4, no others"]);
    expect(cache.read()).toEqual({ addresses: ["10.0.0.4"], count: 2 });
    await stop();
  });

  test("is not disturbed by what else changes of nodes", async () => {
    const { followed, connected, stop } = await follow(["10.0.0.2", "10.0.0.3"]);
    followed.cluster.apply({ ...node(2), spec: { unschedulable: true } });
    await followed.pass(2000);
    expect(connected).toEqual([]);
    followed.cluster.apply(someNode("n2", { InternalIP: "10.0.1.2" }));
    await followed.pass(2000);
    expect(connected).toEqual(["10.0.0.3 10.0.1.2, no others"]);
    await stop();
  });

  test("that started from what was known before takes up what is so now", async () => {
    const { connected, stop } = await follow(["10.0.0.2", "10.0.0.9"]);
    expect(connected).toEqual(["10.0.0.2 10.0.0.3, no others"]);
    await stop();
  });

  test("keeps peers that are none of the nodes, whichever of those go", async () => {
    const known = ["10.0.0.2", "10.0.0.3"];
    const { followed, connected, stop } = await follow(known, { others: ["192.0.2.7"] });
    followed.cluster.delete("nodes", "n3");
    await followed.pass(2000);
    expect(connected).toEqual(["10.0.0.2 192.0.2.7, no others"]);
    await stop();
  });

  test("keeps to the peers that it was given, and remembers the nodes all the same", async () => {
    const { followed, connected, cache, stop } = await follow(["10.9.0.1"], { connects: false });
    followed.cluster.apply(node(4));
    await followed.pass(2000);
    expect(connected).toEqual([]);
    expect(cache.read()?.count).toBe(4);
    await stop();
  });
});
