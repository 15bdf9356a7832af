import { errorCode, errorText } from "../base/errors.ts";
import type { Cancel, World } from "../base/world.ts";
import { Alarm } from "./alarm.ts";
import type { KubernetesApi } from "./kubernetes-api.ts";
import type { ObjectSource } from "./object-observer.ts";
import type { NodeObject } from "./objects.ts";
import type { ListedPeer, PeerList } from "./peer-list.ts";
import type { PeerListStore } from "./peer-list-store.ts";
import { register } from "./peer-registration.ts";
import { ReclaimCycle, type ReclaimStep, type Standing } from "./reclaim-cycle.ts";
import { claimOn } from "./reclaim-order.ts";
import { nodes } from "./resources.ts";
import type { RouterPort } from "./router-port.ts";

/** Sleep ends when somebody rings; this is for what nobody told of. */
const sleepMaxMs = 600_000;

/** Nodes have not been listed yet. */
const notSyncedMs = 1000;

export interface ReclaimerParts {
  readonly world: World;
  readonly api: KubernetesApi;
  readonly list: PeerListStore;
  /** Followed by somebody else. */
  readonly nodes: ObjectSource<NodeObject>;
  readonly router: Pick<RouterPort, "reclaim">;
  /** In the list by now. */
  readonly self: ListedPeer;
  /** Told of each list that this peer is in, by its UID, to remember it. */
  readonly listed?: (listUid: string) => void;
}

export interface ReclaimerStatus {
  readonly step: ReclaimStep["kind"];
  readonly standing: Standing;
  /** Peers that are gone and still in the list, as far as known. */
  readonly gone: number;
  /** Peers whose ranges were taken here, since the start. */
  readonly reclaimed: number;
  /** The last that went wrong; missing once something went well. */
  readonly trouble: { readonly code: string; readonly text: string } | undefined;
}

/**
 * Takes over what peers had whose nodes were removed from the cluster. What is done next is decided
 * by {@link ReclaimCycle}; here it is done.
 */
export class Reclaimer {
  readonly #parts: ReclaimerParts;
  readonly #cycle: ReclaimCycle;
  readonly #alarm: Alarm;
  readonly #end = new AbortController();
  readonly #unobserve: Cancel;
  /** Of the list that we are in, or were last. */
  #listUid: string | undefined;
  #trouble: ReclaimerStatus["trouble"];
  #run: Promise<void> | undefined;

  constructor(parts: ReclaimerParts) {
    this.#parts = parts;
    this.#cycle = new ReclaimCycle(parts.self, parts.world.random);
    this.#alarm = new Alarm(parts.world);
    const { nodes: known, world } = parts;
    this.#unobserve = known.observe({
      changed: (change) => {
        if (change !== "added") return;
        this.#cycle.nodeAdded();
        this.#alarm.ring();
      },
      deleted: ({ metadata }) => {
        this.#cycle.nodeRemoved(metadata.name, this.#nodeNames(), world.monotonicMs());
        this.#alarm.ring();
      },
    });
  }

  start(): void {
    this.#run ??= this.#keepReclaiming(this.#end.signal);
  }

  /** Resolves when nothing is begun any more. */
  async stop(): Promise<void> {
    this.#unobserve();
    this.#end.abort();
    await this.#run;
  }

  status(): ReclaimerStatus {
    const { step, standing, gone, reclaimed } = this.#cycle;
    return { step: step.kind, standing, gone, reclaimed, trouble: this.#trouble };
  }

  async #keepReclaiming(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const { step } = this.#cycle;
      if (step.kind === "sleep" || step.kind === "rest") {
        await this.#alarm.wait(step.kind === "rest" ? step.delayMs : sleepMaxMs, signal);
        // Who rang has said what follows.
        if (this.#cycle.step === step) this.#cycle.rested();
        continue;
      }
      try {
        await this.#carryOut(step, signal);
        this.#trouble = undefined;
      } catch (error) {
        if (!signal.aborted) this.#failed(error);
      }
    }
  }

  async #carryOut(step: ReclaimStep, signal: AbortSignal): Promise<void> {
    switch (step.kind) {
      case "look":
        return this.#look(signal);
      case "claim":
        return this.#claim(step.peer);
      case "confirm":
        return this.#confirm(step.peer);
      case "take":
        return this.#take(step.peer);
      case "strike":
        return this.#strike(step.peer, signal);
      case "release":
        return this.#release(step.peer, signal);
    }
  }

  async #look(signal: AbortSignal): Promise<void> {
    const { nodes: known, world } = this.#parts;
    if (!known.status().synced) return this.#alarm.wait(notSyncedMs, signal);
    const found = await this.#readList(signal);
    const before = this.#cycle.standing;
    this.#cycle.looked(found, this.#nodeNames(), world.monotonicMs());
    const { standing } = this.#cycle;
    if (standing !== before && standing !== "member") world.log.warn(warnings[standing]);
  }

  /**
   * As it is; but one that was made anew, because somebody has removed the one that we were in, has
   * us again.
   */
  async #readList(signal: AbortSignal): Promise<PeerList> {
    const { list, self, world, listed } = this.#parts;
    let found = await list.read();
    const isAnother = this.#listUid !== undefined && found.uid !== this.#listUid;
    if (isAnother && !found.has(self.peerName)) {
      world.log.warn("the list of the cluster's peers was removed: this one enters it again");
      found = await register(list, self, signal);
    }
    if (found.has(self.peerName) && found.uid !== this.#listUid) {
      this.#listUid = found.uid;
      listed?.(found.uid);
    }
    return found;
  }

  /** Whoever has the lock at the moment of writing keeps it, unless nobody goes on with it. */
  async #claim(peer: ListedPeer): Promise<void> {
    const { list, self } = this.#parts;
    const after = await list.tryUpdate((now) => {
      const claim = claimOn(now, peer.peerName, self);
      const isOpen = now.has(peer.peerName) && (claim === "free" || claim === "orphaned");
      return isOpen ? now.withLock(peer.peerName, self.peerName) : now;
    });
    const isOurs = after !== undefined && claimOn(after, peer.peerName, self) === "ours";
    this.#cycle.claimed(peer, isOurs);
  }

  async #confirm(peer: ListedPeer): Promise<void> {
    const { list, self } = this.#parts;
    const found = await list.read();
    const hasNode = await this.#hasNode(peer.nodeName);
    const hasOwnNode = await this.#hasNode(self.nodeName);
    this.#cycle.confirmed(peer, { list: found, hasNode, hasOwnNode });
  }

  async #take(peer: ListedPeer): Promise<void> {
    const { router, world } = this.#parts;
    const { peerName, nodeName } = peer;
    try {
      await router.reclaim(peerName);
    } catch (error) {
      if (errorCode(error) !== "IPAM_PEER_ALIVE") throw error;
      this.#cycle.taken(peer, true, world.monotonicMs());
      return;
    }
    world.log.info(`took over what peer ${peerName} of node ${nodeName} had, which is gone`);
    this.#cycle.taken(peer, false, world.monotonicMs());
  }

  async #strike({ peerName }: ListedPeer, signal: AbortSignal): Promise<void> {
    await this.#parts.list.update((now) => now.withoutPeer(peerName), signal);
    this.#cycle.struck();
  }

  async #release({ peerName }: ListedPeer, signal: AbortSignal): Promise<void> {
    const { list, self } = this.#parts;
    await list.update((now) => now.withoutLock(peerName, self.peerName), signal);
    this.#cycle.released();
  }

  #nodeNames(): Set<string> {
    return new Set(this.#parts.nodes.all().map(({ metadata }) => metadata.name));
  }

  /** As the server has it: what we follow may be a moment behind. */
  async #hasNode(name: string): Promise<boolean> {
    return (await this.#parts.api.get(nodes, { name })) !== undefined;
  }

  #failed(error: unknown): void {
    const text = errorText(error);
    if (this.#trouble?.text !== text) {
      this.#parts.world.log.warn(`cannot look after removed nodes: ${text}; trying again`);
    }
    this.#trouble = { code: errorCode(error), text };
    this.#cycle.failed();
  }
}

const warnings = {
  nodeless: "this node is not among the nodes of the cluster: others will take over its addresses",
  struck:
    "this peer is not in the list of the cluster's peers any more: others may have its addresses; " +
    "restart its pod",
} as const;
