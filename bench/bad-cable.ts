import { BadCable, connectedOver } from "../test/hosts/bad-cable.ts";
import type { Container, Host } from "../test/hosts/lab.ts";
import { must } from "../test/hosts/shell.ts";
import { inTurn, median, shown } from "./measure.ts";
import { needIperf3 } from "./overlay-pair.ts";
import { useBuild } from "./sleeve-pairs.ts";

/**
 * One TCP stream over a cable that loses 1 % of the frames and takes 20 ms each way: between
 * containers, and between their hosts themselves, in turn.
 *
 *   bun run build && bun run bench bad-cable
 */
const rounds = 8;
const seconds = "6";

type Inside = Host | Container;

/** Mbit/s from `from` to `to`, which has this address. */
async function stream(from: Inside, to: Inside, address: string): Promise<number> {
  const inside = (where: Inside) => ["nsenter", `--net=/run/netns/${where.namespace}`];
  const server = Bun.spawn([...inside(to), "iperf3", "-s", "-1", "--forceflush", "-B", address], {
    stdout: "pipe",
    timeout: 60_000,
  });
  for await (const chunk of server.stdout) {
    if (new TextDecoder().decode(chunk).includes("Server listening")) break;
  }
  const client = [...inside(from), "iperf3", "-c", address, "-t", seconds, "-J"];
  const { end } = JSON.parse(await must(client)) as {
    end: { sum_received: { bits_per_second: number } };
  };
  await server.exited;
  return end.sum_received.bits_per_second / 1e6;
}

export async function benchBadCable(): Promise<void> {
  needIperf3();
  useBuild();
  for (const password of [undefined, "a password for the cable"]) {
    await using cable = await BadCable.open("bb");
    const { from, to, address } = await connectedOver(cable, password);
    await cable.becomes({ loss: 0.01, delayMs: 20 });
    const { raw, sleeve } = await inTurn(
      {
        raw: () => stream(cable.one, cable.two, cable.two.ip),
        sleeve: () => stream(from, to, address),
      },
      rounds,
    );
    const how = password === undefined ? "clear" : "encrypted";
    const ratio = (median(sleeve) / median(raw)).toFixed(2);
    console.log(`${how}: ${shown(sleeve, 2)} Mbit/s, raw ${shown(raw, 2)}; ratio ${ratio}`);
  }
}
