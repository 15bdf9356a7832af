import { WeaveError } from "../../lib/base/errors.ts";
import { randomBelow } from "../../lib/base/random.ts";
import { Reflector } from "../../lib/kubernetes/list-watch.ts";
import type { NodeObject } from "../../lib/kubernetes/objects.ts";
import { type ListedPeer, PeerList } from "../../lib/kubernetes/peer-list.ts";
import { PeerListStore } from "../../lib/kubernetes/peer-list-store.ts";
import { mayGoOn, register } from "../../lib/kubernetes/peer-registration.ts";
import { Reclaimer } from "../../lib/kubernetes/reclaimer.ts";
import { nodes } from "../../lib/kubernetes/resources.ts";
import { SimWorld } from "../../lib/simulator/world.ts";
import { VirtualClock } from "../sim/virtual-clock.ts";
import { FakeCluster, someNode } from "./fake-cluster.ts";
import { Interleaver } from "./interleaver.ts";
import { failureOf, MemoryApi } from "./memory-api.ts";
import { originalReclaim } from "./original-node.ts";

export const peerNameOf = (node: string) => `8a:00:00:00:00:0${node.slice(1)}`;

/**
 * A cluster whose nodes look after each other's ranges, in an order that a seed makes, and a ring of
 * one range for each peer.
 */
export class ReclaimingCluster {
  readonly clock = new VirtualClock();
  readonly cluster = new FakeCluster();
  readonly turns: Interleaver;
  readonly processes = new Map<string, NodeProcess>();
  /** By range, whose name is that of who had it first. */
  readonly owners = new Map<string, string>();
  /** `<who> takes <whose>`, for each time that ranges were taken. */
  readonly taken: string[] = [];
  /** By peer, the list that it was in: what is on its disk. */
  readonly remembered = new Map<string, string>();
  /** Nodes that did not go on with what they had. */
  readonly begunAnew: string[] = [];
  /** What must never happen. */
  readonly wrongs: string[] = [];
  /** Nodes that have a router of the original. */
  readonly originals = new Set<string>();
  /** How many of the next calls fail, of all nodes. */
  failures = 0;
  readonly #seed: number;
  #started = 0;

  constructor(seed: number) {
    this.#seed = seed;
    this.turns = new Interleaver(this.clock, seed);
  }

  /** The node is there, and its router starts. */
  add(name: string): void {
    this.addNode(name);
    this.start(name);
  }

  addNode(name: string): void {
    if (this.cluster.get("nodes", name) === undefined) this.cluster.apply(someNode(name));
  }

  start(name: string): void {
    this.#started++;
    const process = new NodeProcess(this, name, this.#seed * 1000 + this.#started);
    this.processes.set(name, process);
    process.run();
  }

  /** The router stops in the middle of whatever it does. */
  crash(name: string): void {
    const process = this.processes.get(name);
    if (process === undefined) return;
    this.turns.kill(process);
    this.processes.delete(name);
  }

  /** The machine is switched off, and its node removed. */
  remove(name: string): void {
    this.crash(name);
    if (this.cluster.get("nodes", name) !== undefined) this.cluster.delete("nodes", name);
  }

  list(): PeerList {
    const map = this.cluster.get("configmaps", "kube-system/weave-net");
    return new PeerList(map?.metadata.annotations ?? {});
  }

  /** Whether everything is as the nodes there are say: list, locks and ranges. */
  isSettled(): boolean {
    const there = this.cluster.list("nodes").items.map(({ metadata }) => peerNameOf(metadata.name));
    const list = this.list();
    const listed = list.peers.map(({ peerName }) => peerName).sort();
    return (
      listed.join() === there.sort().join() &&
      Object.keys(list.annotations).length === 1 &&
      [...this.owners.values()].every((owner) => there.includes(owner)) &&
      [...this.processes.values()].every((process) => process.isKnown)
    );
  }

  describe(): string {
    const { annotations } = this.list();
    const steps = [...this.processes.values()].map(
      ({ name, isRunning, reclaimer }) =>
        `${name}${isRunning ? "" : " (starting)"}: ${JSON.stringify(reclaimer?.status())}`,
    );
    const owners = [...this.owners].map((each) => each.join(" of ")).join(", ");
    return [JSON.stringify(annotations), owners, ...steps].join("\n");
  }

  /** What a router does that is asked to take the ranges of a peer. */
  take(by: NodeProcess, whose: string): void {
    const other = [...this.processes.values()].find((each) => each.peer.peerName === whose);
    if (other?.isKnown) {
      throw new WeaveError("IPAM_PEER_ALIVE", `${whose} is still part of the network`);
    }
    if (other?.isRunning) this.wrongs.push(`${by.name} takes from ${other.name}, which goes on`);
    this.taken.push(`${by.peer.peerName} takes ${whose}`);
    for (const [range, owner] of this.owners) {
      if (owner === whose) this.owners.set(range, by.peer.peerName);
    }
  }
}

/** One run of a router and what looks after removed nodes. */
export class NodeProcess {
  readonly name: string;
  readonly peer: ListedPeer;
  reclaimer: Reclaimer | undefined;
  /** It goes on with the ranges that it had. */
  isRunning = false;
  /** Others have heard of it, which is a while later. */
  isKnown = false;
  readonly #cluster: ReclaimingCluster;
  readonly #world: SimWorld;
  readonly #api: MemoryApi;

  constructor(cluster: ReclaimingCluster, name: string, seed: number) {
    this.name = name;
    this.peer = { peerName: peerNameOf(name), nodeName: name };
    this.#cluster = cluster;
    this.#world = new SimWorld(cluster.clock, seed);
    this.#api = new MemoryApi(cluster.cluster);
    this.#api.before = () => this.#turn();
    this.#api.after = () => this.#turn();
  }

  /** Never waits for anybody: it goes on when its turn has come. */
  run(): void {
    void this.#live();
  }

  async #live(): Promise<void> {
    const { signal } = new AbortController();
    const list = new PeerListStore(this.#world, this.#api);
    const { peerName } = this.peer;
    const listUid = this.#cluster.remembered.get(peerName) ?? "";
    let goesOn = false;
    await this.#again(async () => {
      goesOn = await mayGoOn({ world: this.#world, list }, { peerName, listUid }, signal);
    });
    if (!goesOn && listUid !== "") this.#cluster.begunAnew.push(this.name);
    await this.#cluster.turns.point(this);
    this.isRunning = true;
    if (!this.#cluster.owners.has(peerName)) this.#cluster.owners.set(peerName, peerName);
    await this.#again(() => register(list, this.peer, signal));
    if (this.#cluster.originals.has(this.name)) this.#lookAfterAsOriginal(list);
    else this.#lookAfter(list);
    for (let turn = 0; turn < 10; turn++) await this.#cluster.turns.point(this);
    this.isKnown = true;
  }

  #lookAfter(list: PeerListStore): void {
    const reflector = new Reflector<NodeObject>(this.#world, this.#api, nodes);
    this.reclaimer = new Reclaimer({
      ...{ world: this.#world, api: this.#api, list, nodes: reflector, self: this.peer },
      router: { reclaim: (whose) => this.#reclaim(whose) },
      listed: (listUid) => this.#cluster.remembered.set(this.peer.peerName, listUid),
    });
    reflector.start();
    this.reclaimer.start();
  }

  /** Now, and up to five seconds after each time that a node was removed. */
  #lookAfterAsOriginal(list: PeerListStore): void {
    const { signal } = new AbortController();
    const [api, self] = [this.#api, this.peer];
    const reclaim = (whose: string) => this.#reclaim(whose);
    let last: Promise<void> = Promise.resolve();
    const look = (): void => {
      last = last.then(() =>
        this.#again(() => originalReclaim({ api, list, self, reclaim }, signal)),
      );
    };
    look();
    this.#cluster.cluster.listen(({ plural, type }) => {
      if (plural !== "nodes" || type !== "DELETED") return;
      this.#world.after(randomBelow(this.#world.random, 5000), look);
    });
  }

  async #reclaim(whose: string): Promise<void> {
    await this.#cluster.turns.point(this);
    this.#cluster.take(this, whose);
    await this.#cluster.turns.point(this);
  }

  async #again(act: () => Promise<unknown>): Promise<void> {
    for (;;) {
      try {
        await act();
        return;
      } catch {
        await this.#cluster.turns.point(this);
      }
    }
  }

  async #turn(): Promise<void> {
    await this.#cluster.turns.point(this);
    if (this.#cluster.failures <= 0 || this.#cluster.turns.below(3) > 0) return;
    this.#cluster.failures--;
    throw failureOf("K8S_UNREACHABLE");
  }
}
