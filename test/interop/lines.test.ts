import { describe, expect, test } from "bun:test";
import { Lab } from "../hosts/lab.ts";
import { eventually } from "../hosts/shell.ts";
import { hear, transfer } from "../hosts/traffic.ts";
import { referenceBinary } from "./reference-router.ts";
import {
  complaints,
  disposeAll,
  established,
  type Kind,
  owners,
  type Router,
  routerOn,
  told,
} from "./routers.ts";

/** A line of three hosts whose ends have no path to each other but over the one between. */
class Line implements AsyncDisposable {
  readonly lab: Lab;
  readonly routers: readonly Router[];

  private constructor(lab: Lab, kinds: readonly Kind[], fastdp: boolean) {
    this.lab = lab;
    for (const host of lab.hosts) host.fastdp = fastdp;
    this.routers = lab.hosts.map((host, index) => routerOn(host, kinds[index]!));
  }

  /**
   * @param middleFlags options of the one between, instead of those of the ends
   * @param fastdp whether ours may have a datapath in the kernel
   */
  static async up(
    kinds: readonly Kind[],
    { middleFlags, fastdp = false }: { middleFlags?: readonly string[]; fastdp?: boolean } = {},
  ): Promise<Line> {
    const line = new Line(await Lab.inLine("xl", 3), kinds, fastdp);
    try {
      const [left, middle, right] = line.routers as [Router, Router, Router];
      const flags = ["--no-discovery", "--ipalloc-init", `seed=${left.host.peerName}`];
      await middle.start({ flags: middleFlags ?? flags });
      await left.start({ flags, peers: ["192.168.1.2"] });
      await right.start({ flags, peers: ["192.168.2.1"] });
      await established(middle, 2);
    } catch (error) {
      await line[Symbol.asyncDispose]();
      throw error;
    }
    return line;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await disposeAll([...this.routers, this.lab]);
  }
}

async function addName(router: Router, name: string, address: string): Promise<void> {
  await told(router, "PUT", `/name/weave:extern/${address}?fqdn=${name}.weave.local`);
}

async function finds(router: Router, name: string, address: string): Promise<void> {
  await eventually(
    `${name} at ${router.kind} ${router.host.number}`,
    () => router.lookup(name),
    (addresses) => addresses.join() === address,
  );
}

type Attached = Awaited<ReturnType<Router["container"]>>;

/** A container on either, between which frames of every kind have crossed. */
async function talking(left: Router, right: Router): Promise<[Attached, Attached]> {
  const a = await left.container("ca");
  const c = await right.container("cc");
  expect(a.ip).not.toBe(c.ip);
  await a.container.pings(c.ip);
  await c.container.pings(a.ip);
  const { sent, received } = await transfer(a.container, c.container, c.ip, 200_000);
  expect(received).toBe(sent);
  expect(await hear(a.container, c.container, "10.47.255.255")).toContain("hello");
  expect(await hear(c.container, a.container, "224.1.2.3", "224.1.2.3")).toContain("hello");
  return [a, c];
}

const kinds: readonly Kind[] = ["ours", "original"];
const mixedLines = kinds
  .flatMap((left) => kinds.flatMap((middle) => kinds.map((right) => [left, middle, right])))
  .filter((line) => new Set(line).size === 2);

if (referenceBinary === undefined) {
  test("mixed lines need a router of the original", () => {
    console.log("no router to run beside: set WEAVE_REFERENCE_ROUTER=/path/to/weaver");
  });
} else {
  describe("the ends of a mixed line", () => {
    for (const line of mixedLines) {
      test(`${line.join(" – ")}: share topology, addresses, names and frames`, async () => {
        await using up = await Line.up(line);
        const [left, middle, right] = up.routers as [Router, Router, Router];
        const [a, c] = await talking(left, right);
        await addName(left, "left", a.ip);
        await addName(right, "right", c.ip);
        await finds(right, "left", a.ip);
        await finds(left, "right", c.ip);
        expect(await owners(left)).toEqual([left.host.peerName, right.host.peerName]);
        for (const other of [middle, right])
          expect(await owners(other)).toEqual(await owners(left));
        for (const router of up.routers.filter(({ kind }) => kind === "original")) {
          expect(await complaints(router)).toEqual([]);
        }
      });
    }
  });

  describe("a mixed line in which ours have a datapath in the kernel", () => {
    for (const line of mixedLines) {
      test(`${line.join(" – ")}: carries frames of every kind and size, each once`, async () => {
        await using up = await Line.up(line, { fastdp: true });
        const [left, middle, right] = up.routers as [Router, Router, Router];
        const [a, c] = await talking(left, right);
        const b = await middle.container("cb");
        for (const [from, to] of [
          [a, b],
          [b, a],
          [b, c],
          [c, b],
        ] as const) {
          await from.container.pings(to.ip);
        }
        for (const [from, to] of [
          [a, c],
          [c, a],
        ] as const) {
          // The first one may only find out what the way carries.
          await eventually(
            `a large ping from ${from.ip}`,
            () => from.container.exec(["ping", "-c", "1", "-W", "2", "-s", "5000", to.ip]),
            ({ code }) => code === 0,
          );
          const pings = await from.container.exec(["ping", "-c", "20", "-i", "0.05", to.ip]);
          // An original in the middle may lose one while the machine is busy.
          expect(pings.stdout).toMatch(/ (19|20) received/);
          expect(pings.stdout).not.toContain("DUP!");
        }
        for (const router of up.routers.filter(({ kind }) => kind === "original")) {
          expect(await complaints(router)).toEqual([]);
        }
      });
    }
  });

  describe("two originals", () => {
    test("share addresses and names over one of ours that has neither", async () => {
      const neither = ["--no-discovery", "--ipalloc-range", "", "--no-dns"];
      await using up = await Line.up(["original", "ours", "original"], { middleFlags: neither });
      const [left, middle, right] = up.routers as [Router, Router, Router];
      // The right one has no space of its own: it asks the left one, peer to peer.
      const a = await left.container("ca");
      const c = await right.container("cc");
      expect(a.ip).not.toBe(c.ip);
      await a.container.pings(c.ip);
      await addName(left, "left", a.ip);
      await finds(right, "left", a.ip);
      expect(await owners(right)).toEqual([left.host.peerName, right.host.peerName]);
      expect(await owners(middle)).toEqual([]);
      for (const router of [left, right]) expect(await complaints(router)).toEqual([]);
    });
  });
}
