import { afterAll, beforeAll, expect, test } from "bun:test";
import { randomBelow, randomUnit, seededRandom } from "../../lib/base/random.ts";
import { eventually } from "../hosts/shell.ts";
import type { EngineHost } from "./engine-host.ts";
import { EngineLab } from "./engine-lab.ts";
import { addressesHeld, addressesInside, commandRuns, startAttached } from "./waiting-container.ts";

/** More with `WEAVE_STARTS`, for whoever has the time. */
const starts = Number(process.env.WEAVE_STARTS ?? 16);
const runningMax = 24;
/** A start takes about half a second, and so does a router. */
const killWithinS = 1;

const options = ["--ipalloc-range", "10.32.0.0/16", "--proxy=false"];

let lab: EngineLab;
beforeAll(async () => {
  lab = await EngineLab.start("dkil", { engine: ["20.10", "28"] });
  await Promise.all(lab.hosts.map((host) => host.launch(options)));
});
afterAll(() => lab?.[Symbol.asyncDispose]());

/** Starts containers, and ends the router now and then meanwhile. */
async function startAmidKills(
  host: EngineHost,
  seed: number,
): Promise<{ kills: number; names: string[] }> {
  const random = seededRandom(seed);
  const names: string[] = [];
  let kills = 0;
  const killAfter = async (seconds: number): Promise<void> => {
    await host.exec(["sleep", seconds.toFixed(3)]);
    await host.killRouter();
    kills++;
    await host.launch(["--resume", ...options]);
  };
  for (let number = 0; number < starts; number++) {
    const name = `c${number}`;
    const [moment, isKilled] = [randomUnit(random) * killWithinS, randomBelow(random, 3) === 0];
    await Promise.all([
      startAttached(host, ["--name", name, "--restart=always"]),
      isKilled && killAfter(moment),
    ]);
    names.push(name);
    if (names.length > runningMax) await host.mustDocker(["rm", "-f", names.shift()!]);
  }
  return { kills, names };
}

test(
  "containers that start while routers are killed are all attached, with an address each",
  async () => {
    await Promise.all(
      lab.hosts.map(async (host) => {
        const before = await addressesHeld(host);
        const { kills, names } = await startAmidKills(host, host.number);
        expect(kills).toBeGreaterThan(0);
        for (const name of names) await commandRuns(host, name, 60_000);
        const addresses: string[] = [];
        for (const name of names) addresses.push(...(await addressesInside(host, name)));
        expect(addresses).toHaveLength(names.length);
        expect(new Set(addresses).size).toBe(names.length);
        expect(await host.mustWeave(["status"])).not.toMatch(/NotAttached|Waiting:/);
        await host.mustDocker(["rm", "-f", ...names]);
        await eventually(
          "all addresses are free",
          () => addressesHeld(host),
          (held) => held === before,
          60_000,
        );
      }),
    );
  },
  60_000 + starts * 10_000,
);
