import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { meshOverFastdp, reasonAt, vxlanFrom } from "./fastdp-lab.ts";
import type { Host, Lab } from "./lab.ts";
import { BusyPair, faultMaxMs, outlivesRouters } from "./losing-routers.ts";
import { eventually } from "./shell.ts";

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
  let pair: BusyPair;

  beforeAll(async () => {
    lab = await meshOverFastdp("ff", 2);
    pair = await BusyPair.begin(lab);
  }, faultMaxMs);
  afterAll(async () => {
    pair?.end();
    await lab?.[Symbol.asyncDispose]();
  });

  const bothSay = async (why: string): Promise<void> => {
    for (const host of pair.hosts) await saysWhy(host, why);
  };
  const bothLeft = () => Promise.all(pair.hosts.map(timesLeft));

  outlivesRouters(() => pair);

  test(
    "lose no packet when a router is stopped and goes on later, and stay with fastdp",
    async () => {
      const { one, two, talk } = pair;
      const pid = await two.routerPid();
      const before = await bothLeft();
      await pair.losesNoPacket(async () => {
        process.kill(pid, "SIGSTOP");
        try {
          await saysWhy(one, "fastdp: the peer's router does not answer");
          await talk.goesOn();
        } finally {
          process.kill(pid, "SIGCONT");
        }
        await bothSay(acknowledged);
        await talk.goesOn();
      });
      expect(await bothLeft()).toEqual(before);
    },
    faultMaxMs,
  );

  test(
    "take sleeve in both directions when one of them loses VXLAN, then both, each saying why, and lose nothing on their way back",
    async () => {
      const { one, two } = pair;
      const notHeard = "fastdp: heartbeats of the peer do not arrive any more";
      const before = await bothLeft();
      await vxlanFrom(two, "-A");
      await saysWhy(two, notHeard);
      await saysWhy(one, "fastdp: the peer does not get our heartbeats any more");
      await pair.bothUse("sleeve");
      await vxlanFrom(one, "-A");
      await bothSay(notHeard);
      await pair.bothUse("sleeve");
      await pair.losesNoPacket(async () => {
        for (const host of pair.hosts) await vxlanFrom(host, "-D");
        await pair.bothUse("fastdp");
        await bothSay(acknowledged);
      });
      expect(await bothLeft()).toEqual(before.map((times) => times + 1));
    },
    faultMaxMs,
  );
});
