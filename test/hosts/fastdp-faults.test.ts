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
import { eventually, killed, must } from "./shell.ts";
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

describe("two hosts with a datapath, under a stream both ways and a ping every millisecond,", () => {
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

  const pinged = (during: () => Promise<void>) => pingDuring(left.container, right.ip, during, 1);

  test(
    "lose no packet when a router is killed and started again",
    async () => {
      const { sent, received } = await pinged(async () => {
        await killed(await two.routerPid());
        await talk.goesOn();
        await two.launch([one.ip]);
        for (const host of lab.hosts) await overFor(host, "fastdp", 1);
        await talk.goesOn();
      });
      expect(sent).toBeGreaterThan(1000);
      expect(received).toBe(sent);
    },
    faultMaxMs,
  );

  test(
    "lose no packet when a router is stopped and goes on later, and stay with fastdp",
    async () => {
      const pid = await two.routerPid();
      const before = await timesLeft(one);
      const { sent, received } = await pinged(async () => {
        process.kill(pid, "SIGSTOP");
        try {
          await saysWhy(one, "fastdp: the peer's router does not answer");
          await talk.goesOn();
        } finally {
          process.kill(pid, "SIGCONT");
        }
        await saysWhy(one, acknowledged);
        await saysWhy(two, acknowledged);
        await talk.goesOn();
      });
      expect(received).toBe(sent);
      expect([await timesLeft(one), await timesLeft(two)]).toEqual([before, 0]);
    },
    faultMaxMs,
  );

  test(
    "take sleeve in both directions when one of them loses VXLAN, each saying why, and come back",
    async () => {
      await vxlanFrom(two, "-A");
      try {
        await saysWhy(two, "fastdp: heartbeats of the peer do not arrive any more");
        await saysWhy(one, "fastdp: the peer does not get our heartbeats any more");
        for (const host of lab.hosts) await overFor(host, "sleeve", 1);
        await talk.goesOn();
        await must(left.container.command(["ping", "-q", "-c", "20", "-i", "0.1", right.ip]));
      } finally {
        await vxlanFrom(two, "-D");
      }
      for (const host of lab.hosts) await overFor(host, "fastdp", 1, 60_000);
      for (const host of lab.hosts) await saysWhy(host, acknowledged);
      await talk.goesOn();
    },
    faultMaxMs,
  );

  test(
    "go on over sleeve when VXLAN is lost both ways, and lose nothing when they come back",
    async () => {
      for (const host of lab.hosts) await vxlanFrom(host, "-A");
      for (const host of lab.hosts) {
        await saysWhy(host, "fastdp: heartbeats of the peer do not arrive any more");
        await overFor(host, "sleeve", 1);
      }
      await talk.goesOn();
      const { sent, received } = await pinged(async () => {
        for (const host of lab.hosts) await vxlanFrom(host, "-D");
        for (const host of lab.hosts) await overFor(host, "fastdp", 1, 60_000);
        await talk.goesOn();
      });
      expect(received).toBe(sent);
    },
    faultMaxMs,
  );
});
