import { must } from "../test/hosts/shell.ts";
import { median, shown } from "./measure.ts";
import { otherOverlays } from "./other-overlays.ts";
import {
  type Candidate,
  flood,
  inside,
  needIperf3,
  type Pair,
  processorSeconds,
  rawVeth,
  stream,
} from "./overlay-pair.ts";
import { type SleevePlan, sleevePair } from "./sleeve-pairs.ts";

/**
 * What sleeve carries between containers of two hosts, in turn with raw veth between hosts, with
 * other overlays that are installed here, and, if WEAVE_REFERENCE_ROUTER names one, with a router of
 * the original at one end or both:
 *
 *   bun run build && bun run bench sleeve          one TCP stream, processor time
 *   bun run build && bun run bench sleeve-udp      small and large datagrams, as fast as they go
 *   bun run build && bun run bench sleeve-ping     round trips, idle and beside 1 Gbit/s
 *   bun run build && bun run bench sleeve-relay    all three over a third host, beside the direct way
 *
 * Ratios to raw veth are what to compare: absolute figures follow the machine's mood. BENCH_ONLY is
 * a pattern of the names that are wanted, BENCH_ROUNDS another number of rounds.
 */
const rounds = Number(process.env.BENCH_ROUNDS ?? 5);
const only = new RegExp(process.env.BENCH_ONLY ?? "");
const streamSeconds = 2;
const floodSeconds = 2;
const pings = 1000;

const ours = ["ours", "ours"] as const;
const original = ["original", "original"] as const;
const originalCipher = ["--no-extensions"];

const clear: SleevePlan = { name: "clear", kinds: ours };
const encrypted: SleevePlan = { name: "encrypted, AES-256-GCM", kinds: ours, encrypted: true };

const direct: readonly SleevePlan[] = [
  clear,
  { name: "clear, by IPv6", kinds: ours, ipv6: true },
  encrypted,
  { name: "encrypted, the original's cipher", kinds: ours, encrypted: true, flags: originalCipher },
  { name: "original, clear", kinds: original },
  { name: "original, encrypted", kinds: original, encrypted: true },
  { name: "ours to original, clear", kinds: ["ours", "original"] },
  { name: "original to ours, clear", kinds: ["original", "ours"] },
  { name: "ours to original, encrypted", kinds: ["ours", "original"], encrypted: true },
  { name: "original to ours, encrypted", kinds: ["original", "ours"], encrypted: true },
];

const relayed: readonly SleevePlan[] = [
  clear,
  { name: "relayed, clear", kinds: ["ours", ...ours] },
  encrypted,
  { name: "relayed, encrypted, AES-256-GCM", kinds: ["ours", ...ours], encrypted: true },
  { name: "original, relayed, clear", kinds: ["original", ...original] },
  { name: "original, relayed, encrypted", kinds: ["original", ...original], encrypted: true },
];

const ofPlans = (plans: readonly SleevePlan[]): Candidate[] =>
  plans.map(sleevePair).filter((candidate) => candidate !== undefined);

const besideOthers = (): Candidate[] => [rawVeth, ...ofPlans(direct), ...otherOverlays()];
const besideDirect = (): Candidate[] => [rawVeth, ...ofPlans(relayed)];

/** Runs `measure` for all in turn; the first round is a warm-up and does not count. */
async function compare<T>(
  candidates: readonly Candidate[],
  measure: (pair: Pair) => Promise<T>,
  show: (results: readonly T[], raw: readonly T[] | undefined) => string,
): Promise<void> {
  await using stack = new AsyncDisposableStack();
  const pairs: Pair[] = [];
  for (const candidate of candidates.filter(({ name }) => only.test(name))) {
    pairs.push(await candidate.open(stack, `bp${pairs.length}`));
  }
  const results = new Map<Pair, T[]>(pairs.map((pair) => [pair, []]));
  for (let round = 0; round <= rounds; round++) {
    for (const pair of pairs) {
      const result = await measure(pair);
      if (round > 0) results.get(pair)!.push(result);
    }
  }
  const raw = pairs.find(({ name }) => name === rawVeth.name);
  for (const [pair, all] of results) {
    console.log(`${pair.name}: ${show(all, raw && results.get(raw))}`);
  }
}

async function compareStreams(candidates: readonly Candidate[]): Promise<void> {
  needIperf3();
  await compare(
    candidates,
    async (pair) => {
      const before = processorSeconds(pair);
      const gbits = await stream(pair, streamSeconds);
      const seconds = processorSeconds(pair) - before;
      return { gbits, perSecond: seconds === 0 ? 0 : (gbits * streamSeconds) / seconds };
    },
    (all, raw) => {
      const gbits = all.map((each) => each.gbits);
      const part = raw && median(gbits) / median(raw.map((each) => each.gbits));
      const ratio = part === undefined ? "" : ` ratio ${part.toFixed(3)},`;
      const perSecond = shown(
        all.map((each) => each.perSecond),
        2,
      );
      return `TCP ${shown(gbits, 2)} Gbit/s,${ratio} ${perSecond} Gbit per CPU second`;
    },
  );
}

async function compareFloods(candidates: readonly Candidate[]): Promise<void> {
  for (const octets of [64, 1300]) {
    console.log(`${octets} octets`);
    await compare(
      candidates,
      (pair) => flood(pair, octets, floodSeconds),
      (all) => {
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

async function comparePings(
  candidates: readonly Candidate[],
  loads: readonly string[],
): Promise<void> {
  for (const load of loads) {
    console.log(load);
    await compare(
      candidates,
      async (pair) => {
        const beside = load === "idle" ? undefined : stream(pair, 3, ["-b", "1G"]);
        if (beside !== undefined) await Bun.sleep(500);
        const trips = await roundTrips(pair);
        await beside;
        return trips;
      },
      (all) =>
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

export const benchSleeve = (): Promise<void> => compareStreams(besideOthers());
export const benchSleeveUdp = (): Promise<void> => compareFloods(besideOthers());
export const benchSleevePing = (): Promise<void> =>
  comparePings(besideOthers(), ["idle", "beside 1 Gbit/s"]);

export async function benchSleeveRelay(): Promise<void> {
  await compareStreams(besideDirect());
  await compareFloods(besideDirect());
  await comparePings(besideDirect(), ["idle"]);
}
