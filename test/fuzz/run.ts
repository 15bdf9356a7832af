import { parseArgs } from "node:util";
import {
  type CampaignResult,
  FuzzFailure,
  growthMaxBytes,
  inputAt,
  runCampaign,
} from "./campaign.ts";
import { defaultLifeInputs, type FuzzTarget } from "./target.ts";
import { targets } from "./targets.ts";
import { startWatchdog } from "./watchdog.ts";

/**
 * `bun run fuzz [--target name] [--count n] [--seed s] [--only index]`
 *
 * Feeds mutants to every target, each in a process of its own so that its memory can be measured.
 * `--only` replays one input, with those of its life that came before it.
 */
const usage = `usage: bun run fuzz [--target name] [--count n] [--seed s] [--only index]
targets: ${targets.map(({ name }) => name).join(" ")}`;

/** A single input that keeps the processor busy for longer counts as a hang. */
const inputMaxMs = 1000;

const { values } = parseArgs({
  options: {
    target: { type: "string" },
    count: { type: "string", default: "1000000" },
    seed: { type: "string", default: "1" },
    only: { type: "string" },
  },
});
const count = wholeNumber(values.count);
const seed = wholeNumber(values.seed);

if (values.target === undefined) {
  await runAll();
} else {
  const target = targets.find(({ name }) => name === values.target);
  if (target === undefined) refuse(`no target ${values.target}`);
  process.exitCode = (await runOne(target)) ? 0 : 1;
}

async function runAll(): Promise<void> {
  for (const { name } of targets) {
    const options = ["--target", name, "--count", String(count), "--seed", String(seed)];
    const child = Bun.spawn([process.execPath, "run", import.meta.path, ...options], {
      stdio: ["ignore", "inherit", "inherit"],
    });
    if ((await child.exited) !== 0) process.exitCode = 1;
  }
}

async function runOne(target: FuzzTarget): Promise<boolean> {
  const watchdog = startWatchdog(target.name, seed);
  const onInput = (index: number): void => void Atomics.store(watchdog.progress, 0, index);
  try {
    if (values.only !== undefined) return await replay(target, wholeNumber(values.only), onInput);
    return report(
      target,
      await runCampaign(target, { seed, count, inputMaxMs, measuresMemory: true, onInput }),
    );
  } catch (error) {
    if (!(error instanceof FuzzFailure)) throw error;
    console.error(error.message);
    console.error(error.cause);
    return false;
  } finally {
    watchdog.stop();
  }
}

/** The life of one input up to and with it. */
async function replay(
  target: FuzzTarget,
  index: number,
  onInput: (index: number) => void,
): Promise<boolean> {
  console.log(`${target.name} ${index}: ${inputAt(target, seed, index).toHex()}`);
  const from = index - (index % (target.lifeInputs ?? defaultLifeInputs));
  await runCampaign(target, { seed, from, count: index - from + 1, inputMaxMs, onInput });
  console.log("no failure");
  return true;
}

function report(target: FuzzTarget, result: CampaignResult): boolean {
  const { inputs, accepted, elapsedMs, longestMs, longestIndex, rssBytes, heapBytes } = result;
  const grown = rssBytes[1] - rssBytes[0];
  console.log(
    [
      target.name.padEnd(18),
      `${inputs} inputs`,
      `${Math.round((accepted / inputs) * 100)}% accepted`,
      `${Math.round((inputs / elapsedMs) * 1000)}/s`,
      `longest ${longestMs.toFixed(1)} ms (${longestIndex})`,
      `RSS ${megabytes(rssBytes[0])} → ${megabytes(rssBytes[1])} MB`,
      `heap ${megabytes(heapBytes[0])} → ${megabytes(heapBytes[1])} MB`,
    ].join("  "),
  );
  if (grown <= growthMaxBytes) return true;
  console.error(`${target.name}: retained ${megabytes(grown)} MB more than after its warm-up`);
  return false;
}

function megabytes(bytes: number): string {
  return (bytes / 2 ** 20).toFixed(1);
}

function wholeNumber(text: string): number {
  return /^\d{1,9}$/.test(text) ? Number(text) : refuse(`not a whole number: ${text}`);
}

function refuse(sentence: string): never {
  console.error(`${sentence}\n${usage}`);
  process.exit(2);
}
