import { existsSync } from "node:fs";
import { join } from "node:path";
import { type Container, Lab } from "../test/hosts/lab.ts";
import { transfer } from "../test/hosts/traffic.ts";

/**
 * How long containers wait while one router takes over from another:
 *
 *   bun run build && bun run bench succession
 *
 * Three hosts; packets go both ways between two pairs of containers of which the first host has
 * one, while its router is replaced five times by another of the same program. Over a datapath of
 * the kernel that is a flood of pings beside a TCP stream, in turn with the same while nothing is
 * replaced; over sleeve a ping every 2 ms: a pause is the time between the answers before and after
 * pings that were lost. `WEAVE_BINARY` names another
 * executable; `bun bench/succession.ts password` measures one variant.
 */
const rounds = 5;
const pingSeconds = 6;
const periodMs = 2;
const streamOctets = 100_000_000;
const calmMs = 1_500;

interface Variant {
  readonly name: string;
  readonly what: string;
  readonly fastdp: boolean;
  readonly password: string;
}

const variants: readonly Variant[] = [
  { name: "clear", what: "sleeve in clear", fastdp: false, password: "" },
  { name: "password", what: "sleeve with a password", fastdp: false, password: "0123456789abcdef" },
  { name: "kernel", what: "a datapath of the kernel", fastdp: true, password: "" },
];

export async function benchSuccession(names = variants.map(({ name }) => name)): Promise<void> {
  const executable = process.env.WEAVE_BINARY ?? join(import.meta.dir, "../dist/weave");
  if (!existsSync(executable)) throw new Error("no dist/weave: run 'bun run build' first");
  process.env.WEAVE_BINARY = executable;
  for (const variant of variants.filter(({ name }) => names.includes(name)))
    console.log(`${variant.what}: ${await replaceRepeatedly(variant)}`);
}

async function replaceRepeatedly(variant: Variant): Promise<string> {
  await using lab = await Lab.onSwitch("wu", 3);
  const [one, two] = [lab.hosts[0]!, lab.hosts[1]!];
  for (const host of lab.hosts) {
    host.fastdp = variant.fastdp;
    const peers = host === one ? [] : [one.ip];
    await host.launch(peers, { env: { WEAVE_PASSWORD: variant.password } });
  }
  const [here, there] = [await one.container("c1"), await two.container("c2")];
  const pair: Pair = {
    ...{ here, there },
    hereIp: await one.mustWeave(["attach", here.reference]),
    thereIp: await two.mustWeave(["attach", there.reference]),
  };
  const replace = async () => void (await one.mustWeave(["upgrade-self"], { waitMs: 60_000 }));
  const watched = variant.fastdp ? floodedBesideStreams : paced;
  const [calm, replaced]: [Seen[], Seen[]] = [[], []];
  for (let round = 0; round < rounds; round++) {
    for (const host of lab.hosts) await host.established(2);
    await here.pings(pair.thereIp);
    if (variant.fastdp) calm.push(...(await watched(pair, () => Bun.sleep(calmMs))));
    replaced.push(...(await watched(pair, replace)));
  }
  const beside = calm.length === 0 ? "" : `; while nothing was replaced: ${summary(calm)}`;
  return `${rounds} rounds, ${summary(replaced)}${beside}`;
}

function summary(seen: readonly Seen[]): string {
  const sum = (part: (each: Seen) => number): number =>
    seen.reduce((all, each) => all + part(each), 0);
  const pauses = seen.flatMap(({ pausesMs }) => pausesMs).sort((a, b) => a - b);
  return (
    `${sum(({ sent }) => sent)} pings, ${sum(({ lost }) => lost)} lost` +
    (pauses.length === 0 ? "" : ` in ${pauses.map((ms) => ms.toFixed(0)).join(", ")} ms`)
  );
}

/** Two containers of different hosts. */
interface Pair {
  readonly here: Container;
  readonly hereIp: string;
  readonly there: Container;
  readonly thereIp: string;
}

/** What one run of pings has seen. */
interface Seen {
  readonly sent: number;
  readonly lost: number;
  readonly pausesMs: readonly number[];
}

/** Pings as fast as answers come, and TCP streams from here to there, one after the other. */
async function floodedBesideStreams(pair: Pair, during: () => Promise<void>): Promise<Seen[]> {
  const { here, hereIp, there, thereIp } = pair;
  const floods = [flood(here, thereIp), flood(there, hereIp)];
  let isOver = false;
  const streams = async (): Promise<void> => {
    do {
      const { sent, received } = await transfer(here, there, thereIp, streamOctets);
      if (sent !== received) throw new Error("a stream arrived changed");
    } while (!isOver);
  };
  const carried = streams();
  await during().finally(() => {
    isOver = true;
  });
  await carried;
  return Promise.all(floods);
}

async function flood(from: Container, to: string): Promise<Seen> {
  const words = ["-f", "-q", "-n", "-w", String(pingSeconds), to];
  const { stdout } = await from.exec(["ping", ...words], { waitMs: 60_000 });
  const counts = /(\d+) packets transmitted, (\d+) received/.exec(stdout);
  const [sent, received] = [Number(counts?.[1]), Number(counts?.[2])];
  return { sent, lost: sent - received, pausesMs: [] };
}

async function paced(pair: Pair, during: () => Promise<void>): Promise<Seen[]> {
  const pings = [pace(pair.here, pair.thereIp), pace(pair.there, pair.hereIp)];
  await during();
  return Promise.all(pings);
}

async function pace(from: Container, to: string): Promise<Seen> {
  const words = ["-D", "-n", "-i", String(periodMs / 1000), "-w", String(pingSeconds), to];
  const { stdout } = await from.exec(["ping", ...words], { waitMs: 60_000 });
  const pausesMs: number[] = [];
  let last: { readonly atMs: number; readonly sequence: number } | undefined;
  let lost = 0;
  for (const [, seconds, number] of stdout.matchAll(/\[(\d+\.\d+)\].* icmp_seq=(\d+) /g)) {
    const answer = { atMs: Number(seconds) * 1000, sequence: Number(number) };
    if (last !== undefined && answer.sequence > last.sequence + 1) {
      lost += answer.sequence - last.sequence - 1;
      pausesMs.push(answer.atMs - last.atMs);
    }
    last = answer;
  }
  return { sent: last?.sequence ?? 0, lost, pausesMs };
}

const asked = process.argv.slice(2);
if (import.meta.main) await benchSuccession(asked.length === 0 ? undefined : asked);
