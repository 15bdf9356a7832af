import { parseDurationMs } from "../../daemon/duration.ts";
import { findCause } from "../../simulator/find-cause.ts";
import type { Happening } from "../../simulator/happening.ts";
import { isFault, type Plan } from "../../simulator/plan.ts";
import { makePlan } from "../../simulator/plan-maker.ts";
import { replayLine } from "../../simulator/replay.ts";
import { simulate as carryOut, type Outcome } from "../../simulator/simulate.ts";
import { drawTimeline, timelineLegend } from "../../simulator/timeline.ts";
import type { CommandContext, CommandHandler, Output } from "../context.ts";
import { exitCode } from "../exit-code.ts";
import { writeJson } from "../json-output.ts";
import { UsageError } from "../usage-error.ts";
import { simulateBundle } from "./simulate-bundle.ts";

/** How often to tell how far it is, in virtual time. */
const progressMs = 60_000;
const timelineColumns = 80;

/** Below, peers are taken for gone that only wait for their next attempt to connect. */
const reclaimMinMs = 10_000;
const reclaimMaxMs = 24 * 3_600_000;

export const simulate: CommandHandler = async (context) => {
  const { flags, stdout } = context;
  const bundle = flags.text("bundle");
  if (bundle !== undefined) return simulateBundle(context, bundle);
  for (const name of ["until", "step"]) {
    if (flags.text(name) !== undefined) throw new UsageError(`--${name} goes with --bundle`);
  }
  const plan = readPlan(context);
  const quiet = flags.enabled("json");
  const startedMs = performance.now();
  if (!quiet) stdout.write(`${titleOf(plan)}\n`);
  const outcome = await carryOut(plan, observer(stdout, quiet, flags.enabled("trace")));
  const tookMs = performance.now() - startedMs;
  if (outcome.breach !== undefined && !quiet) tellBreach(stdout, outcome);
  const cause = outcome.breach === undefined ? undefined : await findCause(outcome);
  if (quiet) {
    writeJson(stdout, "simulate", fieldsOf(outcome, cause, tookMs));
  } else {
    if (cause !== undefined) tellCause(stdout, cause);
    stdout.write(summaryOf(outcome, tookMs));
  }
  return outcome.breach === undefined ? exitCode.success : exitCode.failure;
};

function readPlan({ flags }: CommandContext): Plan {
  const read = (name: string, standard: number, least: number, most: number): number => {
    const value = Number(flags.text(name) ?? standard);
    if (value >= least && value <= most) return value;
    throw new UsageError(`--${name} must be ${least} to ${most}, not ${value}`);
  };
  const faults = read("faults", 200, 0, 100_000);
  const minutes = flags.text("minutes");
  return makePlan(read("seed", 1, 0, 2 ** 32 - 1), {
    peers: read("peers", 20, 2, 1000),
    faults,
    reclaimAfterMs: readReclaim(flags.text("reclaim") ?? "never"),
    ...(minutes !== undefined && { durationMs: read("minutes", 0, 1, 10_000) * 60_000 }),
  });
}

/** Silence after which ranges are taken; 0 for never. */
function readReclaim(text: string): number {
  if (text === "never") return 0;
  const afterMs = parseDurationMs(text);
  if (afterMs >= reclaimMinMs && afterMs <= reclaimMaxMs) return afterMs;
  throw new UsageError(`--reclaim must be "never" or 10s to 24h, not ${text}`);
}

function titleOf({ seed, shape, steps, durationMs }: Plan): string {
  const faults = steps.filter(isFault).length;
  const forms = {
    mesh: "a full mesh",
    chords: "two links dialled by each",
    ring: "a ring with chords",
  };
  const voters = {
    consensus: "elected by all",
    seed: "made by seeds",
    observers: "elected by half",
  };
  return `Seed ${seed}: ${shape.peers} peers, ${forms[shape.topology]}, first ring ${voters[shape.init]}; ${faults} faults and as many requests in ${seconds(durationMs)}.`;
}

function observer(stdout: Output, quiet: boolean, trace: boolean): (event: Happening) => void {
  if (quiet) return () => {};
  if (trace) return (event) => stdout.write(`${lineOf(event)}\n`);
  let [told, count] = [0, 0];
  return ({ atMs }) => {
    count++;
    if (atMs - told < progressMs) return;
    told = atMs;
    stdout.write(`${seconds(atMs).padStart(10)}  ${count} things happened\n`);
  };
}

function tellBreach(stdout: Output, { breach, plan }: Outcome): void {
  if (breach === undefined) return;
  stdout.write(`\nBROKEN after ${seconds(breach.atMs)}: ${breach.invariant}\n${breach.found}\n`);
  stdout.write(`Looking for a part of the ${plan.steps.length} steps that breaks it too ...\n`);
}

function tellCause(stdout: Output, { plan, happenings }: Outcome): void {
  stdout.write(`\nThe shortest history found, of ${plan.steps.length} steps:\n`);
  for (const event of happenings) stdout.write(`${lineOf(event)}\n`);
  const size = { peers: plan.shape.peers, columns: timelineColumns };
  stdout.write(`\n${drawTimeline(happenings, size)}\n${timelineLegend}\n\n`);
}

function summaryOf({ breach, plan, virtualMs, traffic }: Outcome, tookMs: number): string {
  const megabytes = (traffic.bytes / 1e6).toFixed(1);
  const work = `${seconds(virtualMs)} of virtual time, ${traffic.writes} messages of ${megabytes} MB, in ${seconds(tookMs)}.`;
  if (breach === undefined) return `${work}\nEvery invariant held.\n`;
  return `${work}\nReplay: ${replayLine(plan)}\n`;
}

function fieldsOf(outcome: Outcome, cause: Outcome | undefined, tookMs: number) {
  const { plan, breach, virtualMs, traffic } = outcome;
  return {
    seed: plan.seed,
    peers: plan.shape.peers,
    faults: plan.steps.filter(isFault).length,
    requests: plan.steps.filter((step) => !isFault(step)).length,
    holds: breach === undefined,
    virtualMs,
    tookMs: Math.round(tookMs),
    messages: traffic.writes,
    bytes: traffic.bytes,
    ...(breach !== undefined && { breach }),
    ...(cause !== undefined && { shortest: { steps: cause.plan.steps, trace: cause.happenings } }),
  };
}

function lineOf({ atMs, text }: Happening): string {
  return `${(atMs / 1000).toFixed(3).padStart(10)}  ${text}`;
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
