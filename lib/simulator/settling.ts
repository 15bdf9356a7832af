import { disagreement, ringFault, topologyText } from "./agreement.ts";
import type { SimCluster } from "./cluster.ts";
import type { Faults } from "./faults.ts";
import type { History } from "./history.ts";
import type { Machines } from "./machines.ts";
import { allocate } from "./requests.ts";

/** How long a cluster that is left in peace may take for each of its duties. */
const agreeMaxMs = 900_000;
const returnMaxMs = 600_000;
const allocateMaxMs = 300_000;
const pollMs = 5_000;
/** After this, what was closed is flushed and no timer of a stopped peer is left. */
const windDownMs = 30_000;
/** Longer than a broadcast takes over the slowest path. */
const broadcastMs = 10_000;
/** More than there are links that may still be missing when all agree. */
const broadcastsMax = 20;

/**
 * The end of a history: what was broken is mended, all peers come back, and then everything must be
 * as if nothing had happened.
 *
 *   mended ─▶ all there ─▶ rings agree ─▶ an address for everybody ─▶ all agree
 *          ─▶ broadcasts come once ─▶ stopped: nothing is left running
 */
export class Settling {
  readonly #history: History;
  readonly #machines: Machines;
  readonly #faults: Faults;

  constructor(history: History, machines: Machines, faults: Faults) {
    this.#history = history;
    this.#machines = machines;
    this.#faults = faults;
  }

  /** Leaves the first breach in the history. */
  async run(): Promise<void> {
    const { cluster, holdings } = this.#history;
    this.#faults.endAll();
    this.#reconnect();
    await this.#await(returnMaxMs, () => {
      if (this.#machines.returnAll()) return undefined;
      this.#bridge();
      return { invariant: "peers that lost their disks can come back", found: "", peers: [] };
    });
    await this.#await(agreeMaxMs, () => ringFault(cluster));
    await this.#allocateEverywhere();
    this.#reconnect();
    const known = this.#history.shape.reclaimAfterMs > 0 ? undefined : holdings;
    await this.#await(agreeMaxMs, () => disagreement(cluster, known));
    await this.#broadcastEverywhere();
    this.#checkHeld();
    await this.#stop();
  }

  /** As an operator does who does not want to wait for the next attempt. */
  #reconnect(): void {
    for (const { number, plane } of this.#history.cluster.peers) {
      plane.mesh.connect(this.#history.targets(number), { replace: true });
    }
  }

  /**
   * As an operator does while others are away whom a peer needs to be connected to the rest: they may
   * be waiting for it to hear what has become of their addresses.
   */
  #bridge(): void {
    const { peers } = this.#history.cluster;
    for (const [at, { plane }] of peers.entries()) {
      plane.mesh.connect([peers[(at + 1) % peers.length]!.ip], { replace: false });
    }
  }

  async #await(
    limitMs: number,
    fault: () => { invariant: string; found: string; peers: readonly number[] } | undefined,
  ): Promise<void> {
    const history = this.#history;
    const untilMs = history.nowMs + limitMs;
    while (history.breach === undefined) {
      const found = fault();
      if (found === undefined) return;
      if (history.nowMs >= untilMs) {
        history.break(found.invariant, found.found, found.peers);
        return;
      }
      await history.advance(history.nowMs + pollMs);
    }
  }

  async #allocateEverywhere(): Promise<void> {
    const history = this.#history;
    if (history.breach !== undefined) return;
    const { peers } = history.cluster;
    for (const peer of peers) allocate(history, peer, lastIdent, false);
    await this.#await(allocateMaxMs, () => {
      const without = peers.filter(
        (peer) => history.cluster.allocatorOf(peer).lookup(lastIdent).length === 0,
      );
      if (without.length === 0) return undefined;
      const numbers = without.map(({ number }) => number);
      const found = `none for ${numbers.join(", ")}`;
      return { invariant: "every peer can have an address", found, peers: numbers };
    });
  }

  /** One that meets a new link on its way takes two trees at once, and may miss somebody. */
  async #broadcastEverywhere(): Promise<void> {
    const history = this.#history;
    for (let round = 1; history.breach === undefined; round++) {
      const before = topologies(history.cluster);
      for (const [number, counter] of history.words) counter.say(wordOf(number, round));
      await history.advance(history.nowMs + broadcastMs);
      if (topologies(history.cluster) === before) {
        this.#checkWords(round);
        return;
      }
      if (round < broadcastsMax) continue;
      const found = `links changed during ${broadcastsMax} broadcasts in turn`;
      history.break("a mesh that is left in peace rests", found, []);
    }
  }

  #checkWords(round: number): void {
    const { words } = this.#history;
    for (const [number, counter] of words) {
      for (const origin of words.keys()) {
        const count = counter.count(wordOf(origin, round));
        if (count === (origin === number ? 0 : 1)) continue;
        const found = `the broadcast of ${origin} came to ${number} ${count} times`;
        this.#history.break("a broadcast comes exactly once", found, [origin, number]);
      }
    }
  }

  #checkHeld(): void {
    const twice = this.#history.cluster.doublyHeld();
    if (twice.length > 0) this.#history.break("no address is held twice", twice.join(", "), []);
  }

  async #stop(): Promise<void> {
    const history = this.#history;
    if (history.breach !== undefined) return;
    const { cluster } = history;
    for (const { number } of cluster.peers) cluster.stop(number);
    await history.advance(history.nowMs + windDownMs);
    const timers = cluster.worlds.reduce((sum, world) => sum + world.timers, 0);
    const streams = cluster.network.streams().length;
    if (timers + streams === 0) return;
    const found = `${timers} timers and ${streams} streams`;
    history.break("a stopped peer leaves nothing running", found, []);
  }
}

/** Asks for an address in the end, at every peer. */
const lastIdent = "last";

function wordOf(number: number, round: number): string {
  return `word ${round} of ${number}`;
}

/** Who is linked to whom in the eyes of all. */
function topologies(cluster: SimCluster): string {
  return cluster.peers.map(({ plane }) => topologyText(plane.mesh.status())).join("\n");
}
