import { expect, test } from "bun:test";
import { BadCable } from "./bad-cable.ts";
import { containerOn, meshOverFastdp, overFor } from "./fastdp-lab.ts";
import type { Container, Host } from "./lab.ts";
import { eventually } from "./shell.ts";
import { transfer } from "./traffic.ts";

interface Way {
  readonly frames: number;
  readonly lost: number;
}

/** What a host has compared of its only link, by direction, since there is the link. */
async function compare(host: Host): Promise<{ sent: Way; received: Way }> {
  const { stdout } = await host.exec(["curl", "-s", "http://127.0.0.1:6782/metrics"]);
  const count = (what: string, direction: string): number => {
    const pattern = `^weave_connection_${what}_frames_total\\{[^}]*"${direction}"[^}]*\\} (\\d+)$`;
    return Number(new RegExp(pattern, "m").exec(stdout)?.[1] ?? Number.NaN);
  };
  const way = (direction: string): Way => ({
    frames: count("compared", direction),
    lost: count("lost", direction),
  });
  return { sent: way("sent"), received: way("received") };
}

/** Waits for a host to have compared so many frames that it has sent, and that it has received. */
function compared(host: Host, sent: number, received = sent) {
  return eventually(
    `${sent} and ${received} frames compared at ${host.namespace}`,
    () => compare(host),
    (ways) => ways.sent.frames >= sent && ways.received.frames >= received,
    60_000,
  );
}

/** Small pings, some hundred a second; how many were not answered. */
async function unanswered(from: Container, address: string, count: number): Promise<number> {
  const words = ["ping", "-q", "-c", String(count), "-i", "0.004", "-W", "1", address];
  const { stdout } = await from.exec(words);
  const [, sent, received] = /(\d+) packets transmitted, (\d+) received/.exec(stdout)!;
  expect(Number(sent)).toBe(count);
  return count - Number(received);
}

for (const overlay of ["sleeve", "fastdp"]) {
  test(`both ends of a link by ${overlay} know what a cable loses, and that a sound one loses nothing`, async () => {
    await using cable = await BadCable.open("all");
    const { one, two } = cable;
    for (const host of cable.lab.hosts) host.fastdp = overlay === "fastdp";
    await one.launch([]);
    await two.launch([one.ip]);
    await overFor(one, overlay, 1);
    const [from, to] = [await one.container("c1"), await two.container("c2")];
    await one.mustWeave(["attach", from.reference]);
    const address = await two.mustWeave(["attach", to.reference]);
    await from.pings(address);
    // From here on both have the same moment to begin from.
    for (const host of [one, two]) await compared(host, 0);

    expect(await unanswered(from, address, 1000)).toBe(0);
    for (const host of [one, two]) {
      const { sent, received } = await compared(host, 1000);
      expect([sent.lost, received.lost]).toEqual([0, 0]);
      const { To, From } = JSON.parse(await host.mustWeave(["report"])).Router.Connections[0].Loss;
      expect([To.Lost, From.Lost]).toEqual([0, 0]);
    }

    await cable.becomes({ loss: 0.1 });
    const lost = await unanswered(from, address, 1500);
    await cable.becomes({});
    expect(lost).toBeGreaterThan(150);
    for (const host of [one, two]) {
      const { sent, received } = await eventually(
        "the loss of all that was not answered",
        () => compare(host),
        (ways) => ways.sent.lost + ways.received.lost >= lost,
        40_000,
      );
      // What asks for addresses may get lost as well.
      expect(sent.lost + received.lost).toBeLessThan(lost + 20);
      for (const way of [sent, received]) expect(way.lost).toBeGreaterThan(lost / 4);
    }
    await eventually(
      "the same at both ends",
      () => Promise.all([compare(one), compare(two)]),
      ([there, here]) => there.sent.lost === here.received.lost,
      40_000,
    );
  });
}

test("super-frames count at both ends as the frames that they stand for", async () => {
  await using lab = await meshOverFastdp("als", 2);
  const [one, two] = lab.hosts as [Host, Host];
  const [from, to] = [await containerOn(one, "c1"), await containerOn(two, "c2")];
  await from.container.pings(to.ip);
  for (const host of lab.hosts) await compared(host, 0);
  await transfer(from.container, to.container, to.ip, 100_000_000);
  // A comparison may fall into the middle of it.
  const { sent, received } = await compared(one, 20_000, 100);
  // An overloaded machine may lose some in earnest; super-frames counted as one would be most.
  for (const { frames, lost } of [sent, received]) expect(lost).toBeLessThan(frames / 100);
});
