import { afterEach, describe, expect, mock, test } from "bun:test";
import { parseIpv4Cidr } from "../../lib/base/ip.ts";
import { randomBelow, seededRandom } from "../../lib/base/random.ts";
import * as electorate from "../../lib/ipam/electorate.ts";
import { SimCluster } from "./cluster.ts";

/**
 * The first peer of a cluster was told of nobody, and all others of the first. Everybody is connected
 * when all want their first address within a few milliseconds.
 */
const path = "../../lib/ipam/electorate.ts";
const real = { ...electorate };
const subnet = parseIpv4Cidr("10.32.0.0/16");
const withinMs = 30;

afterEach(() => {
  mock.module(path, () => real);
});

/** Whether all have an address, none twice, and agree on who owns what. */
async function isOneCluster(seed: number, size: number): Promise<boolean> {
  const cluster = new SimCluster(seed);
  const random = seededRandom(seed);
  const first = cluster.start(1, []);
  for (let number = 2; number <= size; number++) cluster.start(number, [first.ip]);
  await cluster.runUntil("everybody is connected", () => cluster.isFullMesh(), 30_000);
  for (const peer of cluster.peers) {
    cluster.clock.after(randomBelow(random, withinMs), () => {
      const allocator = cluster.allocatorOf(peer);
      allocator.allocate("first", subnet, { isContainer: false }).catch(() => {});
    });
  }
  // Two ticks: whoever was outbid proposes again by then.
  await cluster.run(12_000);
  const served = cluster.peers.every((peer) => cluster.allocatorOf(peer).list().length === 1);
  const agreed = new Set(cluster.rings()).size === 1;
  const whole = served && agreed && cluster.doublyHeld().length === 0;
  for (const { number } of cluster.peers) cluster.stop(number);
  return whole;
}

async function divided(seeds: number, size: number): Promise<number[]> {
  const found: number[] = [];
  for (let seed = 1; seed <= seeds; seed++) {
    if (!(await isOneCluster(seed, size))) found.push(seed);
  }
  return found;
}

describe("peers that all want their first address at once", () => {
  test.each([3, 5, 8])("make one ring, %i of them", async (size) => {
    expect(await divided(25, size)).toEqual([]);
  });

  test("make one ring where those who were told of the first count that alone", async () => {
    mock.module(path, () => ({
      ...real,
      Electorate: class extends real.Electorate {
        #configured = 0;

        override called(configured: number, atMs: number): void {
          this.#configured = configured;
          super.called(configured, atMs);
        }

        override size(...args: Parameters<electorate.Electorate["size"]>): number {
          return this.#configured > 1 ? this.#configured : super.size(...args);
        }
      },
    }));
    expect(await divided(25, 3)).toEqual([]);
  });
});

describe("a mistake in whom peers count is found:", () => {
  test("only those that they were told of", async () => {
    mock.module(path, () => ({
      ...real,
      Electorate: class extends real.Electorate {
        #configured = 0;

        override called(configured: number): void {
          this.#configured = configured;
        }

        override size(): number {
          return this.#configured;
        }
      },
    }));
    expect(await divided(25, 5)).not.toEqual([]);
  });
});
