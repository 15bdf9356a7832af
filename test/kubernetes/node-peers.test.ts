import { describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseInitMode, quorumOf } from "../../lib/ipam/init-mode.ts";
import { findPeers } from "../../lib/kubernetes/find-peers.ts";
import { clusterPeers, ipallocInit, peerAddress } from "../../lib/kubernetes/node-peers.ts";
import { PeerCache } from "../../lib/kubernetes/peer-cache.ts";
import { nodes } from "../../lib/kubernetes/resources.ts";
import { loneWorld } from "../sim/world.ts";
import { FakeCluster, someNode } from "./fake-cluster.ts";
import { failureOf, MemoryApi } from "./memory-api.ts";

const nodeOf = (...addresses: [type: string, address: string][]) =>
  nodes.read({
    metadata: { name: "n1" },
    status: { addresses: addresses.map(([type, address]) => ({ type, address })) },
  });

const own = (nodeName: string, ...addresses: string[]) => ({
  nodeName,
  hasAddress: (address: string) => addresses.includes(address),
});

describe("the address of a node's router", () => {
  const cases: [string, [string, string][], string | undefined][] = [
    [
      "is the internal one",
      [
        ["InternalIP", "10.0.0.1"],
        ["ExternalIP", "192.0.2.1"],
      ],
      "10.0.0.1",
    ],
    [
      "is the last of several",
      [
        ["InternalIP", "10.0.0.1"],
        ["InternalIP", "10.0.0.2"],
      ],
      "10.0.0.2",
    ],
    [
      "is the external one where there is no other",
      [
        ["ExternalIP", "192.0.2.1"],
        ["Hostname", "n1"],
      ],
      "192.0.2.1",
    ],
    [
      "is none that cannot be read",
      [
        ["InternalIP", "10.0.0.1"],
        ["InternalIP", "10.0.0.256"],
      ],
      "10.0.0.1",
    ],
    [
      "is IPv4 where there are both, even an external one",
      [
        ["InternalIP", "fd00::1"],
        ["ExternalIP", "192.0.2.1"],
      ],
      "192.0.2.1",
    ],
    [
      "is IPv6 where there is nothing else",
      [
        ["InternalIP", "FD00:0::1"],
        ["Hostname", "n1"],
      ],
      "fd00::1",
    ],
    ["is missing where a node has none", [["Hostname", "n1"]], undefined],
  ];
  for (const [what, addresses, expected] of cases) {
    test(what, () => {
      expect(peerAddress(nodeOf(...addresses))).toBe(expected);
    });
  }
});

describe("the peers of a cluster", () => {
  const three = [
    someNode("n1", { InternalIP: "10.0.0.1", ExternalIP: "192.0.2.1" }),
    someNode("n2", { InternalIP: "10.0.0.2" }),
    someNode("n3", { InternalIP: "10.0.0.3" }),
  ].map(nodes.read);

  test("are all nodes but ours, which we know by its name or any of its addresses", () => {
    const expected = { addresses: ["10.0.0.2", "10.0.0.3"], count: 3 };
    expect(clusterPeers(three, own("n1"))).toEqual(expected);
    expect(clusterPeers(three, own("other-name", "10.0.0.1"))).toEqual(expected);
    expect(clusterPeers(three, own("other-name", "192.0.2.1"))).toEqual(expected);
  });

  test("count us before we are registered, and nodes that have no address yet", () => {
    expect(clusterPeers([...three, nodes.read(someNode("n4"))], own("n5"))).toEqual({
      ...{ addresses: ["10.0.0.1", "10.0.0.2", "10.0.0.3"], count: 5 },
    });
  });

  test("do not count machines that never have a router", () => {
    const windows = { "kubernetes.io/os": "windows" };
    const node = someNode("w1", { InternalIP: "10.0.0.9" });
    const others = [...three, nodes.read({ ...node, metadata: { name: "w1", labels: windows } })];
    expect(clusterPeers(others, own("n1")).count).toBe(3);
  });

  test("make a ring by a majority that no two parts of them have", () => {
    for (let count = 1; count <= 9; count++) {
      const quorum = quorumOf(parseInitMode(ipallocInit({ count })), 0);
      expect(2 * quorum).toBeGreaterThan(count);
      expect(quorum).toBeLessThanOrEqual(count);
    }
  });
});

describe("peers that are known from the last run", () => {
  const inFolder = async (body: (path: string) => unknown) => {
    const folder = mkdtempSync(join(tmpdir(), "kk-"));
    try {
      await body(join(folder, "state", "kubernetes-peers.json"));
    } finally {
      rmSync(folder, { recursive: true });
    }
  };

  test("are kept, and no damage of the file does harm", () =>
    inFolder((path) => {
      const cache = new PeerCache(path);
      expect(cache.read()).toBeUndefined();
      cache.write({ addresses: ["10.0.0.2", "fd00::2"], count: 3 });
      expect(new PeerCache(path).read()).toEqual({ addresses: ["10.0.0.2", "fd00::2"], count: 3 });
      const whole = readFileSync(path, "utf8");
      for (let cut = 0; cut < whole.length - 1; cut++) {
        writeFileSync(path, whole.slice(0, cut));
        expect(cache.read()).toBeUndefined();
      }
      writeFileSync(path, whole.replace('"version":1', '"version":2'));
      expect(cache.read()).toBeUndefined();
    }));

  /** Looks for peers while the server is as `before` has it. */
  async function find(path: string, before: () => void, known = true) {
    const { world, clock } = loneWorld();
    const cluster = new FakeCluster();
    for (const name of ["n1", "n2", "n3"]) {
      cluster.apply(someNode(name, { InternalIP: `10.0.0.${name.slice(1)}` }));
    }
    const api = new MemoryApi(cluster);
    api.before = before;
    const cache = new PeerCache(path);
    if (known) cache.write({ addresses: ["10.0.0.8"], count: 2 });
    let found: Awaited<ReturnType<typeof findPeers>> | undefined;
    const { signal } = new AbortController();
    findPeers({ world, api, cache, own: own("n1") }, signal).then((peers) => {
      found = peers;
    });
    while (found === undefined) {
      await new Promise((resolve) => setImmediate(resolve));
      clock.run(500);
    }
    return { found, tookMs: clock.nowMs, kept: cache.read() };
  }

  test("are not used while a server answers, which also may be late", () =>
    inFolder(async (path) => {
      let failures = 3;
      const { found, kept } = await find(path, () => {
        if (failures-- > 0) throw failureOf("K8S_UNREACHABLE");
      });
      expect(found).toEqual({ addresses: ["10.0.0.2", "10.0.0.3"], count: 3, source: "server" });
      expect(kept).toEqual({ addresses: ["10.0.0.2", "10.0.0.3"], count: 3 });
    }));

  test("need not be kept: what cannot be written does not keep a router from starting", () =>
    inFolder(async (path) => {
      const { found, kept } = await find(join(path, "..", "..", "."), () => undefined, false);
      expect([found.source, kept]).toEqual(["server", undefined]);
    }));

  test("are used when none does", () =>
    inFolder(async (path) => {
      const { found, tookMs } = await find(path, () => {
        throw failureOf("K8S_UNREACHABLE");
      });
      expect(found).toEqual({ addresses: ["10.0.0.8"], count: 2, source: "cache" });
      expect(tookMs).toBeLessThan(15_000);
    }));

  test("are missing the first time, which waits for the server", () =>
    inFolder(async (path) => {
      let failures = 12;
      const { found, tookMs } = await find(
        path,
        () => {
          if (failures-- > 0) throw failureOf("K8S_UNREACHABLE");
        },
        false,
      );
      expect(found.source).toBe("server");
      expect(tookMs).toBeGreaterThan(60_000);
    }));
});
