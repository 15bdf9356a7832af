import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { BadCable, connectedOver } from "./bad-cable.ts";
import type { Container, Host } from "./lab.ts";
import { eventually } from "./shell.ts";
import { transfer } from "./traffic.ts";

/** Counts of sleeve over all links of a host. */
async function sleeveCounts(host: Host): Promise<Record<string, number>> {
  const { stdout } = await host.exec(["curl", "-s", "http://127.0.0.1:6782/metrics"]);
  const found = stdout.matchAll(/^weave_sleeve_(\w+)_total (\d+)$/gm);
  return Object.fromEntries([...found].map(([, name, count]) => [name, Number(count)]));
}

for (const password of [undefined, "a password for the cable"]) {
  describe(`a bad cable, ${password === undefined ? "in clear" : "with a password"}`, () => {
    let cable: BadCable;
    let c1: Container;
    let c2: Container;
    let ip2: string;

    beforeAll(async () => {
      cable = await BadCable.open("bc");
      ({ from: c1, to: c2, address: ip2 } = await connectedOver(cable, password));
    });
    afterAll(() => cable?.[Symbol.asyncDispose]());

    test("that loses 1 % and takes 20 ms carries a stream whole", async () => {
      await cable.becomes({ loss: 0.01, delayMs: 20 });
      const { sent, received } = await transfer(c1, c2, ip2, 5_000_000);
      expect(received).toBe(sent);
    });

    test("that reorders and repeats delivers every packet once", async () => {
      await cable.becomes({ delayMs: 2, jitterMs: 20, duplication: 0.2 });
      const before = await sleeveCounts(cable.two);
      const { stdout } = await c1.exec(["ping", "-c", "500", "-i", "0.005", "-W", "2", ip2]);
      const duplicates = Number(/\+(\d+) duplicates/.exec(stdout)?.[1] ?? 0);
      expect(stdout).toContain("500 packets transmitted, 500 received");
      const after = await sleeveCounts(cable.two);
      expect(after.decrypt_failures).toBe(before.decrypt_failures!);
      expect(after.unknown_epochs).toBe(before.unknown_epochs!);
      if (password === undefined) {
        // Nothing numbers plain datagrams: what the cable repeats comes twice, as on any Ethernet.
        expect(duplicates).toBeGreaterThan(50);
      } else {
        expect(duplicates).toBe(0);
        expect(after.replays! - before.replays!).toBeGreaterThan(50);
      }
    });

    test("that swallows large packets lets pings of any size through in the end", async () => {
      await cable.becomes({ holeAbove: 1300 });
      await eventually(
        "a large ping through a cable with a hole",
        () => c1.exec(["ping", "-c", "1", "-W", "1", "-s", "8000", ip2]),
        ({ code }) => code === 0,
        40_000,
      );
      const { sent, received } = await transfer(c1, c2, ip2, 2_000_000);
      expect(received).toBe(sent);
    });
  });
}

for (const password of [undefined, "a password for the cable"]) {
  for (const tells of [true, false]) {
    const [how, seal] = [
      tells ? "and says so" : "without a word",
      password ? "sealed" : "in clear",
    ];
    test(`a cable that shrinks from 1500 to 1280 ${how} carries a stream on, ${seal}`, async () => {
      await using cable = await BadCable.open("bs");
      const { from, to, address } = await connectedOver(cable, password);
      const { sent, received } = await transfer(from, to, address, 100_000_000, () =>
        cable.becomes({ mtu: 1280, tells }),
      );
      expect(received).toBe(sent);
      const mtu = password === undefined ? 1280 - 62 : 1280 - 86;
      await eventually(
        "the MTU of the cable that shrank",
        () => cable.one.mustWeave(["status", "connections"]),
        (text) => text.includes(`mtu=${mtu}`),
        60_000,
      );
    });
  }
}
