import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathsFrom } from "../../../lib/daemon/paths.ts";
import { agentSettings, type Environment } from "../../../lib/kubernetes/agent/agent-settings.ts";
import { peerCache, prepareAgent } from "../../../lib/kubernetes/agent/prepare.ts";
import { PeerList, peerListPlace } from "../../../lib/kubernetes/peer-list.ts";
import { SimWorld } from "../../../lib/simulator/world.ts";
import { VirtualClock } from "../../sim/virtual-clock.ts";
import { FakeCluster, someNode } from "../fake-cluster.ts";
import { MemoryApi } from "../memory-api.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "weave-prepare-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

// Of a network that is on no machine.
const range = "198.19.0.0/16";

function prepared(environment: Environment) {
  const world = new SimWorld(new VirtualClock(), 1);
  const cluster = new FakeCluster();
  for (const number of [1, 2, 3]) {
    cluster.apply(someNode(`n${number}`, { InternalIP: `198.18.77.${number}` }));
  }
  const api = new MemoryApi(cluster);
  const state = { DB_PREFIX: join(folder, "weave-net"), HOST_ROOT: folder };
  const given = { HOSTNAME: "n1", IPALLOC_RANGE: range, ...state, ...environment };
  const settings = agentSettings(given);
  const paths = pathsFrom({ WEAVE_STATE_DIR: settings.stateDir, WEAVE_RUN_DIR: folder });
  const { signal } = new AbortController();
  const facts = () => prepareAgent(settings, { world, paths, api }, signal);
  return { api, cluster, paths, facts };
}

/** Left by a router of Weave Net 2.x that was in the list of its cluster. */
const sample = new URL("../../vectors/ipam/persistence-sample-data.db", import.meta.url).pathname;
const samplePeer = "7a:9f:eb:b6:0c:6e";

describe("a node that had a router of Weave Net 2.x", () => {
  async function start(listed: string | undefined): Promise<string> {
    copyFileSync(sample, join(folder, "weave-netdata.db"));
    const { cluster, facts } = prepared({});
    if (listed !== undefined) {
      const list = new PeerList({}).withPeer({ peerName: listed, nodeName: "n1" });
      const metadata = { ...peerListPlace, annotations: { ...list.annotations } };
      cluster.apply({ kind: "ConfigMap", metadata });
    }
    return (await facts()).peerName;
  }

  test("goes on as its peer while that is in the list, or when there is no list any more", async () => {
    expect(await start(samplePeer)).toBe(samplePeer);
    expect(await start(undefined)).toBe(samplePeer);
  });

  test("is another peer when the list has it no more", async () => {
    expect(await start("9a:00:00:00:00:01")).not.toBe(samplePeer);
  });
});

describe("the router of a node", () => {
  test("is told the other nodes, and how many there are", async () => {
    const { facts, paths } = prepared({});
    const addresses = ["198.18.77.2", "198.18.77.3"];
    expect(await facts()).toMatchObject({ peers: addresses, nodes: 3 });
    expect(peerCache(paths).read()).toEqual({ addresses, count: 3 });
  });

  test("is told the peers that were given, and asks for no nodes then", async () => {
    const { api, facts } = prepared({ KUBE_PEERS: "198.18.77.8 127.0.0.1" });
    // One of them is this host.
    expect(await facts()).toMatchObject({ peers: ["198.18.77.8", "127.0.0.1"], nodes: 2 });
    expect(api.calls).toEqual([]);
  });
});
