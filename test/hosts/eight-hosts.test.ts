import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { type Host, Lab } from "./lab.ts";
import { eventually } from "./shell.ts";
import { Hearer } from "./traffic.ts";

const count = 8;
const group = "239.1.2.3";
const broadcast = "10.47.255.255";

interface BroadcastRoute {
  readonly Source: string;
  readonly Via: readonly string[] | null;
}

/** The branches that all hosts together have of each broadcast tree, by its root. */
async function branches(hosts: readonly Host[]): Promise<Map<string, number>> {
  const sums = new Map<string, number>();
  for (const host of hosts) {
    const report: { Router: { BroadcastRoutes: BroadcastRoute[] } } = JSON.parse(
      await host.mustWeave(["report"]),
    );
    for (const { Source, Via } of report.Router.BroadcastRoutes) {
      sums.set(Source, (sums.get(Source) ?? 0) + (Via?.length ?? 0));
    }
  }
  return sums;
}

/** Waits until every tree reaches every host along one path. */
async function treesSpan(hosts: readonly Host[]): Promise<void> {
  await eventually(
    "broadcast trees of all hosts",
    () => branches(hosts),
    (sums) => sums.size === count && [...sums.values()].every((sum) => sum === count - 1),
    30_000,
  );
}

describe("eight hosts", () => {
  let lab: Lab;
  const hearers: Hearer[] = [];
  const addresses: string[] = [];

  /** Host n dials the next one, and two of them dial one across: 10 links of 28. */
  const dialled = (number: number): number[] => {
    const across = number <= 2 ? [number + 4] : [];
    return [...(number === 1 ? [] : [number - 1]), ...(number === count ? [1] : []), ...across];
  };
  const linksOf = (number: number): number => {
    const others = lab.hosts.map((host) => host.number);
    const dialling = others.filter((other) => dialled(other).includes(number));
    return new Set([...dialled(number), ...dialling]).size;
  };

  beforeAll(async () => {
    lab = await Lab.onSwitch("wb", count);
    const ipOf = (number: number): string => lab.hosts[number - 1]!.ip;
    for (const host of lab.hosts) {
      await host.launch(["--no-discovery", ...dialled(host.number).map(ipOf)], { waitMs: 60_000 });
    }
    for (const host of lab.hosts) {
      const container = await host.container(`c${host.number}`);
      addresses.push(await host.mustWeave(["attach", container.reference]));
      hearers.push(await Hearer.start(container, group));
    }
  });

  afterAll(async () => {
    for (const hearer of hearers) hearer.stop();
    await lab?.[Symbol.asyncDispose]();
  });

  /** Everybody says one word to everybody by `destination`; each has to come everywhere, once. */
  async function everybodySpeaks(destination: string): Promise<void> {
    for (const hearer of hearers) hearer.heard.length = 0;
    const words: string[] = [];
    for (const [at, speaker] of hearers.entries()) {
      words.push(`word ${at} from ${addresses[at]}`);
      await speaker.say(destination, `word ${at}`);
      for (const hearer of hearers) {
        if (hearer === speaker) continue;
        await eventually(
          `${words[at]} in ${hearer.container.namespace}`,
          () => hearer.container.exec(["true"]),
          () => hearer.heard.includes(words[at]!),
        );
      }
    }
    for (const [at, hearer] of hearers.entries()) {
      // Whether a speaker hears itself is between it and its own kernel.
      const foreign = hearer.heard.filter((line) => !line.endsWith(` ${addresses[at]}`));
      expect(foreign.sort()).toEqual(words.filter((_, speaker) => speaker !== at).sort());
    }
  }

  const delivered = () => {
    test("deliver each broadcast to every other host exactly once", () =>
      everybodySpeaks(broadcast));
    test("deliver each multicast to every other host exactly once", () => everybodySpeaks(group));
  };

  describe("in a ring with chords", () => {
    beforeAll(async () => {
      for (const host of lab.hosts) await host.established(linksOf(host.number), 30_000);
      await treesSpan(lab.hosts);
    });
    test("have the links that they were told, and no more", async () => {
      for (const host of lab.hosts) {
        const { stdout } = await host.weave(["status", "connections"]);
        expect(stdout.match(/ established /g)).toHaveLength(linksOf(host.number));
      }
    });
    delivered();
  });

  describe("in a full mesh", () => {
    beforeAll(async () => {
      const ips = lab.hosts.map(({ ip }) => ip);
      for (const host of lab.hosts) {
        const higher = ips.filter((ip) => ip > host.ip);
        if (higher.length > 0) await host.mustWeave(["connect", ...higher]);
      }
      for (const host of lab.hosts) await host.established(count - 1, 30_000);
      await treesSpan(lab.hosts);
    });
    delivered();
  });
});
