import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import {
  type Attached,
  containerOn,
  meshOverFastdp,
  overFor,
  reasonAt,
  vxlanFrom,
} from "./fastdp-lab.ts";
import type { Host, Lab } from "./lab.ts";
import { eventually, killed } from "./shell.ts";
import { pingDuring, Talk } from "./traffic.ts";

const faultMaxMs = 120_000;
const acknowledged = "fastdp: the peer acknowledges it";

/** Waits until the host says why its frames to the other take what they take. */
function saysWhy(host: Host, why: string): Promise<string> {
  return eventually(
    `"${why}" at ${host.namespace}`,
    () => reasonAt(host),
    (reason) => reason.includes(why),
    30_000,
  );
}

/** How often the host's router took frames away from fastdp, by its log. */
async function timesLeft(host: Host): Promise<number> {
  const log = await host.mustWeave(["logs"]);
  return log.match(/ frames to .+ take sleeve now/g)?.length ?? 0;
}

describe("two hosts with a datapath, under a stream both ways and flooding pings,", () => {
  let lab: Lab;
  let one: Host;
  let two: Host;
  let left: Attached;
  let right: Attached;
  let talk: Talk;

  beforeAll(async () => {
    lab = await meshOverFastdp("ff", 2);
    [one, two] = lab.hosts as [Host, Host];
    left = await containerOn(one, "left");
    right = await containerOn(two, "right");
    await left.container.pings(right.ip);
    talk = await Talk.begin(left.container, right.container, right.ip);
  }, faultMaxMs);
  afterAll(async () => {
    talk?.end();
    await lab?.[Symbol.asyncDispose]();
  });

  async function losesNoPacket(during: () => Promise<void>): Promise<void> {
    const counts = await pingDuring(left.container, right.ip, during, "flood");
    expect(counts.sent).toBeGreaterThan(1000);
    expect(counts.received).toBe(counts.sent);
  }

  /** Both by this overlay, as their status says. */
  async function bothUse(overlay: string): Promise<void> {
    for (const host of lab.hosts) await overFor(host, overlay, 1, 60_000);
  }

  test(
    "lose no packet when a router is killed and started again",
    () =>
      losesNoPacket(async () => {
        await killed(await two.routerPid());
        await talk.goesOn();
        await two.launch([one.ip]);
        await bothUse("fastdp");
        await talk.goesOn();
      }),
    faultMaxMs,
  );

  test(
    "lose no packet when another router takes the place of one",
    () =>
      losesNoPacket(async () => {
        const former = await two.routerPid();
        await two.mustWeave(["upgrade-self"], { waitMs: 120_000 });
        expect(await two.routerPid()).not.toBe(former);
        await bothUse("fastdp");
        await talk.goesOn();
      }),
    faultMaxMs,
  );

  test(
    "lose no packet when a router is stopped and goes on later, and stay with fastdp",
    async () => {
      const pid = await two.routerPid();
      const before = [await timesLeft(one), await timesLeft(two)];
      await losesNoPacket(async () => {
        process.kill(pid, "SIGSTOP");
        try {
          await saysWhy(one, "fastdp: the peer's router does not answer");
          await talk.goesOn();
        } finally {
          process.kill(pid, "SIGCONT");
        }
        for (const host of lab.hosts) await saysWhy(host, acknowledged);
        await talk.goesOn();
      });
      expect([await timesLeft(one), await timesLeft(two)]).toEqual(before);
    },
    faultMaxMs,
  );

  test(
    "take sleeve in both directions when one of them loses VXLAN, then both, each saying why, and lose nothing on their way back",
    async () => {
      const notHeard = "fastdp: heartbeats of the peer do not arrive any more";
      const before = [await timesLeft(one), await timesLeft(two)];
      await vxlanFrom(two, "-A");
      await saysWhy(two, notHeard);
      await saysWhy(one, "fastdp: the peer does not get our heartbeats any more");
      await bothUse("sleeve");
      await talk.goesOn();
      await vxlanFrom(one, "-A");
      for (const host of lab.hosts) await saysWhy(host, notHeard);
      await bothUse("sleeve");
      await talk.goesOn();
      await losesNoPacket(async () => {
        for (const host of lab.hosts) await vxlanFrom(host, "-D");
        await bothUse("fastdp");
        for (const host of lab.hosts) await saysWhy(host, acknowledged);
        await talk.goesOn();
      });
      const after = [await timesLeft(one), await timesLeft(two)];
      expect(after).toEqual(before.map((times) => times + 1));
    },
    faultMaxMs,
  );
});
