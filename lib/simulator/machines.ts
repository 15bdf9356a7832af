import { errorText } from "../base/errors.ts";
import { formatPeerName } from "../base/peer-name.ts";
import type { Cancel } from "../base/world.ts";
import { ipOf, simName } from "./cluster.ts";
import type { History } from "./history.ts";
import type { Release } from "./plan.ts";
import { Views } from "./views.ts";

/** How long a peer that leaves may say goodbye. */
const farewellMs = 2_000;
/** How soon to look again whether something that had to wait can be done. */
const retryMs = 5_000;

/**
 * The lives of machines: killed, wiped, upgraded, back again.
 *
 *   running ──kill──▶ down, disk kept ──▶ running
 *      ├──wipe──▶ down, disk lost ──nobody has old news of it──▶ running
 *      └──leave─▶ saying goodbye ─▶ down, disk lost ─▶ …
 */
export class Machines {
  readonly #history: History;
  readonly #releases: Release[];
  /** Of peers that are down: what is to bring them back. */
  readonly #returns = new Map<number, Cancel>();
  #restartedBeforeRing = false;

  constructor(history: History) {
    this.#history = history;
    this.#releases = [...history.shape.releases];
  }

  start(number: number): void {
    this.#returns.get(number)?.();
    this.#returns.delete(number);
    const history = this.#history;
    const { version, extended } = this.#releases[number - 1]!;
    history.cluster.start(number, history.targets(number), {
      control: {
        ...history.control(number),
        maxProtocolVersion: version,
        extensions: extended,
      },
    });
  }

  kill(number: number, silent: boolean, backAfterMs: number): boolean {
    if (!this.#mayGo(number)) return false;
    this.#history.cluster.kill(number, { silent });
    this.#history.ended(number);
    this.#returnAfter(number, backAfterMs);
    return true;
  }

  /** Loses the disk too, if that is safe now. Otherwise the machine is only killed. */
  wipe(number: number, silent: boolean, backAfterMs: number): "wiped" | "killed" | "not" {
    if (!this.#mayGo(number)) return "not";
    const { cluster } = this.#history;
    const isContested = this.#views().isContested(simName(number));
    cluster.kill(number, { silent });
    this.#history.ended(number);
    if (!isContested) this.#history.wipe(number);
    this.#returnAfter(number, backAfterMs);
    return isContested ? "killed" : "wiped";
  }

  leave(number: number, backAfterMs: number): boolean {
    if (!this.#mayGo(number)) return false;
    const { cluster } = this.#history;
    // What is given up now and not stored would be back after a crash.
    if (cluster.disk(number)?.isFull) return false;
    const peer = cluster.peer(number)!;
    const allocator = cluster.allocatorOf(peer);
    // What is freed may be given to somebody who waits for it, and who has to go as well.
    for (let held = allocator.list(); held.length > 0; held = allocator.list()) {
      for (const { ident } of held) allocator.delete(ident);
    }
    allocator.shutdown();
    this.#history.evict(number);
    cluster.clock.after(farewellMs, () => {
      if (cluster.peer(number) !== peer) return;
      const isContested = this.#views().isContested(simName(number));
      cluster.stop(number);
      this.#history.ended(number);
      // With its disk it knows that it owns nothing any more.
      if (!isContested) this.#history.wipe(number);
      this.#returnAfter(number, backAfterMs);
    });
    return true;
  }

  upgrade(number: number, release: Release): boolean {
    if (!this.#mayGo(number)) return false;
    this.#releases[number - 1] = release;
    this.#history.cluster.stop(number);
    this.#history.ended(number);
    this.#returnAfter(number, 0);
    return true;
  }

  /** Tells `by` to take the ranges of a lost peer, as soon as that is safe and until it is back. */
  takeOver(number: number, by: number): void {
    const { cluster } = this.#history;
    const attempt = (): void => {
      if (!this.#isLost(number)) return;
      if (!this.#tryTakeOver(number, by)) cluster.clock.after(retryMs, attempt);
    };
    cluster.clock.after(retryMs, attempt);
  }

  /** Brings back whoever can come back; says whether all are there. */
  returnAll(): boolean {
    const { cluster, shape } = this.#history;
    for (let number = 1; number <= shape.peers; number++) {
      if (cluster.peer(number) === undefined) this.#tryReturn(number);
    }
    return cluster.peers.length === shape.peers;
  }

  /** Restarts before there is a ring forget promises, and elections stand one such voter. */
  #mayGo(number: number): boolean {
    if (this.#history.cluster.peer(number) === undefined) return false;
    if (this.#views().someRing) return true;
    if (this.#restartedBeforeRing) return false;
    this.#restartedBeforeRing = true;
    return true;
  }

  #returnAfter(number: number, delayMs: number): void {
    const cancel = this.#history.cluster.clock.after(delayMs, () => {
      this.#returns.delete(number);
      this.#tryReturn(number);
    });
    this.#returns.set(number, cancel);
  }

  #tryReturn(number: number): void {
    const { cluster } = this.#history;
    if (cluster.peer(number) !== undefined) return;
    if (this.#isLost(number) && !this.#isAllHeard(number)) {
      this.#returns.get(number)?.();
      this.#returnAfter(number, retryMs);
      return;
    }
    this.start(number);
    this.#history.note(`${number} is back`, "▲", [number]);
  }

  #tryTakeOver(number: number, by: number): boolean {
    const { cluster } = this.#history;
    const taker = cluster.peer(by);
    if (taker === undefined || !this.#views().agreeOn(simName(number), simName(by))) return false;
    if (cluster.network.isUnderWay(ipOf(number))) return false;
    try {
      const gained = cluster.allocatorOf(taker).takeover(formatPeerName(simName(number)), {
        force: false,
      });
      this.#history.note(`${by} takes over ${gained} addresses of ${number}`, "T", [by, number]);
      return true;
    } catch (error) {
      // Still known to be alive.
      this.#history.note(`${by} cannot take over ${number}: ${errorText(error)}`, ".", [by]);
      return false;
    }
  }

  /** Whether everybody knows what a lost peer had given away: nothing that it said is under way. */
  #isAllHeard(number: number): boolean {
    const { network } = this.#history.cluster;
    return !this.#views().isContested(simName(number)) && !network.isUnderWay(ipOf(number));
  }

  #isLost(number: number): boolean {
    const { cluster } = this.#history;
    return cluster.peer(number) === undefined && cluster.disk(number) === undefined;
  }

  #views(): Views {
    return new Views(this.#history.cluster, this.#history.shape.peers);
  }
}
