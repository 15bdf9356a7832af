import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { type Container, type Host, Lab } from "./lab.ts";
import { eventually, must } from "./shell.ts";

describe("names", () => {
  let lab: Lab;
  let one: Host;

  beforeAll(async () => {
    lab = await Lab.onSwitch("xd", 3);
    one = lab.hosts[0]!;
    const peers = lab.hosts.map(({ ip }) => ip);
    for (const host of lab.hosts) {
      await host.launch(["--ipalloc-init", `seed=${one.peerName}`, ...peers]);
    }
    for (const host of lab.hosts) await host.established(2);
  });

  afterAll(() => lab?.[Symbol.asyncDispose]());

  async function finds(
    host: Host,
    name: string,
    addresses: readonly string[],
    waitMs = 15_000,
  ): Promise<void> {
    await eventually(
      `addresses of ${name} at host ${host.number}`,
      async () =>
        words((await host.weave(["dns-lookup", name])).stdout)
          .sort()
          .join(),
      (found) => found === [...addresses].sort().join(),
      waitMs,
    );
  }

  test("of the exposed host resolve, one and all", async () => {
    const ip = await one.mustWeave(["expose", "-h", "first.weave.local"]);
    expect(await one.mustWeave(["expose", "-h", "second.weave.local"])).toBe(ip);
    await finds(one, "first", [ip]);
    await finds(lab.hosts[1]!, "second", [ip]);
    const outside = await one.weave(["expose", "-h", "third"]);
    expect(outside).toMatchObject({ code: 0, stdout: `${ip}\n` });
    expect(outside.stderr).toContain("write third.weave.local");
  });

  test("are added and removed in every form, and others stay", async () => {
    const c = await one.container("forms");
    const own = await one.mustWeave(["attach", c.reference]);
    await one.mustWeave(["dns-add", "10.2.1.1", c.reference, "-h", "both.weave.local"]);
    await one.mustWeave(["dns-add", c.reference, "-h", "own.weave.local"]);
    await one.mustWeave(["dns-add", "10.2.1.3", "-h", "bare.weave.local"]);
    await finds(one, "both", ["10.2.1.1"]);
    await finds(one, "own", [own]);
    await finds(one, "bare", ["10.2.1.3"]);
    await one.mustWeave(["dns-remove", "10.2.1.1", c.reference, "-h", "both.weave.local"]);
    await finds(one, "both", []);
    await finds(one, "own", [own]);
    await one.mustWeave(["dns-remove", c.reference, "-h", "own.weave.local"]);
    await finds(one, "own", []);
    await finds(one, "bare", ["10.2.1.3"]);
    await one.mustWeave(["dns-remove", "10.2.1.3", "-h", "bare.weave.local"]);
    await finds(one, "bare", []);
  });

  test("of a container are the addresses that it has at the moment", async () => {
    const c = await one.container("turns");
    const all = ["10.2.1.1", "10.2.2.1", "10.2.3.1"];
    const held: string[] = [];
    for (const ip of all) {
      await one.mustWeave(["attach", `${ip}/24`, c.reference]);
      await one.mustWeave(["dns-add", c.reference, "-h", "turns.weave.local"]);
      held.push(ip);
      await finds(one, "turns", held);
    }
    for (const ip of all) {
      await one.mustWeave(["detach", `${ip}/24`, c.reference]);
      held.shift();
      await finds(one, "turns", held);
    }
  });

  test("held on three hosts give all addresses everywhere, and follow who dies and returns", async () => {
    const containers: { host: Host; container: Container; ip: string }[] = [];
    const start = async (host: Host, suffix: string): Promise<void> => {
      const container = await host.container(suffix);
      const ip = await host.mustWeave(["attach", container.reference]);
      await host.mustWeave(["dns-add", container.reference, "-h", "foo.weave.local"]);
      containers.push({ host, container, ip });
    };
    const everywhere = async (): Promise<void> => {
      const all = containers.map(({ ip }) => ip);
      for (const host of lab.hosts) await finds(host, "foo", all);
    };
    for (const host of lab.hosts) await start(host, `f${host.number}`);
    await everywhere();
    for (let round = 0; round < 5; round++) {
      const { host, container } = containers.shift()!;
      await must(["ip", "netns", "del", container.namespace]);
      await everywhere();
      await start(host, `g${round}`);
      await everywhere();
    }
    const third = containers.pop()!.host;
    process.kill(await third.routerPid(), "SIGKILL");
    const others = containers.map(({ ip }) => ip);
    for (const host of lab.hosts.filter((each) => each !== third))
      await finds(host, "foo", others, 30_000);
  });
});

function words(text: string): string[] {
  return text.split(/\s+/).filter((word) => word !== "");
}
