import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Container } from "../test/hosts/lab.ts";
import { must } from "../test/hosts/shell.ts";
import { linesOf } from "../test/hosts/traffic.ts";
import { median } from "./measure.ts";
import { type Candidate, inside, type Pair, rawVeth } from "./overlay-pair.ts";
import { ProcessorShare } from "./processor-share.ts";
import { sleevePair } from "./sleeve-pairs.ts";

/**
 * Whether a router that is offered more than it can carry still carries as much as it can: small
 * datagrams of several senders at doubling rates, up to ten times and more of what is delivered at
 * most.
 *
 *   bun run build && bun run bench sleeve-overload
 *
 *   processor 0                            processor 1
 *   senders, their kernel up to            both routers, a fifth of its time;
 *   the router's capture socket            the receiver
 *
 * So what senders cost takes nothing away from the routers, on a machine with as few as two
 * processors, and they can offer ten times what slow routers carry. What is measured is what routers
 * do with frames that they have no time for, not how fast they are: see `sleeve-udp` for that. The
 * containers' interfaces have the segmentation of UDP switched off: every datagram is a frame of its
 * own. BENCH_ROUNDS and BENCH_ONLY as for `sleeve`.
 */
const rounds = Number(process.env.BENCH_ROUNDS ?? 3);
const only = new RegExp(process.env.BENCH_ONLY ?? "");
const senders = 3;
const octets = "64";
const port = "7001";
const stepMs = 1500;
/** Queues fill up before it counts. */
const settleMs = 500;
const startMs = 300;
const offered = [5e3, 10e3, 20e3, 40e3, 80e3, 160e3, 320e3];
const routersPart = 0.06;
const program = [process.execPath, join(import.meta.dir, "udp-load.ts")];

/** An end of the load that takes its orders by lines. */
class End {
  readonly #child: Bun.Subprocess<"pipe", "pipe", "inherit">;
  readonly #answers: AsyncGenerator<string>;

  constructor(command: readonly string[], processor: number) {
    this.#child = Bun.spawn(["taskset", "-c", String(processor), ...command], {
      stdin: "pipe",
      stdout: "pipe",
      stderr: "inherit",
    });
    this.#answers = linesOf(this.#child.stdout);
  }

  async answer(): Promise<string> {
    const { value, done } = await this.#answers.next();
    if (done) throw new Error("an end of the load has ended");
    return value;
  }

  async obey(order: string): Promise<number> {
    this.#child.stdin.write(`${order}\n`);
    this.#child.stdin.flush();
    return Number(await this.answer());
  }

  stop(): void {
    this.#child.kill("SIGKILL");
  }
}

interface Step {
  /** Datagrams a second that were really sent, and that arrived. */
  readonly offered: number;
  readonly delivered: number;
  /** Those that arrived for one second of the routers' processor time. */
  readonly perSecond: number;
}

/** Processor time of processes so far, in seconds, by the scheduler's own count (proc(5)). */
function scheduledSeconds(pids: readonly number[]): number {
  let nanoseconds = 0;
  for (const pid of pids) {
    for (const thread of readdirSync(`/proc/${pid}/task`)) {
      const text = readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "utf8");
      nanoseconds += Number(text.split(" ")[0]);
    }
  }
  return nanoseconds / 1e9;
}

/** Waits until the queues of an earlier overload are empty. */
async function drained(sink: End): Promise<void> {
  for (let arrived = 1; arrived > 0; ) {
    const now = Date.now();
    arrived = await sink.obey(`${now} ${now + startMs}`);
  }
}

/** All rates, one after the other. */
async function sweep(pair: Pair, sources: readonly End[], sink: End): Promise<Step[]> {
  await drained(sink);
  const steps: Step[] = [];
  for (const rate of offered) {
    const fromMs = Date.now() + startMs;
    const toMs = fromMs + settleMs + stepMs;
    const each = `${fromMs} ${toMs} ${rate / senders}`;
    const before = scheduledSeconds(pair.routers);
    const [delivered, ...sent] = await Promise.all([
      sink.obey(`${fromMs + settleMs} ${toMs}`),
      ...sources.map((source) => source.obey(each)),
    ]);
    const total = sent.reduce((sum, count) => sum + count, 0);
    // They work as hard before it counts as while it does.
    const part = stepMs / (startMs + settleMs + stepMs);
    const busy = (scheduledSeconds(pair.routers) - before) * part;
    steps.push({
      offered: (total * 1000) / (settleMs + stepMs),
      delivered: (delivered! * 1000) / stepMs,
      perSecond: pair.routers.length === 0 ? 0 : delivered! / busy,
    });
  }
  return steps;
}

async function curve(pair: Pair): Promise<Step[][]> {
  const device = pair.from instanceof Container ? "ethwe" : "eth0";
  await must(inside(pair.from, ["ethtool", "-K", device, "tx-udp-segmentation", "off"]));
  for (const pid of pair.routers) await must(["taskset", "-acp", "1", String(pid)]);
  using _ = new ProcessorShare("weave-overload", routersPart, pair.routers);
  const sink = new End(inside(pair.to, [...program, "sink", pair.address, port]), 1);
  const sources = Array.from(
    { length: senders },
    () => new End(inside(pair.from, [...program, "source", pair.address, port, octets]), 0),
  );
  try {
    for (const end of [sink, ...sources]) await end.answer();
    // The first is a warm-up and does not count.
    const runs: Step[][] = [];
    for (let round = 0; round <= rounds; round++) runs.push(await sweep(pair, sources, sink));
    return runs.slice(1);
  } finally {
    for (const end of [sink, ...sources]) end.stop();
  }
}

/** The least part of what arrived before, at a lower rate, that arrives at a higher one. */
function kept(delivered: readonly number[]): number {
  let [most, least] = [0, 1];
  for (const each of delivered) {
    if (most > 0) least = Math.min(least, each / most);
    most = Math.max(most, each);
  }
  return least;
}

function show(name: string, runs: readonly Step[][]): void {
  const steps = offered.map((_, at) => ({
    offered: median(runs.map((run) => run[at]!.offered)),
    delivered: median(runs.map((run) => run[at]!.delivered)),
    perSecond: median(runs.map((run) => run[at]!.perSecond)),
  }));
  const most = Math.max(...steps.map((step) => step.delivered));
  console.log(name);
  for (const step of steps) {
    const bar = "#".repeat(Math.round((step.delivered / most) * 40));
    const [sent, came, perSecond] = [step.offered, step.delivered, step.perSecond].map((value) =>
      Math.round(value).toLocaleString("en").padStart(9),
    );
    console.log(
      `${sent}/s offered ${came}/s delivered ${perSecond} for a second of the routers  ${bar}`,
    );
  }
  const times = (steps.at(-1)!.offered / most).toFixed(1);
  const part = (kept(steps.map((step) => step.delivered)) * 100).toFixed(0);
  console.log(
    `  up to ${times} times of the most that is delivered; more offered never brought less than ${part} % of what less offered did`,
  );
}

export async function benchSleeveOverload(): Promise<void> {
  await must(["taskset", "--version"]);
  const ours = ["ours", "ours"] as const;
  const candidates: (Candidate | undefined)[] = [
    rawVeth,
    sleevePair({ name: "clear", kinds: ours }),
    sleevePair({ name: "encrypted, AES-256-GCM", kinds: ours, encrypted: true }),
    sleevePair({ name: "original, clear", kinds: ["original", "original"] }),
  ];
  for (const candidate of candidates) {
    if (candidate === undefined || !only.test(candidate.name)) continue;
    await using stack = new AsyncDisposableStack();
    show(candidate.name, await curve(await candidate.open(stack, "bo")));
  }
}
