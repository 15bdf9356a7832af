import type { Measurement } from "../../api/metrics/measurement.ts";
import { errorText, WeaveError } from "../../base/errors.ts";
import { type Cidr, formatCidr, type HostIp } from "../../base/ip.ts";
import { type EventSink, noEvents } from "../../base/network-event.ts";
import { pause } from "../../base/pause.ts";
import type { PeerName } from "../../base/peer-name.ts";
import type { World } from "../../base/world.ts";
import type { HostEnforcer } from "../../host/policy/host-enforcer.ts";
import type { SharedPolicy } from "../../policy/gossip/shared-policy.ts";
import { BlockedLog, type BlockedTeller } from "./blocked-log.ts";
import type { HostDocument } from "./host-document.ts";
import { type AttachedAddresses, endpointPrefix, HostPods, hostIps } from "./host-pods.ts";
import type { KnownOfContainer } from "./pod-facts.ts";
import { PodInterfaces } from "./pod-interfaces.ts";
import type { PodStore } from "./pod-store.ts";
import {
  PolicyController,
  type PolicyControllerOptions,
  type PolicyPhase,
  type PolicyTrouble,
} from "./policy-controller.ts";
import type { PolicySource } from "./policy-input.ts";
import type { RecentBlock } from "./recent-blocks.ts";
import { SharedNews } from "./shared-news.ts";
import { SharedSource } from "./shared-source.ts";
import type { StandingOptions } from "./standing-cutter.ts";

/** How long it takes others to tell of their containers at most; originals never do. */
const tellMaxMs = 1_000;
const tellPollMs = 25;

export interface PolicyServiceOptions {
  readonly world: Pick<World, "after" | "now" | "monotonicMs" | "log">;
  readonly self: PeerName;
  /** Missing for a peer that takes no part in policies. */
  readonly shared: SharedPolicy | undefined;
  readonly store: PodStore;
  readonly mode: PolicyControllerOptions["mode"];
  /** Whether another source takes the place of what peers tell each other; see {@link PolicyService.begin}. */
  readonly isOfCluster: boolean;
  /** All containers that are attached. */
  attached(): AttachedAddresses;
  /** Of the bridge, in CIDR notation. */
  exposed(): readonly string[];
  readonly nickname: string;
  /** Of another peer; `undefined` when the mesh does not know it. */
  nicknameOf(peer: PeerName): string | undefined;
  /** Peers that can be reached, this one among them. */
  peers(): readonly string[];
  readonly enforcer: PolicyControllerOptions["enforcer"];
  /** What ends connections that later policies do not allow; absent: they go on. */
  readonly standing?: Omit<StandingOptions, "emit">;
  /** Begins to hear of what is dropped. @throws WeaveError, SystemError */
  blocked(labels: HostEnforcer["labels"]): BlockedTeller;
  readonly mark: PolicyControllerOptions["mark"];
  /** Has the kernel forget connections of addresses. @throws SystemError */
  forget(addresses: readonly HostIp[]): void;
  /** Absent: nobody is told. */
  readonly emit?: EventSink;
}

/** Has a container judged by policies before it can send anything. */
export interface Admission {
  /**
   * To be called before an interface with these addresses is made.
   *
   * @returns what to call when it is made and known to whoever keeps it, or could not be made
   * @throws WeaveError `POLICY_NOT_READY`, `POLICY_NOT_ENFORCED`
   */
  admit(
    container: KnownOfContainer,
    addresses: readonly Cidr[],
    signal: AbortSignal,
  ): Promise<Admitted>;
}

/** A container as an engine lists it. */
export interface FoundContainer {
  readonly id: string;
  readonly names: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
}

export interface Admitted {
  made(): void;
  undo(): void;
}

/**
 * Policies of this host: who they are about here, where they come from, and that they are enforced.
 *
 *   node of a cluster   what its agent begins with
 *   any other host      SharedSource: what peers tell each other, and the containers of this host
 */
export class PolicyService implements Admission {
  readonly pods: HostPods;
  readonly #options: PolicyServiceOptions;
  readonly #shared: SharedSource | undefined;
  readonly #interfaces: PodInterfaces;
  #controller: PolicyController | undefined;
  #blocked: BlockedLog | undefined;
  #strangers: ReadonlySet<string> = new Set();
  #toldPhase: PolicyPhase | undefined;
  /** Why connections could not be forgotten the last time. */
  #unforgotten: string | undefined;
  #isStopped = false;

  constructor(options: PolicyServiceOptions) {
    this.#options = options;
    const { self, shared, mode, isOfCluster, emit = noEvents } = options;
    this.pods = new HostPods(options.store, () => options.attached());
    this.#interfaces = new PodInterfaces(this.pods);
    const isForced = mode === "on";
    this.#shared =
      isOfCluster || shared === undefined
        ? undefined
        : new SharedSource({
            ...{ self, shared, isForced },
            pods: () => this.pods.all(),
            host: () => this.#host(),
            news: new SharedNews(emit, self, (peer) => this.#nickname(peer)),
          });
  }

  /** Begins with what is stored, unless a cluster's agent has to begin. */
  start(): void {
    if (this.#shared !== undefined) this.begin(this.#shared);
    else if (this.#options.mode === "off") this.begin(nobody);
  }

  /** Begins to enforce what `source` tells, in place of whatever a former run has put in place. */
  begin(source: PolicySource): void {
    const { world, mode, enforcer, mark, standing, emit = noEvents } = this.#options;
    this.#controller?.stop();
    this.#controller = new PolicyController({
      ...{ world, source, mode, enforcer, mark },
      ...(standing !== undefined && { standing: { ...standing, emit } }),
      // Others are to know whether this host enforces; it has just told them of something else.
      phaseChanged: () => void world.after(0, () => this.#phaseChanged()),
    });
    if (source !== this.#shared) {
      this.#interfaces.admitAgain(this.#controller, this.#options.attached().keys());
    }
    this.#controller.start();
  }

  /** Missing before a source has begun. */
  get controller(): PolicyController | undefined {
    return this.#controller;
  }

  /** Whether policies are those of `weave policy`, and not those of a cluster. */
  get isShared(): boolean {
    return this.#shared !== undefined;
  }

  async admit(
    container: KnownOfContainer,
    addresses: readonly Cidr[],
    signal: AbortSignal,
  ): Promise<Admitted> {
    const { world, mode, isOfCluster } = this.#options;
    const controller = this.#controller;
    const isJudged = mode !== "off" && (controller !== undefined || isOfCluster);
    const ips = hostIps(addresses.map(formatCidr));
    const had = new Set(this.pods.addressesOf(container.ident));
    const settled = this.pods.expect(container, ips, world.now());
    const undo = (): void => {
      settled();
      if (this.pods.addressesOf(container.ident).length === 0) this.dismiss(container.ident);
      this.hostChanged();
    };
    if (!isJudged) return { made: settled, undo };
    try {
      if (controller === undefined) throw notBegun();
      if (this.#shared !== undefined) {
        this.#shared.hostChanged();
        controller.mustStand();
      } else {
        const made = this.#interfaces.of(container.ident, container.pod !== undefined);
        if (made !== undefined) await controller.admit(made, signal);
      }
      this.#beginAnew(ips.filter((ip) => !had.has(ip)));
      return { made: settled, undo };
    } catch (error) {
      undo();
      throw error;
    }
  }

  /** All that an engine knows: some may have been attached when nobody noted who they are. */
  found(all: readonly FoundContainer[]): void {
    const attached = this.#options.attached();
    const unknown = all.filter(({ id }) => attached.has(id) && this.pods.facts(id) === undefined);
    for (const { id, names, labels } of unknown) {
      this.pods.learn({ ident: id, name: names[0], labels }, this.#options.world.now());
    }
    if (unknown.length > 0) this.hostChanged();
  }

  /** A container lost its last interface. */
  dismiss(ident: string): void {
    this.#controller?.dismiss(ident);
  }

  /** Has the hosts tell of their containers from now on, as soon as they may. */
  askAll(): void {
    this.#shared?.wake();
  }

  /** Resolves when the containers of all hosts are known, or those are that tell of theirs soon. */
  async allKnown(): Promise<void> {
    const shared = this.#shared;
    if (shared === undefined || !shared.wake()) return;
    const { world, peers } = this.#options;
    const untilMs = world.monotonicMs() + tellMaxMs;
    while (world.monotonicMs() < untilMs) {
      const { tellers } = shared;
      if (peers().every((peer) => tellers.has(peer))) return;
      await pause(world, tellPollMs, new AbortController().signal);
    }
  }

  /** Containers of this host came or went. */
  hostChanged(): void {
    this.#holdStrangers();
    if (this.#shared === undefined && this.#controller) this.#interfaces.follow(this.#controller);
    this.pods.tidy();
    this.#shared?.hostChanged();
  }

  /**
   * A container is about to take a place in an engine's network.
   *
   * @throws WeaveError `POLICY_NOT_ENFORCED`
   */
  joining(): void {
    this.hostChanged();
    this.#controller?.mustStand();
    this.#beginAnew([...this.pods.strangers().values()].flat());
  }

  /** Whose a place in an engine's network is. */
  joined(endpoint: string, container: Pick<KnownOfContainer, "name" | "labels">): void {
    const ident = `${endpointPrefix}${endpoint}`;
    this.pods.learn({ ...container, ident }, this.#options.world.now());
    this.hostChanged();
    this.#controller?.act();
  }

  /** Puts back what somebody has changed. To be called every few seconds. */
  check(): void {
    this.#controller?.check();
  }

  stop(): void {
    this.#isStopped = true;
    this.#controller?.stop();
    this.#blocked?.stop();
  }

  /** What was dropped, for metrics. */
  get blocked(): readonly Measurement[] {
    return this.#blocked?.measurements() ?? [];
  }

  /** The same of late, for `weave doctor`. */
  blockedLately(): readonly RecentBlock[] {
    return this.#blocked?.lately() ?? [];
  }

  /** What was let through to and from who had these addresses before is not for who gets them now. */
  #beginAnew(addresses: readonly HostIp[]): void {
    if (this.#controller?.isWanted !== true || addresses.length === 0) return;
    const { world, forget } = this.#options;
    try {
      forget(addresses);
      this.#unforgotten = undefined;
    } catch (error) {
      const why = errorText(error);
      if (why !== this.#unforgotten) {
        world.log.warn(`policy: connections may go on when an address comes to another: ${why}`);
      }
      this.#unforgotten = why;
    }
  }

  /** Nothing passes to or from who has a place, and nobody knows who that is. */
  #holdStrangers(): void {
    const controller = this.#controller;
    if (controller === undefined || this.#shared === undefined) return;
    const { admitted } = controller.tables;
    const strangers = this.pods.strangers();
    for (const [container, addresses] of strangers) {
      const isHeld = this.#strangers.has(container);
      const nobody = { namespace: "", name: container, sinceMs: this.#options.world.now() };
      if (!isHeld) admitted.admit({ ...nobody, container, addresses });
    }
    for (const gone of this.#strangers.difference(new Set(strangers.keys()))) {
      controller.dismiss(gone);
    }
    this.#strangers = new Set(strangers.keys());
  }

  #phaseChanged(): void {
    if (this.#isStopped) return;
    this.hostChanged();
    const { phase, chosen, trouble } = this.#controller ?? {};
    this.#tellPhase(phase, trouble);
    if (phase === "off") this.#blocked?.stop();
    if (phase !== "enforcing" || chosen === undefined) return;
    const { world, blocked, emit } = this.#options;
    this.#blocked ??= new BlockedLog(world, () => blocked(chosen.enforcer.labels), emit);
    this.#blocked.start();
  }

  /** The first one that is `off`, or waits for what is to come, is nothing to tell of. */
  #tellPhase(phase: PolicyPhase | undefined, trouble: PolicyTrouble | undefined): void {
    const isUnchanged = phase === (this.#toldPhase ?? "off");
    if (phase === undefined || phase === "waiting" || isUnchanged) return;
    this.#toldPhase = phase;
    const { code = "", text: reason = "" } = phase === "failing" ? (trouble ?? {}) : {};
    this.#options.emit?.("policy.phase", { phase, code, reason });
  }

  #nickname(peer: PeerName): string {
    const { self, nickname, nicknameOf } = this.#options;
    return peer === self ? nickname : (nicknameOf(peer) ?? "");
  }

  /** What other hosts are told of this one. */
  #host(): HostDocument {
    const { nickname, exposed } = this.#options;
    const enforces = this.#controller?.phase === "enforcing";
    return {
      nickname,
      addresses: exposed().map((cidr) => cidr.replace(/\/.*/, "")),
      enforcer: enforces ? (this.#controller?.chosen?.enforcer.name ?? "") : "",
    };
  }
}

function notBegun(): WeaveError {
  return new WeaveError("POLICY_NOT_READY", "nobody has told of policies yet", {
    remedy: "see the router's log; it is tried again",
  });
}

/** Has nothing to say. */
const nobody: PolicySource = {
  name: "kubernetes",
  start() {},
  faults: () => [],
  stop() {},
};
