import { MessageChannel, type MessagePort, Worker } from "node:worker_threads";
import { closeDescriptor, EventCounter } from "../../../ffi/descriptor.ts";
import { assert, errorText, WeaveError } from "../../base/errors.ts";
import type { Ipv4 } from "../../base/ip.ts";
import type { PeerName } from "../../base/peer-name.ts";
import type { RoutesSnapshot } from "../../base/routes-snapshot.ts";
import type { Log } from "../../base/world.ts";
import type { SleeveCommands, SleeveEvents } from "../../overlay/sleeve/ports.ts";
import type { Mac } from "../../wire/ethernet.ts";
import { NetworkNamespace } from "../netns.ts";
import { openPacketSocket } from "../packet-socket.ts";
import { openUdpSocket } from "../udp-socket.ts";
import { CounterBoard, type DataPlaneCounters } from "./counter-board.ts";
import { LinkLedger } from "./link-ledger.ts";
import type { Command, Inspection, WorkerEvent, WorkerSetup } from "./protocol.ts";
import { workerUrl } from "./worker-url.ts";

/** What a worker that crashes again and again waits before the next start. */
const restartDelaysMs = [0, 500, 2000, 5000, 10_000];
/** After this time without a crash the next one counts as the first. */
const restartForgivenMs = 60_000;
/** A worker goes round at least once a second; one that does not is stuck. */
const hangCheckMs = 5000;
const hangChecksMax = 4;
const quitWaitMs = 2000;
const inspectWaitMs = 5000;

export interface DataPlaneOptions {
  readonly local: PeerName;
  /** Index of the interface on which frames are captured and injected. */
  readonly captureInterface: number;
  /** Local address of the UDP socket; 0 for all. */
  readonly host: Ipv4;
  /** Port of the UDP socket; 0 for any. */
  readonly port: number;
  /** Default 8 MiB. */
  readonly captureBufferBytes?: number;
  /** In each direction. Default 4 MiB. */
  readonly udpBufferBytes?: number;
  readonly log: Log;
}

/**
 * The data plane as the main thread sees it: owns the sockets and a worker thread in which the
 * sleeve engine runs, and starts another worker when one fails.
 *
 *   starting ──ready──▶ working ──crash or hang──▶ starting (after a pause)
 *       └──────────────────┴────── stop ──▶ stopped
 *
 * A new worker gets topology and residents again, and the links in clear. Encrypted links fail, so
 * that the peers agree on new keys: the old ones must not be used again from message number 0.
 */
export class DataPlane {
  readonly #options: DataPlaneOptions;
  readonly #namespace: NetworkNamespace;
  readonly #wake: EventCounter;
  readonly #udpDescriptor: number;
  #packetDescriptor: number;
  /** Capture sockets that were replaced while the worker may still use them. */
  readonly #retired = new Set<number>();
  readonly #board: CounterBoard;
  readonly #counterMemory = CounterBoard.allocate();
  readonly #ledger = new LinkLedger();
  readonly #inspections = new Map<number, PromiseWithResolvers<Inspection>>();
  readonly #ready = Promise.withResolvers<void>();
  #worker: Worker | undefined;
  #commands: MessagePort | undefined;
  #events: SleeveEvents | undefined;
  #snapshot: RoutesSnapshot | undefined;
  #residents: readonly Mac[] = [];
  #secretBox = "";
  #lastInspection = 0;
  #startedAtMs = 0;
  #crashes = 0;
  #hangs = 0;
  #turnsSeen = 0;
  #stopping = false;
  #restartTimer: ReturnType<typeof setTimeout> | undefined;
  readonly #hangTimer: ReturnType<typeof setInterval>;

  /**
   * Opens the sockets in the thread's network namespace and starts the worker.
   *
   * @throws WeaveError `CAPTURE_FAILED`, `UDP_BIND`
   */
  constructor(options: DataPlaneOptions) {
    this.#options = options;
    this.#board = new CounterBoard(this.#counterMemory);
    this.#packetDescriptor = openPacketSocket(options.captureInterface, this.#captureBuffer());
    try {
      const { host, port, udpBufferBytes = 4 << 20 } = options;
      this.#udpDescriptor = openUdpSocket(host, port, udpBufferBytes);
    } catch (error) {
      closeDescriptor(this.#packetDescriptor);
      throw error;
    }
    this.#namespace = NetworkNamespace.current();
    this.#wake = new EventCounter();
    this.#start();
    this.#hangTimer = setInterval(() => this.#checkHang(), hangCheckMs);
  }

  /** Resolves when a worker has taken up its work for the first time. */
  get ready(): Promise<void> {
    return this.#ready.promise;
  }

  /** Which implementation ciphers, e.g. `libsodium (system)`; empty before {@link ready}. */
  get secretBox(): string {
    return this.#secretBox;
  }

  /** How often a worker had to be replaced. */
  get restarts(): number {
    return this.#crashes;
  }

  /** Connects the control plane, once: `events` from now on, commands by the result. */
  connect(events: SleeveEvents): SleeveCommands {
    assert(this.#events === undefined, "one control plane commands the data plane");
    this.#events = events;
    return {
      prepare: (link, parameters) => {
        this.#ledger.prepared(link, parameters);
        this.#command({ kind: "prepare", link, parameters });
      },
      confirm: (link) => {
        this.#ledger.confirmed(link);
        this.#command({ kind: "confirm", link });
      },
      control: (link, tag, body) => this.#command({ kind: "control", link, tag, body }),
      stop: (link) => {
        this.#ledger.forget(link);
        this.#command({ kind: "stop", link });
      },
    };
  }

  setTopology(snapshot: RoutesSnapshot): void {
    this.#snapshot = snapshot;
    this.#command({ kind: "topology", snapshot });
  }

  /** The MAC addresses of this host's containers. */
  setResidents(macs: readonly Mac[]): void {
    this.#residents = macs;
    this.#command({ kind: "residents", macs });
  }

  /**
   * Captures on another interface from now on, after bridge and tap were made anew.
   *
   * @throws WeaveError `CAPTURE_FAILED`; the former interface then stays
   */
  recapture(captureInterface: number): void {
    const descriptor = this.#namespace.run(() =>
      openPacketSocket(captureInterface, this.#captureBuffer()),
    );
    this.#retired.add(this.#packetDescriptor);
    this.#packetDescriptor = descriptor;
    this.#command({ kind: "capture", descriptor });
  }

  /** Counters of at most half a second ago. A replaced worker counts from zero. */
  counters(): DataPlaneCounters {
    return this.#board.read();
  }

  /** Everything that can be seen, as it is now. @throws WeaveError `DATA_PLANE_SILENT` */
  inspect(): Promise<Inspection> {
    if (this.#commands === undefined) return Promise.reject(silent("is being started anew"));
    const request = ++this.#lastInspection;
    const waiting = Promise.withResolvers<Inspection>();
    this.#inspections.set(request, waiting);
    this.#command({ kind: "inspect", request });
    const timer = setTimeout(() => waiting.reject(silent("does not answer")), inspectWaitMs);
    return waiting.promise.finally(() => {
      clearTimeout(timer);
      this.#inspections.delete(request);
    });
  }

  /** Ends the worker and closes the sockets. */
  async stop(): Promise<void> {
    if (this.#stopping) return;
    this.#stopping = true;
    clearTimeout(this.#restartTimer);
    clearInterval(this.#hangTimer);
    this.#rejectInspections("is being stopped");
    await this.#endWorker();
    this.#closeRetired();
    for (const descriptor of [this.#packetDescriptor, this.#udpDescriptor]) {
      closeDescriptor(descriptor);
    }
    this.#wake.close();
    this.#namespace.close();
  }

  #captureBuffer(): number {
    return this.#options.captureBufferBytes ?? 8 << 20;
  }

  #start(): void {
    const setup: WorkerSetup = {
      local: this.#options.local,
      namespaceDescriptor: this.#namespace.descriptor,
      wakeDescriptor: this.#wake.descriptor,
      packetDescriptor: this.#packetDescriptor,
      udpDescriptor: this.#udpDescriptor,
      counters: this.#counterMemory,
    };
    const { port1, port2 } = new MessageChannel();
    const worker = new Worker(workerUrl(), {
      workerData: { setup, commands: port2 },
      transferList: [port2],
    });
    this.#worker = worker;
    this.#commands = port1;
    this.#startedAtMs = performance.now();
    worker.on("message", (events: readonly WorkerEvent[]) => {
      for (const event of events) this.#heard(event);
    });
    worker.on("error", (error) => {
      this.#options.log.error(`data plane failed: ${errorText(error)}`);
    });
    worker.on("exit", () => this.#ended(worker));
    this.#restoreState();
  }

  #restoreState(): void {
    if (this.#snapshot !== undefined) this.setTopology(this.#snapshot);
    if (this.#residents.length > 0) this.setResidents(this.#residents);
    const { kept, lost } = this.#ledger.restart();
    for (const command of kept) this.#command(command);
    for (const link of lost) {
      this.#events?.failed(link, "SLEEVE_RESTARTED", "the data plane was started anew");
    }
  }

  #ended(worker: Worker): void {
    if (this.#worker !== worker) return;
    this.#worker = undefined;
    this.#commands?.close();
    this.#commands = undefined;
    this.#closeRetired();
    this.#rejectInspections("was started anew");
    if (this.#stopping) return;
    if (performance.now() - this.#startedAtMs > restartForgivenMs) this.#crashes = 0;
    const delayMs = restartDelaysMs[Math.min(this.#crashes, restartDelaysMs.length - 1)]!;
    this.#crashes++;
    this.#options.log.error(`data plane ended; starting it anew in ${delayMs} ms`);
    this.#restartTimer = setTimeout(() => this.#start(), delayMs);
  }

  #heard(event: WorkerEvent): void {
    switch (event.kind) {
      case "ready":
        this.#secretBox = event.secretBox;
        this.#ready.resolve();
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
        this.#events?.remoteMoved(event.link, event.endpoint);
        break;
      case "failed":
        this.#ledger.forget(event.link);
        this.#events?.failed(event.link, event.code, event.text);
        break;
      case "log":
        this.#options.log[event.level](event.line);
        break;
      case "released":
        if (this.#retired.delete(event.descriptor)) closeDescriptor(event.descriptor);
        break;
      case "inspected":
        this.#inspections.get(event.request)?.resolve(event.inspection);
        break;
    }
  }

  /** Without a worker nothing is lost: the next one is told what counts then. */
  #command(command: Command): void {
    if (this.#commands === undefined) return;
    this.#commands.postMessage(command);
    this.#wake.signal();
  }

  #checkHang(): void {
    const { turns } = this.#board.read().sockets;
    this.#hangs = turns === this.#turnsSeen && this.#worker !== undefined ? this.#hangs + 1 : 0;
    this.#turnsSeen = turns;
    if (this.#hangs < hangChecksMax) return;
    this.#hangs = 0;
    this.#options.log.error("data plane does not move; ending it");
    void this.#worker?.terminate();
  }

  async #endWorker(): Promise<void> {
    const worker = this.#worker;
    if (worker === undefined) return;
    const ended = new Promise<void>((resolve) => worker.once("exit", () => resolve()));
    this.#command({ kind: "quit" });
    const timer = setTimeout(() => void worker.terminate(), quitWaitMs);
    await ended;
    clearTimeout(timer);
  }

  #rejectInspections(why: string): void {
    for (const { reject } of this.#inspections.values()) reject(silent(why));
    this.#inspections.clear();
  }

  #closeRetired(): void {
    for (const descriptor of this.#retired) closeDescriptor(descriptor);
    this.#retired.clear();
  }
}

function silent(why: string): WeaveError {
  return new WeaveError("DATA_PLANE_SILENT", `the data plane ${why}`, { remedy: "try again" });
}
