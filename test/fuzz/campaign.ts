import { heapStats } from "bun:jsc";
import { mutants } from "./mutate.ts";
import { defaultLifeInputs, type FuzzLife, type FuzzTarget } from "./target.ts";

/** What a campaign may retain beyond what it had after its warm-up. */
export const growthMaxBytes = 32 << 20;
/** The compiler and the allocator take what they take in the first part of a campaign. */
const warmUpShare = 0.1;

export interface Campaign {
  readonly seed: number;
  /** Mutants to feed. */
  readonly count: number;
  /** Number of the first one: the life that it belongs to begins with its first input. */
  readonly from?: number;
  /** Whether to measure what is retained, which takes a few seconds. */
  readonly measuresMemory?: boolean;
  /** Of processor time that one input may take; without it as much as it likes. */
  readonly inputMaxMs?: number;
  /** Told of each input before it is fed. */
  onInput?(index: number): void;
}

export interface CampaignResult {
  readonly inputs: number;
  readonly accepted: number;
  readonly elapsedMs: number;
  /** Processor time of the slowest input, and its number. */
  readonly longestMs: number;
  readonly longestIndex: number;
  /** After the warm-up and at the end, each after a collection of garbage. */
  readonly rssBytes: readonly [before: number, after: number];
  readonly heapBytes: readonly [before: number, after: number];
}

/** Why a campaign failed, with all it takes to see the failure again. */
export class FuzzFailure extends Error {
  override readonly name = "FuzzFailure";

  constructor(target: string, seed: number, index: number, input: Uint8Array, cause: unknown) {
    const why = cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause);
    const replay = `bun run fuzz --target ${target} --seed ${seed} --only ${index}`;
    super(`${target}: ${why}\n  replay: ${replay}\n  input:  ${input.toHex()}`, { cause });
  }
}

/** Feeds mutants to a target, life after life. @throws FuzzFailure */
export async function runCampaign(target: FuzzTarget, campaign: Campaign): Promise<CampaignResult> {
  const { seed, count } = campaign;
  const lifeInputs = target.lifeInputs ?? defaultLifeInputs;
  const firstLife = Math.floor((campaign.from ?? 0) / lifeInputs);
  const corpus = target.corpus();
  const end = (campaign.from ?? 0) + count;
  const warmLife = firstLife + Math.ceil((count * warmUpShare) / lifeInputs);
  const progress = new Progress(target.name, campaign);
  const memory = campaign.measuresMemory === true ? settledMemory : async () => noMemory;
  let before = await memory();
  const startMs = performance.now();
  let idleMs = 0;
  for (let life = firstLife; life * lifeInputs < end; life++) {
    if (life === warmLife) {
      const measuredMs = performance.now();
      before = await memory();
      idleMs += performance.now() - measuredMs;
    }
    const inputs = Math.min(lifeInputs, end - life * lifeInputs);
    await live(
      target.begin(life),
      life * lifeInputs,
      lifeMutants(seed, corpus, life, inputs),
      progress,
    );
  }
  const elapsedMs = performance.now() - startMs - idleMs;
  const after = await memory();
  return {
    inputs: progress.inputs,
    accepted: progress.accepted,
    elapsedMs,
    longestMs: progress.longestMs,
    longestIndex: progress.longestIndex,
    rssBytes: [before.rss, after.rss],
    heapBytes: [before.heap, after.heap],
  };
}

/** The input of this number, for who was told only the number. */
export function inputAt(target: FuzzTarget, seed: number, index: number): Uint8Array {
  const lifeInputs = target.lifeInputs ?? defaultLifeInputs;
  const life = Math.floor(index / lifeInputs);
  const place = index % lifeInputs;
  const inputs = [...lifeMutants(seed, target.corpus(), life, place + 1)];
  return inputs[place]!;
}

/** Every life has a seed of its own, so that none must be lived to get to a later one. */
function lifeMutants(
  seed: number,
  corpus: readonly Uint8Array[],
  life: number,
  count: number,
): Generator<Uint8Array> {
  return mutants(Math.imul(seed, 0x9e3779b1) + life, corpus, count);
}

async function live(
  life: FuzzLife,
  firstIndex: number,
  inputs: Iterable<Uint8Array>,
  progress: Progress,
): Promise<void> {
  let index = firstIndex;
  for (const input of inputs) {
    // Decoders may decipher where octets lie; a report needs what was fed.
    const fed = input.slice();
    progress.begin(index);
    try {
      const accepted = life.consume(fed);
      // Awaiting what is there already would cost more than most decoders.
      if (typeof accepted === "boolean" ? accepted : await accepted) progress.accepted++;
    } catch (cause) {
      throw progress.failure(index, input, cause);
    }
    progress.end(index, input);
    index++;
  }
  try {
    await life.end?.();
  } catch (cause) {
    throw progress.failure(index - 1, new Uint8Array(0), cause);
  }
}

/** Watches how long each input takes. */
class Progress {
  inputs = 0;
  accepted = 0;
  longestMs = 0;
  longestIndex = 0;
  readonly #target: string;
  readonly #campaign: Campaign;
  #startMs = 0;

  constructor(target: string, campaign: Campaign) {
    this.#target = target;
    this.#campaign = campaign;
  }

  begin(index: number): void {
    this.#campaign.onInput?.(index);
    this.#startMs = busyMs();
  }

  end(index: number, input: Uint8Array): void {
    const tookMs = busyMs() - this.#startMs;
    this.inputs++;
    if (tookMs <= this.longestMs) return;
    this.longestMs = tookMs;
    this.longestIndex = index;
    const { inputMaxMs } = this.#campaign;
    if (inputMaxMs === undefined || tookMs <= inputMaxMs) return;
    const cause = `took ${Math.round(tookMs)} ms, at most ${inputMaxMs} are allowed`;
    throw this.failure(index, input, cause);
  }

  failure(index: number, input: Uint8Array, cause: unknown): FuzzFailure {
    return new FuzzFailure(this.#target, this.#campaign.seed, index, input, cause);
  }
}

/** Processor time of this thread: what else the machine does must not look like a slow input. */
function busyMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}

interface Memory {
  readonly rss: number;
  readonly heap: number;
}

const noMemory: Memory = { rss: 0, heap: 0 };

/**
 * What is left when nothing more can be collected. The allocator gives pages back in its own time,
 * so the least of several looks counts.
 */
async function settledMemory(): Promise<Memory> {
  let rss = Number.POSITIVE_INFINITY;
  for (let look = 0; look < 10; look++) {
    Bun.gc(true);
    await Bun.sleep(100);
    rss = Math.min(rss, process.memoryUsage.rss());
  }
  return { rss, heap: heapStats().heapSize };
}
