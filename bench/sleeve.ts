import { existsSync } from "node:fs";
import { join } from "node:path";
import { must } from "../test/hosts/shell.ts";
import { median, shown } from "./measure.ts";
import { flood, inside, openPairs, type Pair, processorSeconds, stream } from "./overlay-pair.ts";

/**
 * What sleeve carries between containers of two hosts, in turn with raw veth between hosts and, if
 * WEAVE_REFERENCE_ROUTER names one, a router of the original:
 *
 *   bun run build && bun run bench sleeve          one TCP stream, processor time
 *   bun run build && bun run bench sleeve-udp      small and large datagrams, as fast as they go
 *   bun run build && bun run bench sleeve-ping     round trips, idle and beside 1 Gbit/s
 *
 * Ratios to raw veth are what to compare: absolute figures follow the machine's mood.
 */
const rounds = 5;
const streamSeconds = 2;
const floodSeconds = 2;
const pings = 1000;

/** Runs `measure` for all pairs in turn; the first round is a warm-up and does not count. */
async function compare<T>(
  measure: (pair: Pair) => Promise<T>,
  show: (pair: Pair, results: readonly T[], raw: readonly T[]) => string,
): Promise<void> {
  const executable = join(import.meta.dir, "../dist/weave");
  if (!existsSync(executable)) throw new Error("no dist/weave: run 'bun run build' first");
  process.env.WEAVE_BINARY ??= executable;
  await using stack = new AsyncDisposableStack();
  const pairs = await openPairs(stack);
  const results = new Map<Pair, T[]>(pairs.map((pair) => [pair, []]));
  for (let round = 0; round <= rounds; round++) {
    for (const pair of pairs) {
      const result = await measure(pair);
      if (round > 0) results.get(pair)!.push(result);
    }
  }
  const raw = results.get(pairs[0]!)!;
  for (const [pair, all] of results) console.log(`${pair.name}: ${show(pair, all, raw)}`);
}

export async function benchSleeve(): Promise<void> {
  await must(["iperf3", "--version"]);
  await compare(
    async (pair) => {
      const before = processorSeconds(pair);
      const gbits = await stream(pair, streamSeconds);
      const seconds = processorSeconds(pair) - before;
      return { gbits, perSecond: seconds === 0 ? 0 : (gbits * streamSeconds) / seconds };
    },
    (_pair, all, raw) => {
      const gbits = all.map((each) => each.gbits);
      const ratio = median(gbits) / median(raw.map((each) => each.gbits));
      const perSecond = shown(
        all.map((each) => each.perSecond),
        2,
      );
      return `TCP ${shown(gbits, 2)} Gbit/s, ratio ${ratio.toFixed(3)}, ${perSecond} Gbit per CPU second`;
    },
  );
}

export async function benchSleeveUdp(): Promise<void> {
  for (const octets of [64, 1300]) {
    console.log(`${octets} octets`);
    await compare(
      (pair) => flood(pair, octets, floodSeconds),
      (_pair, all) => {
        const part = median(all.map((each) => each.part)) * 100;
        return `${shown(
          all.map((each) => each.perSecond),
          0,
        )} datagrams/s arrive, ${part.toFixed(0)} % of what was sent`;
      },
    );
  }
}

/** Median and 99th percentile of round trips in milliseconds. */
async function roundTrips({ from, address }: Pair): Promise<{ p50: number; p99: number }> {
  const command = ["ping", "-c", String(pings), "-i", "0.001", address];
  const text = await must(inside(from, command));
  const times = [...text.matchAll(/time=([\d.]+)/g)].map(([, time]) => Number(time));
  times.sort((a, b) => a - b);
  const at = (part: number): number => times[Math.floor(times.length * part)]!;
  return { p50: at(0.5), p99: at(0.99) };
}

export async function benchSleevePing(): Promise<void> {
  for (const load of ["idle", "beside 1 Gbit/s"]) {
    console.log(load);
    await compare(
      async (pair) => {
        const beside = load === "idle" ? undefined : stream(pair, 3, ["-b", "1G"]);
        if (beside !== undefined) await Bun.sleep(500);
        const trips = await roundTrips(pair);
        await beside;
        return trips;
      },
      (_pair, all) =>
        `ping p50 ${shown(
          all.map((each) => each.p50),
          3,
        )} ms, p99 ${shown(
          all.map((each) => each.p99),
          3,
        )} ms`,
    );
  }
}
