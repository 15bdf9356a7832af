import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { type Container, Lab } from "./lab.ts";
import { eventually } from "./shell.ts";
import { hear, transfer } from "./traffic.ts";

describe("three hosts in a line, whose ends have no path to each other", () => {
  let lab: Lab;
  let left: Container;
  let right: Container;
  let leftIp: string;
  let rightIp: string;

  beforeAll(async () => {
    lab = await Lab.inLine("wl", 3);
    const [one, two, three] = [lab.hosts[0]!, lab.hosts[1]!, lab.hosts[2]!];
    await one.launch();
    await two.launch(["192.168.1.1"]);
    await three.launch(["192.168.2.1"]);
    for (const host of lab.hosts) await host.reaches(2);
    left = await one.container("left");
    right = await three.container("right");
    leftIp = await one.mustWeave(["attach", left.reference]);
    rightIp = await three.mustWeave(["attach", right.reference]);
  });

  afterAll(() => lab?.[Symbol.asyncDispose]());

  test("the underlay does not connect the ends", async () => {
    const ping = await lab.hosts[0]!.exec(["ping", "-c", "1", "-W", "1", "192.168.2.2"]);
    expect(ping.code).not.toBe(0);
  });

  test("their containers reach each other over the one between", async () => {
    await left.pings(rightIp);
    const { sent, received } = await transfer(left, right, rightIp, 10_000_000);
    expect(received).toBe(sent);
  });

  test("broadcast and multicast cross both links", async () => {
    expect(await hear(left, right, "10.47.255.255")).toBe(`hello from ${leftIp}`);
    expect(await hear(right, left, "239.1.2.3", "239.1.2.3")).toBe(`hello from ${rightIp}`);
  });

  test("a name added at one end resolves at the other", async () => {
    await lab.hosts[0]!.mustWeave(["dns-add", leftIp, "-h", "left.weave.local"]);
    const found = await eventually(
      "the name at the far end",
      async () => (await lab.hosts[2]!.weave(["dns-lookup", "left"])).stdout.trim(),
      (text) => text !== "",
    );
    expect(found).toBe(leftIp);
  });
});
