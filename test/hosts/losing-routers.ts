import { expect, test } from "bun:test";
import { type Attached, containerOn, overFor } from "./fastdp-lab.ts";
import type { Host, Lab } from "./lab.ts";
import { killed } from "./shell.ts";
import { pingDuring, Talk } from "./traffic.ts";

/** Of a test in which a router starts beside pings that take all the processor they get. */
export const faultMaxMs = 120_000;

/** Two hosts whose containers send to each other all the time: a stream both ways, and pings. */
export class BusyPair {
  readonly one: Host;
  readonly two: Host;
  readonly left: Attached;
  readonly right: Attached;
  readonly talk: Talk;

  private constructor(hosts: readonly [Host, Host], left: Attached, right: Attached, talk: Talk) {
    [this.one, this.two] = hosts;
    this.left = left;
    this.right = right;
    this.talk = talk;
  }

  /** Hosts whose routers are connected. */
  static async begin({ hosts }: Lab): Promise<BusyPair> {
    const [one, two] = hosts as [Host, Host];
    const left = await containerOn(one, "left");
    const right = await containerOn(two, "right");
    await left.container.pings(right.ip);
    const talk = await Talk.begin(left.container, right.container, right.ip);
    return new BusyPair([one, two], left, right, talk);
  }

  get hosts(): readonly [Host, Host] {
    return [this.one, this.two];
  }

  /** Waits until both use this overlay, and the stream goes on. */
  async bothUse(overlay: string): Promise<void> {
    for (const host of this.hosts) await overFor(host, overlay, 1, 60_000);
    await this.talk.goesOn();
  }

  /** Pings as fast as they come back meanwhile; each has to be answered. */
  async losesNoPacket(during: () => Promise<void>): Promise<void> {
    const { left, right } = this;
    const counts = await pingDuring(left.container, right.ip, during, "flood");
    expect(counts.sent).toBeGreaterThan(1000);
    expect(counts.received).toBe(counts.sent);
  }

  end(): void {
    this.talk.end();
  }
}

/** Tests of a datapath of any kind. */
export function outlivesRouters(pair: () => BusyPair): void {
  test(
    "lose no packet when a router is killed and started again",
    () =>
      pair().losesNoPacket(async () => {
        const { one, two, talk } = pair();
        await killed(await two.routerPid());
        await talk.goesOn();
        await two.launch([one.ip]);
        await pair().bothUse("fastdp");
      }),
    faultMaxMs,
  );

  test(
    "lose no packet when another router takes the place of one",
    () =>
      pair().losesNoPacket(async () => {
        const { two } = pair();
        const former = await two.routerPid();
        await two.mustWeave(["upgrade-self"], { waitMs: faultMaxMs });
        expect(await two.routerPid()).not.toBe(former);
        await pair().bothUse("fastdp");
      }),
    faultMaxMs,
  );
}
