import { existsSync } from "node:fs";
import { join } from "node:path";
import { type Container, type Host, Lab } from "../test/hosts/lab.ts";
import { must } from "../test/hosts/shell.ts";
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

type Inside = Pick<Host | Container, "exec">;

/** Gbit/s of one TCP stream from `from` to an iperf3 server at `address`. */
async function stream(from: Inside, server: Inside, address: string): Promise<number> {
  const serving = server.exec(["iperf3", "-s", "-1", "-B", address]);
  for (;;) {
    // The server has no other way to say that it listens.
    const { code, stdout } = await from.exec(["iperf3", "-c", address, "-t", seconds, "-J"]);
    if (code !== 0) continue;
    await serving;
    const result = JSON.parse(stdout) as { end: { sum_received: { bits_per_second: number } } };
    return result.end.sum_received.bits_per_second / 1e9;
  }
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
