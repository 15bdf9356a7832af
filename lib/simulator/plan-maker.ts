import { type Random, randomBelow, seededRandom, shuffle } from "../base/random.ts";
import {
  type Fault,
  isFault,
  type Plan,
  type Release,
  type Request,
  type Shape,
  type Step,
} from "./plan.ts";

export interface PlanOptions {
  readonly peers: number;
  readonly faults: number;
  /** How long faults happen; absent: as it comes, a second of virtual time for each or less. */
  readonly durationMs?: number;
  /** Peers gone for so long lose their ranges to the others, and peers are gone for longer. */
  readonly reclaimAfterMs?: number;
}

/** Names that all peers fight over. */
const namesMax = 40;

/** Makes the plan that follows from `seed`; the same options give the same plan. */
export function makePlan(seed: number, options: PlanOptions): Plan {
  const random = seededRandom(seed ^ 0x51a7_e0d1);
  const shape = makeShape(random, options);
  // Drawn in any case, so that what follows does not depend on it.
  const drawnMs = makeDuration(random, options);
  const durationMs = options.durationMs ?? drawnMs;
  const moments = times(random, options.faults, durationMs);
  const users = new Users(random, shape);
  const steps = moments.flatMap((atMs): Step[] => {
    const fault = longEnough(makeFault(random, shape.peers), shape, random);
    const laterMs = randomBelow(random, 400);
    const lonely = lonelyUser(fault, shape);
    const askedAtMs = atMs + (lonely?.afterMs ?? 0) + laterMs;
    if (lonely === undefined || askedAtMs > durationMs) {
      return [
        { atMs, ...fault },
        { atMs: atMs + laterMs, ...users.request() },
      ];
    }
    return [
      { atMs, ...fault },
      { atMs: askedAtMs, ...users.allocation(lonely.peer, false) },
    ];
  });
  steps.sort((a, b) => a.atMs - b.atMs);
  // In some clusters the ring is made because somebody waits for it.
  const first = steps.findIndex((step) => !isFault(step));
  if (first >= 0 && randomBelow(random, 3) === 0) {
    steps[first] = { atMs: steps[first]!.atMs, kind: "prime", peer: 1 };
  }
  return { seed, shape, steps, durationMs };
}

function makeShape(random: Random, { peers, faults, reclaimAfterMs = 0 }: PlanOptions): Shape {
  const initDraw = randomBelow(random, 10);
  const releaseDraw = randomBelow(random, 6);
  const delayMs = pick(random, [0, 1, 5, 40]);
  return {
    peers,
    topology: makeTopology(random),
    init: initDraw < 3 ? "consensus" : initDraw < 8 ? "seed" : "observers",
    prefix: Math.min(pick(random, [16, 20, 22, 24]), roomyPrefix(faults + 2 * peers)),
    delayMs,
    jitterMs: pick(random, [0, 3, 20, 150]),
    setupJitterMs: pick(random, [0, 0, 50, 2000]),
    releases: Array.from({ length: peers }, () => makeRelease(random, releaseDraw)),
    reclaimAfterMs,
  };
}

/** The longest prefix of a universe that twice as many requests as there will be do not fill. */
function roomyPrefix(requests: number): number {
  return Math.max(8, 31 - Math.ceil(Math.log2(requests + 1)));
}

/** A full mesh costs several times as much, and so is rare. */
function makeTopology(random: Random): Shape["topology"] {
  if (randomBelow(random, 80) === 0) return "mesh";
  return randomBelow(random, 2) === 0 ? "chords" : "ring";
}

/** In most clusters trouble comes so thick that most of it overlaps. */
function makeDuration(random: Random, { faults, reclaimAfterMs = 0 }: PlanOptions): number {
  const durationMs = faults * (randomBelow(random, 16) === 0 ? 1000 : 300);
  // With reclaim there is time for several absences that the others do not wait for.
  return Math.max(durationMs, 10 * reclaimAfterMs);
}

/** All of the latest, all without extensions, all of protocol version 1, or mixed. */
function makeRelease(random: Random, draw: number): Release {
  if (draw < 2) return { version: 2, extended: true };
  if (draw < 4) return { version: draw === 2 ? 1 : 2, extended: false };
  return anyRelease(random);
}

function anyRelease(random: Random): Release {
  return { version: pick(random, [1, 2, 2] as const), extended: randomBelow(random, 3) > 0 };
}

/** Ascending; bursts and pauses, as trouble comes. */
function times(random: Random, count: number, durationMs: number): number[] {
  const gaps = Array.from({ length: count }, () => {
    const draw = randomBelow(random, 20);
    if (draw < 7) return randomBelow(random, 50);
    if (draw < 17) return randomBelow(random, 1500);
    return 1500 + randomBelow(random, 6000);
  });
  const total = gaps.reduce((sum, gap) => sum + gap, 1);
  let at = 0;
  return gaps.map((gap) => {
    at += gap;
    return Math.round((at / total) * durationMs);
  });
}

function makeFault(random: Random, peers: number): Fault {
  const peer = 1 + randomBelow(random, peers);
  const other = 1 + ((peer - 1 + 1 + randomBelow(random, peers - 1)) % peers);
  const forMs = pick(random, [200, 2_000, 15_000, 70_000]) + randomBelow(random, 5_000);
  const silent = randomBelow(random, 2) === 0;
  const backAfterMs = pick(random, [0, 0, 1_000, 8_000, 75_000]) + randomBelow(random, 1_000);
  switch (randomBelow(random, 20)) {
    case 0:
    case 1:
      return { kind: "reset", a: peer, b: other };
    case 2:
    case 3:
      return { kind: "cut", a: peer, b: other, forMs };
    case 4:
      return { kind: "one-way cut", from: peer, to: other, forMs };
    case 5:
      return makePartition(random, peers, forMs);
    case 6:
    case 7:
      return { ...slowLink(random), a: peer, b: other, forMs };
    case 8:
      return { kind: "slow peer", peer, bytesPerMs: pick(random, [0.5, 2, 20]), forMs };
    case 9:
    case 10:
      return { kind: "redial", a: peer, b: other };
    case 11:
      return { kind: "disk full", peer, forMs: Math.min(forMs, 10_000) };
    case 12:
      return { kind: "clock skew", peer, skewMs: skew(random), forMs };
    case 13:
    case 14:
    case 15:
      return { kind: "kill", peer, silent, backAfterMs };
    case 16:
      // Killed, and back before anybody noticed.
      return { kind: "kill", peer, silent, backAfterMs: 0 };
    case 17:
      return wipe(random, peer, other, silent, backAfterMs);
    case 18:
      return { kind: "leave", peer, backAfterMs: 5_000 + backAfterMs };
    default:
      return { kind: "upgrade", peer, release: anyRelease(random) };
  }
}

/**
 * With reclaim some absences last until the others have taken what the absent one owned. Disks stay:
 * a council is made of memories, and the loss of most of them ends it.
 */
function longEnough(drawn: Fault, { reclaimAfterMs }: Shape, random: Random): Fault {
  if (reclaimAfterMs === 0) return drawn;
  const isLoss = drawn.kind === "wipe" || drawn.kind === "leave";
  const fault: Fault = isLoss
    ? { kind: "kill", peer: drawn.peer, silent: true, backAfterMs: drawn.backAfterMs }
    : drawn;
  if (randomBelow(random, 2) === 0) return fault;
  const longMs = 2 * reclaimAfterMs + randomBelow(random, 2 * reclaimAfterMs);
  if (fault.kind === "kill") return { ...fault, backAfterMs: longMs };
  if (fault.kind === "partition")
    return { ...fault, group: fault.group.slice(0, 2), forMs: longMs };
  return fault;
}

/**
 * Users of a peer that was away for long, or still is, ask for addresses all the same: it is they
 * whom its ranges must not serve when others have taken them.
 */
function lonelyUser(fault: Fault, { reclaimAfterMs }: Shape) {
  if (reclaimAfterMs === 0) return undefined;
  if (fault.kind === "kill" && fault.backAfterMs > reclaimAfterMs) {
    return { peer: fault.peer, afterMs: fault.backAfterMs };
  }
  if (fault.kind === "partition" && fault.forMs > reclaimAfterMs) {
    return { peer: fault.group[0]!, afterMs: fault.forMs - 2_000 };
  }
  return undefined;
}

function makePartition(random: Random, peers: number, forMs: number): Fault {
  const all = shuffle(
    random,
    Array.from({ length: peers }, (_, index) => index + 1),
  );
  const group = all.slice(0, 1 + randomBelow(random, Math.max(1, peers >> 1)));
  return { kind: "partition", group: group.sort((a, b) => a - b), forMs };
}

function slowLink(random: Random) {
  const [delayMs, jitterMs] = pick(random, [
    [200, 100],
    [1_000, 2_000],
    [4_000, 500],
  ] as const);
  return { kind: "slow link", delayMs, jitterMs } as const;
}

/** Within and beyond what peers put up with, which is 900 s. */
function skew(random: Random): number {
  const sign = randomBelow(random, 2) === 0 ? 1 : -1;
  return sign * pick(random, [2_000, 300_000, 800_000, 1_000_000, 86_400_000]);
}

function wipe(
  random: Random,
  peer: number,
  other: number,
  silent: boolean,
  backAfterMs: number,
): Fault {
  if (randomBelow(random, 2) === 0) return { kind: "wipe", peer, silent, backAfterMs };
  return {
    kind: "wipe",
    peer,
    silent,
    backAfterMs: 60_000 + backAfterMs,
    takenOverBy: other,
  };
}

/** Draws what users ask for, knowing what they asked for before. */
class Users {
  readonly #random: Random;
  readonly #shape: Shape;
  readonly #idents: { peer: number; ident: string }[] = [];
  readonly #names: { peer: number; name: string }[] = [];
  #count = 0;

  constructor(random: Random, shape: Shape) {
    this.#random = random;
    this.#shape = shape;
  }

  request(): Request {
    const random = this.#random;
    const peer = 1 + randomBelow(random, this.#shape.peers);
    if (randomBelow(random, 30) === 0) return { kind: "prime", peer };
    switch (randomBelow(random, 10)) {
      case 0:
      case 1:
      case 2:
        return this.allocation(peer, randomBelow(random, 4) === 0);
      case 3:
        return { kind: "claim", peer, ident: this.#ident(peer), offset: this.#offset() };
      case 4:
      case 5: {
        const [held] = this.#idents.splice(randomBelow(random, this.#idents.length || 1), 1);
        return { kind: "free", ...(held ?? { peer, ident: this.#ident(peer) }) };
      }
      case 6:
      case 7:
      case 8:
        return this.#name(peer);
      default: {
        const [named] = this.#names.splice(randomBelow(random, this.#names.length || 1), 1);
        return named === undefined ? this.#name(peer) : { kind: "unname", ...named };
      }
    }
  }

  allocation(peer: number, half: boolean): Request {
    return { kind: "allocate", peer, ident: this.#ident(peer), half };
  }

  /** A new one, to be freed some day. */
  #ident(peer: number): string {
    const ident = `c${this.#count++}`;
    this.#idents.push({ peer, ident });
    return ident;
  }

  /** Neither the first nor the last address of the universe. */
  #offset(): number {
    return 1 + randomBelow(this.#random, 2 ** (32 - this.#shape.prefix) - 2);
  }

  #name(peer: number): Request {
    const name = `n${randomBelow(this.#random, namesMax)}.weave.local.`;
    this.#names.push({ peer, name });
    return { kind: "name", peer, name, address: 0x0a20_0000 + this.#count++ };
  }
}

function pick<T>(random: Random, choices: readonly T[]): T {
  return choices[randomBelow(random, choices.length)]!;
}
