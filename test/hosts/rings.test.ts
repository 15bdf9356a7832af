import { describe, expect, test } from "bun:test";
import { existsSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { type Host, Lab } from "./lab.ts";
import { eventually, must } from "./shell.ts";

/** Hosts that are given to a test and swept after it. */
async function withHosts(count: number, use: (...hosts: Host[]) => Promise<void>): Promise<void> {
  await using lab = await Lab.onSwitch("xr", count);
  await use(...lab.hosts);
}

/** A new container with an address of the allocator's. */
async function attached(host: Host, suffix: string): Promise<string> {
  const container = await host.container(suffix);
  return host.mustWeave(["attach", container.reference]);
}

/** For what waits for a quorum that comes in the end. */
const quorumMaxMs = 60_000;

/** A router that died with everything it had stored. */
async function loseState(host: Host): Promise<void> {
  await host.mustWeave(["stop"]);
  const folder = host.env.WEAVE_STATE_DIR!;
  if (!existsSync(folder)) return;
  for (const name of readdirSync(folder)) rmSync(join(folder, name), { recursive: true });
}

const owners = async (host: Host): Promise<string[]> =>
  (await host.mustWeave(["status", "ipam"])).split("\n").filter((line) => line !== "");

describe("the first ring of a cluster", () => {
  test("is made by the first request, and then serves both without a word", () =>
    withHosts(2, async (one, two) => {
      await one.launch([two.ip]);
      await two.launch([one.ip]);
      await one.established(1);
      await eventually(
        "no ring yet",
        () => owners(one),
        (lines) => !lines.join().includes("%"),
      );
      const first = await attached(one, "c1");
      await eventually(
        "two owners",
        () => owners(two),
        (lines) => lines.length === 2,
      );
      expect(await attached(two, "c2")).not.toBe(first);
    }));

  test("waits for its quorum; what needs no ring does not wait", () =>
    withHosts(3, async (one, observer, three) => {
      const quorum = ["--ipalloc-init", "consensus=2"];
      await one.launch(quorum);
      await observer.launch(["--ipalloc-init", "observer", one.ip]);
      await one.established(1);
      const container = await one.container("c1");
      const blocked = one.weave(["attach", container.reference], { waitMs: quorumMaxMs });
      for (const form of [["10.2.1.1/24"], ["ip:10.2.2.1/24"], ["net:10.32.3.0/24"], []]) {
        await one.mustWeave(["hide", ...form]);
        const other = await one.container(`d${form.join().replaceAll(/\W/g, "")}`.slice(0, 8));
        await one.mustWeave(["detach", ...form, other.reference]);
      }
      expect([...(await owners(observer)), ...(await owners(one))].join()).not.toContain("%");
      await three.launch([...quorum, one.ip]);
      expect((await blocked).code).toBe(0);
      await attached(observer, "c2");
    }));
});

describe("hosts with the same seeds", () => {
  test("allocate before they meet; one that takes another name forgets its ring", () =>
    withHosts(2, async (one, two) => {
      const seeds = ["--ipalloc-init", `seed=${one.peerName},${two.peerName}`];
      await one.launch(seeds);
      await two.launch(seeds);
      const [a, b] = [await attached(one, "c1"), await attached(two, "c2")];
      expect(a).not.toBe(b);
      await two.mustWeave(["stop"]);
      await two.mustWeave(["launch", "--no-fastdp", "--name", "00:00:00:00:00:09"]);
      expect((await owners(two)).join()).not.toContain("%");
    }));
});

describe("a running container", () => {
  test("keeps its address when all hosts lose their data, in either order of starting", () =>
    withHosts(2, async (one, two) => {
      await one.launch([two.ip]);
      await two.launch([one.ip]);
      await one.established(1);
      const kept = await one.container("kept");
      const ip = await one.mustWeave(["attach", kept.reference]);
      const outside = await one.container("outside");
      await one.mustWeave(["attach", "10.2.1.1/24", outside.reference]);
      for (const order of [
        [two, one],
        [one, two],
      ]) {
        for (const host of [one, two]) await loseState(host);
        for (const host of order) await host.launch([host === one ? two.ip : one.ip]);
        await one.established(1);
        const others = [
          await attached(two, `n${order.indexOf(one)}`),
          await attached(one, `m${order.indexOf(one)}`),
        ];
        expect(others).not.toContain(ip);
        expect(await one.mustWeave(["attach", kept.reference])).toBe(ip);
        expect(await one.mustWeave(["ps", outside.reference])).toEndWith(" 10.2.1.1/24");
      }
    }));
});

describe("a router that is started again", () => {
  test("gives no address twice, keeps the exposed one, and frees those of containers that went", () =>
    withHosts(1, async (host) => {
      await host.launch();
      const exposed = await host.mustWeave(["expose"]);
      const kept = await attached(host, "kept");
      const gone = await host.container("gone");
      const freed = await host.mustWeave(["attach", gone.reference]);
      await host.mustWeave(["stop"]);
      await must(["ip", "netns", "del", gone.namespace]);
      await host.launch();
      expect(await host.mustWeave(["ps", "weave:expose"])).toContain(exposed);
      let tries = 0;
      await eventually(
        "the address of the container that went",
        async () => {
          const next = await host.container(`n${tries++}`);
          return host.mustWeave(["attach", next.reference]);
        },
        (ip) => {
          expect([exposed, kept]).not.toContain(ip);
          return ip === freed;
        },
        40_000,
      );
    }));

  test("under another range or another name allocates at once", () =>
    withHosts(1, async (host) => {
      await host.launch(["--ipalloc-range", "10.2.0.0/16"]);
      expect(await attached(host, "c1")).toStartWith("10.2.");
      await host.mustWeave(["stop"]);
      await host.launch(["--ipalloc-range", "10.5.0.0/16"]);
      expect(await attached(host, "c2")).toStartWith("10.5.");
      await host.mustWeave(["stop"]);
      await host.mustWeave([
        "launch",
        "--no-fastdp",
        "--name",
        "00:00:00:00:00:09",
        "--ipalloc-range",
        "10.5.0.0/16",
      ]);
      expect(await attached(host, "c3")).toStartWith("10.5.");
    }));

  test("after a reset, one host after the other, leaves a cluster that allocates", () =>
    withHosts(2, async (one, two) => {
      await one.launch([two.ip]);
      await two.launch([one.ip]);
      await one.established(1);
      await attached(one, "c1");
      await attached(two, "c2");
      for (const [host, other] of [
        [one, two],
        [two, one],
      ] as const) {
        await host.mustWeave(["reset"]);
        await host.launch([other.ip]);
        await host.established(1);
      }
      await attached(one, "c3");
      await two.mustWeave(["stop"]);
      expect((await two.weave(["reset"])).code).toBe(1);
      await two.mustWeave(["reset", "--force"]);
    }));
});
