import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { type Container, Lab } from "./lab.ts";
import { eventually, must } from "./shell.ts";

describe("a host whose devices are taken away under the router", () => {
  let lab: Lab;
  let mine: Container;
  let theirs: string;

  beforeAll(async () => {
    lab = await Lab.onSwitch("wr", 2);
    const [one, two] = [lab.hosts[0]!, lab.hosts[1]!];
    await one.launch();
    await two.launch([one.ip]);
    await two.established(1);
    mine = await one.container("c1");
    const other = await two.container("c2");
    await one.mustWeave(["attach", mine.reference]);
    theirs = await two.mustWeave(["attach", other.reference]);
    await mine.pings(theirs);
  });

  afterAll(() => lab?.[Symbol.asyncDispose]());

  for (const device of ["weave", "vethwe-bridge"]) {
    test(`is mended when ${device} is deleted, exposed addresses included`, async () => {
      const one = lab.hosts[0]!;
      const exposed = await one.mustWeave(["expose"]);
      await must(["ip", "-n", one.namespace, "link", "del", device]);
      await mine.pings(theirs);
      await eventually(
        "the host reaches its container again",
        () => one.exec(["ping", "-c", "1", "-W", "1", theirs]),
        ({ code }) => code === 0,
      );
      expect(await one.mustWeave(["ps", "weave:expose"])).toContain(exposed);
    });
  }

  const portOf = async (container: Container): Promise<string> => {
    const { stdout } = await lab.hosts[0]!.exec(["ip", "-j", "link"]);
    const links: { ifname: string; ifalias?: string }[] = JSON.parse(stdout);
    return links.find(({ ifalias }) => ifalias === container.reference)!.ifname;
  };

  test("gives a container its interface back that was deleted, also while no router ran", async () => {
    const one = lab.hosts[0]!;
    const before = await mine.exec(["ip", "-4", "-br", "address", "show", "dev", "ethwe"]);
    await must(["ip", "-n", one.namespace, "link", "del", await portOf(mine)]);
    await mine.pings(theirs);
    await one.mustWeave(["stop"]);
    await must(["ip", "-n", mine.namespace, "link", "del", "ethwe"]);
    await one.launch();
    await one.established(1);
    await mine.pings(theirs);
    const after = await mine.exec(["ip", "-4", "-br", "address", "show", "dev", "ethwe"]);
    expect(words(after.stdout).slice(2)).toEqual(words(before.stdout).slice(2));
  });

  test("gives none to a container that was detached", async () => {
    const one = lab.hosts[0]!;
    const [gone, stays] = [await one.container("c3"), await one.container("c4")];
    for (const each of [gone, stays]) await one.mustWeave(["attach", each.reference]);
    await one.mustWeave(["detach", gone.reference]);
    await must(["ip", "-n", one.namespace, "link", "del", await portOf(stays)]);
    await stays.pings(theirs);
    expect((await gone.exec(["ip", "-br", "link"])).stdout).not.toContain("ethwe");
  });

  test("keeps nothing after a reset, not even inside its containers", async () => {
    const one = lab.hosts[0]!;
    await one.mustWeave(["reset"]);
    const links = await one.exec(["ip", "-br", "link"]);
    expect(links.stdout).not.toContain("weave");
    expect(links.stdout).not.toContain("vethwe");
    expect((await one.exec(["nft", "list", "ruleset"])).stdout).toBe("");
    expect((await mine.exec(["nft", "list", "ruleset"])).stdout).toBe("");
    expect((await mine.exec(["ip", "-br", "link"])).stdout).not.toContain("ethwe");
    expect(readdirSync(one.env.WEAVE_RUN_DIR!)).toEqual([]);
    expect(readdirSync(one.env.WEAVE_STATE_DIR!)).toEqual([]);
  });

  test("whose interface name is taken by something else is told so", async () => {
    const one = lab.hosts[0]!;
    await one.mustWeave(["reset"]);
    await must([
      "ip",
      "-n",
      one.namespace,
      "link",
      "add",
      "weave",
      "type",
      "vxlan",
      "id",
      "7",
      "dstport",
      "4789",
    ]);
    const { code, stderr } = await one.weave(["launch", "--no-fastdp"]);
    expect(code).toBe(1);
    expect(stderr).toContain("weave");
    await must(["ip", "-n", one.namespace, "link", "del", "weave"]);
  });
});

function words(text: string): string[] {
  return text.trim().split(/\s+/);
}
