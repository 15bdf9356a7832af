import { existsSync } from "node:fs";
import { join } from "node:path";
import { type Container, type Host, Lab } from "../test/hosts/lab.ts";
import { must, run } from "../test/hosts/shell.ts";
import { inTurn, median, shown } from "./measure.ts";

/**
 * One TCP stream and a ping between containers of two hosts over sleeve, beside the same between
 * the hosts themselves (raw veth) in the same run:
 *
 *   bun run build && bun run bench sleeve
 *
 * Ratios to raw veth are what to compare: absolute figures follow the machine's mood.
 */
const rounds = 5;
const seconds = "3";

type Inside = Host | Container;

/** A run that the tool itself could not finish is made again, so many times. */
const triesMax = 3;

function inside(where: Inside, command: readonly string[]): string[] {
  return ["nsenter", `--net=/run/netns/${where.namespace}`, ...command];
}

/** Gbit/s of one TCP stream from `from` to an iperf3 server at `address`. */
async function stream(from: Inside, server: Inside, address: string): Promise<number> {
  for (let left = triesMax; left > 0; left--) {
    const serving = Bun.spawn(
      inside(server, ["iperf3", "-s", "-1", "--forceflush", "-B", address]),
      {
        stdout: "pipe",
        timeout: 30_000,
      },
    );
    for await (const chunk of serving.stdout) {
      if (new TextDecoder().decode(chunk).includes("Server listening")) break;
    }
    const client = ["iperf3", "-c", address, "-t", seconds, "-J"];
    const { stdout } = await run(inside(from, client));
    serving.kill();
    const { end } = JSON.parse(stdout) as { end?: { sum_received?: { bits_per_second: number } } };
    if (end?.sum_received !== undefined) return end.sum_received.bits_per_second / 1e9;
  }
  throw new Error(`iperf3 to ${address} failed ${triesMax} times`);
}

/** Median round trip of a flood of small pings in milliseconds. */
async function roundTrip(from: Inside, address: string): Promise<number> {
  const { stdout } = await from.exec(["ping", "-q", "-c", "2000", "-i", "0.001", address]);
  return Number(/= [\d.]+\/([\d.]+)\//.exec(stdout)?.[1]);
}

async function measure(password: string | undefined): Promise<void> {
  await using lab = await Lab.onSwitch("wb", 2);
  const [one, two] = [lab.hosts[0]!, lab.hosts[1]!];
  const env = password === undefined ? {} : { WEAVE_PASSWORD: password };
  await one.launch([], { env });
  await two.launch([one.ip], { env });
  await two.established(1);
  const [c1, c2] = [await one.container("c1"), await two.container("c2")];
  await one.mustWeave(["attach", c1.reference]);
  const ip = await two.mustWeave(["attach", c2.reference]);
  await c1.pings(ip);
  const name = password === undefined ? "sleeve, clear" : "sleeve, encrypted";
  const gbits = await inTurn(
    { raw: () => stream(one, two, two.ip), sleeve: () => stream(c1, c2, ip) },
    rounds,
  );
  const trips = await inTurn(
    { raw: () => roundTrip(one, two.ip), sleeve: () => roundTrip(c1, ip) },
    rounds,
  );
  const ratio = median(gbits.sleeve) / median(gbits.raw);
  console.log(`${name}: TCP ${shown(gbits.sleeve, 2)} Gbit/s, raw ${shown(gbits.raw, 1)}`);
  console.log(`${name}: ratio to raw ${ratio.toFixed(3)}`);
  console.log(`${name}: ping ${shown(trips.sleeve, 3)} ms, raw ${shown(trips.raw, 3)} ms`);
}

export async function benchSleeve(): Promise<void> {
  const executable = join(import.meta.dir, "../dist/weave");
  if (!existsSync(executable)) throw new Error("no dist/weave: run 'bun run build' first");
  process.env.WEAVE_BINARY = executable;
  await must(["iperf3", "--version"]);
  await measure(undefined);
  await measure("a password for the benchmark");
}
