import type { Ipv4Cidr } from "../../lib/base/ip.ts";
import { randomBelow, seededRandom } from "../../lib/base/random.ts";
import { SimCluster, type SimPeer } from "./cluster.ts";
import { ipOf } from "./mesh-peer.ts";

/** Peers of every history. */
export const historySize = 20;

const subnet: Ipv4Cidr = { address: 0x0a20_0000, prefix: 16 };

/** Every peer is told of two others: discovery finds the rest. */
function targetsOf(number: number): string[] {
  return [ipOf((number % historySize) + 1), ipOf(((number + 6) % historySize) + 1)];
}

/** One history of a cluster: requests of users and faults of machines, all from one seed. */
export class History {
  readonly cluster: SimCluster;
  readonly #random;
  /** Addresses given out, by peer and ident. */
  readonly #held = new Map<string, number>();
  #requests = 0;
  readonly trace: string[] = [];

  constructor(seed: number) {
    this.#random = seededRandom(seed);
    this.cluster = new SimCluster(seed);
  }

  async launch(): Promise<void> {
    for (let number = 1; number <= historySize; number++) {
      this.cluster.start(number, targetsOf(number));
      await this.cluster.run(randomBelow(this.#random, 200));
    }
  }

  async step(): Promise<void> {
    const actions = [
      () => this.#allocate(),
      () => this.#allocate(),
      () => this.#free(),
      () => this.#addName(),
      () => this.#addName(),
      () => this.#removeName(),
      () => this.#reset(),
      () => this.#cutAndHeal(),
      () => this.#restart(),
    ];
    actions[randomBelow(this.#random, actions.length)]!();
    await this.cluster.run(100 + randomBelow(this.#random, 2000));
    demand("no address is held twice", this.cluster.doublyHeld(), []);
  }

  #note(text: string): void {
    this.trace.push(`${this.cluster.clock.nowMs} ${text}`);
  }

  #anyPeer(): SimPeer {
    const { peers } = this.cluster;
    return peers[randomBelow(this.#random, peers.length)]!;
  }

  #allocate(): void {
    const peer = this.#anyPeer();
    const ident = `c${this.#requests++}`;
    this.#note(`allocate for ${ident} at ${peer.number}`);
    this.cluster
      .allocatorOf(peer)
      .allocate(ident, subnet, { isContainer: false })
      .then(
        ({ address }) => this.#held.set(`${peer.number} ${ident}`, address),
        // The peer was stopped while the request waited.
        () => undefined,
      );
  }

  #free(): void {
    const [key] = this.#held.keys();
    if (key === undefined) return;
    this.#held.delete(key);
    const [number, ident] = key.split(" ") as [string, string];
    const peer = this.cluster.peer(Number(number));
    this.#note(`free ${ident} at ${number}`);
    if (peer !== undefined) this.cluster.allocatorOf(peer).delete(ident);
  }

  #addName(): void {
    const peer = this.#anyPeer();
    const name = `n${randomBelow(this.#random, 30)}.weave.local.`;
    if (peer.names.has(name)) return;
    const address = { family: 4, value: subnet.address + this.#requests++ } as const;
    this.#note(`name ${name} at ${peer.number}`);
    this.cluster.namesOf(peer).add(name, "weave:extern", address);
    peer.names.set(name, address);
  }

  #removeName(): void {
    const peer = this.#anyPeer();
    const [name] = peer.names.keys();
    if (name === undefined) return;
    this.#note(`unname ${name} at ${peer.number}`);
    this.cluster.namesOf(peer).remove({ name });
    peer.names.delete(name);
  }

  #reset(): void {
    const [a, b] = [this.#anyPeer(), this.#anyPeer()];
    if (a === b) return;
    this.#note(`reset ${a.number} ${b.number}`);
    this.cluster.network.reset(a.ip, b.ip);
  }

  #cutAndHeal(): void {
    const [a, b] = [this.#anyPeer(), this.#anyPeer()];
    if (a === b) return;
    const forMs = 1000 + randomBelow(this.#random, 90_000);
    this.#note(`cut ${a.number} ${b.number} for ${forMs} ms`);
    this.cluster.network.cut(a.ip, b.ip);
    this.cluster.clock.after(forMs, () => this.cluster.network.heal(a.ip, b.ip));
  }

  #restart(): void {
    const { number } = this.#anyPeer();
    const silent = randomBelow(this.#random, 2) === 0;
    const afterMs = randomBelow(this.#random, 20_000);
    this.#note(`kill ${number}${silent ? " silently" : ""}, back after ${afterMs} ms`);
    this.cluster.kill(number, { silent });
    this.cluster.clock.after(afterMs, () => this.cluster.start(number, targetsOf(number)));
  }

  /**
   * Lets all cuts heal and all peers come back, and checks how it ended.
   *
   * @throws Error naming the invariant that does not hold
   */
  async settle(): Promise<void> {
    await this.cluster.run(120_000);
    await this.cluster.runUntil("full mesh", () => this.cluster.isFullMesh(), 900_000);
    await this.cluster.run(120_000);
    this.#checkAgreement();
  }

  /** What must hold when nothing has happened for a while. */
  #checkAgreement(): void {
    const { cluster } = this;
    const rings = [...new Set(cluster.rings())];
    demand("all peers are there", cluster.peers.length, historySize);
    demand("all rings are equal", rings, [rings[0]]);
    demand("there is a ring", rings[0] !== "", true);
    demand(
      "all tables hold the registered names",
      [...new Set(cluster.nameViews())],
      [cluster.registeredNames()],
    );
    demand("no address is held twice", cluster.doublyHeld(), []);
  }
}

function demand(what: string, found: unknown, wanted: unknown): void {
  if (Bun.deepEquals(found, wanted)) return;
  throw new Error(`${what}: want ${JSON.stringify(wanted)}, found ${JSON.stringify(found)}`);
}

/** Runs `body`; a failure names the seed and what had happened. */
export async function told(
  seed: number,
  history: History,
  body: () => Promise<void>,
): Promise<void> {
  try {
    await body();
  } catch (cause) {
    const trace = history.trace.join("\n");
    throw new Error(`simulation failed with seed ${seed}: ${String(cause)}\n${trace}`, { cause });
  }
}
