import { Epoll, EventCounter } from "../../../ffi/descriptor.ts";
import { assert, WeaveError } from "../../base/errors.ts";
import type { PeerName } from "../../base/peer-name.ts";
import type { RoutesSnapshot } from "../../base/routes-snapshot.ts";
import type { SleeveCommands, SleeveEvents } from "../../overlay/sleeve/ports.ts";
import type { Mac } from "../../wire/ethernet.ts";
import { NetworkNamespace } from "../netns.ts";
import { type Bequest, Estate } from "./bequest.ts";
import { CounterBoard, type DataPlaneCounters } from "./counter-board.ts";
import { Inspections } from "./inspections.ts";
import { LinkLedger } from "./link-ledger.ts";
import { type InheritedSockets, type PlaneSocketOptions, PlaneSockets } from "./plane-sockets.ts";
import type { Inspection, WorkerEvent, WorkerSetup } from "./protocol.ts";
import { LinkTallies } from "./traffic-board.ts";
import { WorkerKeeper } from "./worker-keeper.ts";

export interface DataPlaneOptions extends PlaneSocketOptions {
  readonly local: PeerName;
}

/**
 * The data plane as the main thread sees it: owns the sockets and a worker thread in which the
 * sleeve engine runs, and tells another worker how things stand when one had to be replaced.
 *
 * A new worker gets topology and residents again, the links in clear, and those under AES-256-GCM
 * with new secrets. Links under NaCl's secretbox fail, so that the peers agree on new keys: the old
 * ones must not be used again from message number 0.
 */
export class DataPlane {
  readonly #options: DataPlaneOptions;
  readonly #namespace: NetworkNamespace;
  readonly #wake: EventCounter;
  readonly #sockets: PlaneSockets;
  /** Of the worker that runs: a thread that crashes closes nothing. */
  #epoll: Epoll | undefined;
  readonly #board: CounterBoard;
  readonly #counterMemory = CounterBoard.allocate();
  readonly #tallies = new LinkTallies();
  readonly #ledger = new LinkLedger();
  readonly #inspections = new Inspections();
  readonly #ready = Promise.withResolvers<void>();
  readonly #left = Promise.withResolvers<void>();
  readonly #keeper: WorkerKeeper;
  readonly #watched = new Map<number, () => void>();
  #events: SleeveEvents | undefined;
  #snapshot: RoutesSnapshot | undefined;
  #residents: readonly Mac[] = [];
  #secretBox = "";
  #stopping = false;
  #waits: boolean;
  #estate: Estate | undefined;
  #released = Promise.resolve();

  /**
   * Opens the sockets in the thread's network namespace and starts the worker.
   *
   * @throws WeaveError `CAPTURE_FAILED`, `UDP_BIND`
   */
  constructor(options: DataPlaneOptions) {
    this.#options = options;
    this.#board = new CounterBoard(this.#counterMemory);
    this.#waits = options.inherited !== undefined;
    this.#sockets = new PlaneSockets(options);
    this.#namespace = NetworkNamespace.current();
    this.#wake = new EventCounter();
    this.#keeper = new WorkerKeeper({
      wake: this.#wake,
      log: options.log,
      setup: () => this.#setup(),
      turns: () => this.#board.read().sockets.turns,
      started: () => this.#restoreState(),
      heard: (event) => this.#heard(event),
      ended: () => this.#workerEnded("was started anew"),
    });
    this.#keeper.start();
    // Nobody has to wait for it.
    this.#ready.promise.catch(() => {});
  }

  /**
   * Resolves when the worker has taken up its work. @throws WeaveError `DATA_PLANE_FAILED` when the
   * first worker ends before that; the cause is in the log
   */
  get ready(): Promise<void> {
    return this.#ready.promise;
  }

  /** Which implementation ciphers, e.g. `libsodium (system)`; empty before {@link ready}. */
  get secretBox(): string {
    return this.#secretBox;
  }

  /** How often a worker had to be replaced. */
  get restarts(): number {
    return this.#keeper.restarts;
  }

  /** Connects the control plane, once: `events` from now on, commands by the result. */
  connect(events: SleeveEvents): SleeveCommands {
    assert(this.#events === undefined, "one control plane commands the data plane");
    this.#events = events;
    return {
      prepare: (link, parameters) => {
        this.#ledger.prepared(link, parameters);
        this.#keeper.command({ kind: "prepare", link, parameters });
      },
      confirm: (link) => {
        this.#ledger.confirmed(link);
        this.#keeper.command({ kind: "confirm", link });
        this.#estate?.confirmed(this.#ledger.remoteOf(link));
      },
      control: (link, tag, body) => this.#keeper.command({ kind: "control", link, tag, body }),
      renew: (link, secrets) => {
        this.#ledger.renewed(link, secrets);
        this.#keeper.command({ kind: "renew", link, secrets });
      },
      limit: (link, peerTakes) => {
        this.#ledger.limited(link, peerTakes);
        this.#keeper.command({ kind: "limit", link, peerTakes });
      },
      // A new worker finds out by itself.
      narrow: (link, pathMtu) => this.#keeper.command({ kind: "narrow", link, pathMtu }),
      traffic: (link) => this.#tallies.of(link),
      stop: (link) => {
        this.#ledger.forget(link);
        this.#tallies.forget(link);
        this.#keeper.command({ kind: "stop", link });
      },
    };
  }

  /** How many links were numbered before those of this process. */
  get lastLink(): number {
    return this.#estate?.lastLink ?? 0;
  }

  setTopology(snapshot: RoutesSnapshot): void {
    if (this.#estate?.leadsFurther(snapshot)) return;
    this.#snapshot = snapshot;
    this.#keeper.command({ kind: "topology", snapshot });
  }

  /**
   * Calls `readable` whenever this descriptor is: the worker sleeps in epoll anyway. `readable` is to
   * read until there is no more. The descriptor stays open at least as long as the data plane.
   */
  watch(descriptor: number, readable: () => void): void {
    this.#watched.set(descriptor, readable);
    this.#keeper.command({ kind: "watch", descriptor });
  }

  /** The MAC addresses of this host's containers. */
  setResidents(macs: readonly Mac[]): void {
    this.#residents = macs;
    this.#keeper.command({ kind: "residents", macs });
  }

  /**
   * Captures on another interface from now on, after bridge and tap were made anew.
   *
   * @throws WeaveError `CAPTURE_FAILED`; the former interface then stays
   */
  recapture(captureInterface: number): void {
    const descriptor = this.#namespace.run(() => this.#sockets.recapture(captureInterface));
    this.#keeper.command({ kind: "capture", descriptor });
  }

  /** Counters of at most a tenth of a second ago. A replaced worker counts from zero. */
  counters(): DataPlaneCounters {
    return this.#board.read();
  }

  /** Everything that can be seen, as it is now. @throws WeaveError `DATA_PLANE_SILENT` */
  inspect(): Promise<Inspection> {
    return this.#inspections.request((request) =>
      this.#keeper.command({ kind: "inspect", request }),
    );
  }

  /** What another process needs to take up the sockets. */
  get sockets(): InheritedSockets {
    return this.#sockets.descriptors;
  }

  /** Ends the worker and leaves everything to another process: sockets, links, routes. */
  async handOver(): Promise<Bequest> {
    this.#stopping = true;
    const gone = this.#keeper.stop();
    await Promise.race([this.#left.promise, gone]);
    const { kept } = this.#ledger.restart((link) => this.#events?.renewed?.(link));
    this.#released = gone.then(() => {
      this.#workerEnded("was handed over");
      this.#close();
    });
    return { commands: kept, routes: this.#snapshot, residents: this.#residents };
  }

  /** Resolves when nothing of what was handed over is open here any more. */
  get released(): Promise<void> {
    return this.#released;
  }

  /** Goes on where {@link handOver} in another process has stopped, and serves its sockets. */
  begin(bequest: Bequest): void {
    assert(this.#waits, "only a data plane that inherits waits to begin");
    this.#waits = false;
    const { commands, routes, residents } = bequest;
    if (routes !== undefined) this.setTopology(routes);
    if (residents.length > 0) this.setResidents(residents);
    for (const command of commands) this.#keeper.command(command);
    this.#keeper.command({ kind: "begin" });
    this.#estate = new Estate(this.#options.local, bequest, {
      stop: (link) => this.#keeper.command({ kind: "stop", link }),
      routes: (held) => this.setTopology(held),
    });
  }

  /** Ends the worker and closes the sockets. */
  async stop(): Promise<void> {
    if (this.#stopping) return;
    this.#stopping = true;
    this.#estate?.end();
    await this.#keeper.stop();
    this.#workerEnded("is being stopped");
    this.#close();
  }

  #close(): void {
    this.#sockets.close();
    this.#wake.close();
    this.#namespace.close();
  }

  #setup(): WorkerSetup {
    this.#epoll = new Epoll(1);
    return {
      local: this.#options.local,
      namespaceDescriptor: this.#namespace.descriptor,
      epollDescriptor: this.#epoll.descriptor,
      wakeDescriptor: this.#wake.descriptor,
      ...this.#sockets.descriptors,
      counters: this.#counterMemory,
      traffic: this.#tallies.memory,
      datapathMtu: this.#options.datapathMtu,
      waits: this.#waits,
    };
  }

  #restoreState(): void {
    if (this.#snapshot !== undefined) this.setTopology(this.#snapshot);
    if (this.#residents.length > 0) this.setResidents(this.#residents);
    for (const descriptor of this.#watched.keys()) {
      this.#keeper.command({ kind: "watch", descriptor });
    }
    const { kept, lost } = this.#ledger.restart((link) => this.#events?.renewed?.(link));
    for (const command of kept) this.#keeper.command(command);
    for (const link of lost) {
      this.#events?.failed(link, "SLEEVE_RESTARTED", "the data plane was started anew");
    }
  }

  #workerEnded(why: string): void {
    // Without effect once the data plane has been ready.
    this.#ready.reject(
      new WeaveError("DATA_PLANE_FAILED", "the data plane cannot start", {
        remedy: "see the router's log for the reason",
      }),
    );
    this.#epoll?.close();
    this.#epoll = undefined;
    this.#tallies.workerEnded();
    this.#inspections.workerEnded(why);
    this.#sockets.workerEnded();
  }

  #heard(event: WorkerEvent): void {
    switch (event.kind) {
      case "ready":
        this.#secretBox = event.secretBox;
        this.#ready.resolve();
        break;
      case "left":
        this.#left.resolve();
        break;
      case "established":
        if (this.#ledger.established(event.link)) this.#events?.established(event.link);
        break;
      case "controlOut":
        this.#events?.controlOut(event.link, event.tag, event.body);
        break;
      case "mtuChanged":
        this.#events?.mtuChanged(event.link, event.mtu);
        break;
      case "remoteMoved":
        this.#ledger.heardAt(event.link, event.endpoint);
        this.#events?.remoteMoved(event.link, event.endpoint);
        break;
      case "failed":
        this.#ledger.forget(event.link);
        this.#tallies.forget(event.link);
        this.#events?.failed(event.link, event.code, event.text);
        break;
      case "log":
        this.#options.log[event.level](event.line);
        break;
      case "released":
        this.#sockets.released(event.descriptor);
        break;
      case "readable":
        this.#watched.get(event.descriptor)?.();
        this.#keeper.command({ kind: "watch", descriptor: event.descriptor });
        break;
      case "inspected":
        this.#inspections.answered(event.request, event.inspection);
        break;
    }
  }
}
