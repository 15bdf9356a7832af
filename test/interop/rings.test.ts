import { describe, expect, test } from "bun:test";
import { Lab } from "../hosts/lab.ts";
import { eventually } from "../hosts/shell.ts";
import { referenceBinary } from "./reference-router.ts";
import {
  ask,
  complaints,
  disposeAll,
  established,
  fullMesh,
  type Kind,
  owners,
  type Router,
  routerOn,
  told,
} from "./routers.ts";

/** Routers of the given kinds on one switch, not yet started. */
class Hosts implements AsyncDisposable {
  readonly lab: Lab;
  readonly routers: readonly Router[];

  private constructor(lab: Lab, kinds: readonly Kind[]) {
    this.lab = lab;
    this.routers = lab.hosts.map((host, index) => routerOn(host, kinds[index]!));
  }

  static async of(...kinds: Kind[]): Promise<Hosts> {
    return new Hosts(await Lab.onSwitch("xa", kinds.length), kinds);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await disposeAll([...this.routers, this.lab]);
  }
}

const seededBy = (...routers: Router[]): string[] => [
  "--ipalloc-init",
  `seed=${routers.map(({ host }) => host.peerName).join()}`,
];

let requests = 0;

/** An address for a new ident, from a ring that is there. */
async function allocate(router: Router, waitMs = 5_000): Promise<string> {
  const ident = `c${requests++}`;
  return eventually(
    `an address at ${router.kind} ${router.host.number}`,
    async () => (await ask(router, "POST", `/ip/${ident}`)).text.trim(),
    (answer) => /^\d+\.\d+\.\d+\.\d+\/\d+$/.test(answer),
    waitMs,
  );
}

if (referenceBinary === undefined) {
  test("mixed rings need a router of the original", () => {
    console.log("no router to run beside: set WEAVE_REFERENCE_ROUTER=/path/to/weaver");
  });
} else {
  describe("an original and one of ours", () => {
    test("with the same seeds allocate apart before they meet, and agree afterwards", async () => {
      await using hosts = await Hosts.of("original", "ours");
      const [theirs, ours] = hosts.routers as [Router, Router];
      const flags = seededBy(theirs, ours);
      await theirs.start({ flags });
      await ours.start({ flags });
      const [a, b] = [await theirs.container("ca"), await ours.container("cb")];
      expect(a.ip).not.toBe(b.ip);
      await told(ours, "POST", "/connect", `peer=${theirs.host.ip}`);
      await established(ours, 1);
      await a.container.pings(b.ip);
      expect(await owners(ours)).toEqual(await owners(theirs));
      expect(await complaints(theirs)).toEqual([]);
    });

    test("of other seeds refuse each other, say why, and keep allocating", async () => {
      await using hosts = await Hosts.of("original", "ours", "ours");
      const [alone, other, between] = hosts.routers as [Router, Router, Router];
      await alone.start({ flags: seededBy(alone) });
      await other.start({ flags: seededBy(other) });
      await between.start({ flags: seededBy(other), peers: [other.host.ip] });
      await established(between, 1);
      await allocate(alone);
      await allocate(other);
      await allocate(between);
      await told(between, "POST", "/connect", `peer=${alone.host.ip}`);
      for (const router of [alone, between]) {
        await eventually(
          `the reason at ${router.kind}`,
          () => router.log(),
          (log) => log.includes("IP allocation was seeded by different peers"),
        );
      }
      await allocate(between);
      await allocate(alone);
      await established(between, 1);
    });
  });

  describe("a running container of ours", () => {
    test("keeps its address when the original that has all space knows nothing of it", async () => {
      await using hosts = await Hosts.of("original", "ours");
      const [theirs, ours] = hosts.routers as [Router, Router];
      const flags = seededBy(theirs);
      await theirs.start({ flags });
      await ours.start({ flags, peers: [theirs.host.ip] });
      await established(ours, 1);
      const kept = await ours.container("ck");
      for (const router of [ours, theirs]) {
        await router.stop("SIGTERM");
        router.wipe();
      }
      await theirs.start({ flags });
      await allocate(theirs);
      await ours.start({ flags, peers: [theirs.host.ip] });
      await established(ours, 1);
      const ipOfKept = async () =>
        ours.host.mustWeave(["attach", kept.container.reference], { waitMs: 10_000 });
      expect(await ipOfKept()).toBe(kept.ip);
      const others = [await allocate(theirs), await allocate(ours), await allocate(theirs)];
      expect(others.map((cidr) => cidr.split("/")[0]!)).not.toContain(kept.ip);
      expect(await complaints(theirs)).toEqual([]);
    });
  });

  describe("the ranges of a killed peer", () => {
    for (const kinds of [
      ["original", "ours", "original"],
      ["ours", "original", "ours"],
      ["original", "original", "ours"],
    ] as const) {
      test(`${kinds[0]}: are taken over by ${kinds[1]}, and serve ${kinds[2]}`, async () => {
        await using hosts = await Hosts.of(...kinds);
        const [gone, taker, third] = hosts.routers as [Router, Router, Router];
        const flags = seededBy(gone);
        const peers = hosts.lab.hosts.map(({ ip }) => ip);
        for (const router of hosts.routers) await router.start({ flags, peers });
        await fullMesh(hosts.routers);
        await allocate(gone);
        await eventually(
          "the ring at all peers",
          () => Promise.all(hosts.routers.map(owners)),
          (all) => all.every((list) => list.join() === gone.host.peerName),
        );
        await gone.stop("SIGKILL");
        for (const router of [taker, third]) await established(router, 1, 70_000);
        // Ours refuses while the peer may be about to return.
        const answer = await eventually(
          "the ranges of the dead",
          () => ask(taker, "DELETE", `/peer/${gone.host.peerName}`),
          ({ ok }) => ok,
          40_000,
        );
        expect(answer.text.trim()).toBe(`1048576 IPs taken over from ${gone.host.peerName}`);
        const addresses = [await allocate(taker), await allocate(third)];
        expect(new Set(addresses).size).toBe(2);
      });
    }
  });
}
