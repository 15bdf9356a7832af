import { Epoll, EventCounter } from "../../../ffi/descriptor.ts";
import type { HostIp } from "../../base/ip.ts";
import type { Log } from "../../base/world.ts";
import { Coalescer } from "../../overlay/offload/coalescer.ts";
import { Segmenter } from "../../overlay/offload/segmenter.ts";
import { finishChecksum } from "../../overlay/offload/unfinished-checksum.ts";
import { SleeveEngine } from "../../overlay/sleeve/engine.ts";
import type { SleeveEvents, SleevePorts } from "../../overlay/sleeve/ports.ts";
import { type FrameOffload, superFrameKind } from "../../wire/virtio-net-header.ts";
import { openAead } from "../aead.ts";
import { monotonicMs } from "../monotonic-clock.ts";
import { PacketSocket } from "../packet-socket.ts";
import { openSecretBox } from "../secret-box.ts";
import type { SendFailure, UdpSocket } from "../udp-socket.ts";
import { CounterBoard, newSocketCounters } from "./counter-board.ts";
import type { Command, Offload, WorkerEvent, WorkerSetup } from "./protocol.ts";
import { TrafficBoard } from "./traffic-board.ts";
import { UnderlaySockets } from "./underlay-sockets.ts";

/** Batches taken from one socket before the other has its turn. */
const batchesPerTurnMax = 4;
/** The longest sleep, as far as the kernel can count. Whoever wants to know wakes the loop. */
const sleepMaxMs = 0x7fff_ffff;
/** How old the counters in shared memory may get while there is traffic. */
const publishPeriodMs = 100;

/** How the loop reaches the main thread. */
export interface LoopChannel {
  /** The next command that waits; `undefined` when there is none. */
  nextCommand(): Command | undefined;
  post(events: readonly WorkerEvent[]): void;
}

/**
 * The data plane's own thread: sleeps until a socket or the main thread has something, or a timer
 * is due, and gives it to the sleeve engine in bursts.
 *
 *            ┌──────────────────────────── one turn ───────────────────────────┐
 *   sleep ──▶│ commands ─▶ due timers ─▶ frames ─▶ datagrams ─▶ failed sends    │──▶ events
 *            └──────────────────────────────────────────────────────────────────┘
 */
export class DataPlaneLoop {
  readonly #channel: LoopChannel;
  readonly #epoll: Epoll;
  readonly #wake: EventCounter;
  readonly #underlay: UnderlaySockets;
  #packets: PacketSocket;
  readonly #engine: SleeveEngine;
  readonly #segmenter = new Segmenter();
  readonly #coalescer: Coalescer;
  readonly #board: CounterBoard;
  readonly #traffic: TrafficBoard;
  readonly #socketCounters = newSocketCounters();
  /** The source address of each link's datagrams. */
  readonly #sources = new Map<number, HostIp>();
  #events: WorkerEvent[] = [];
  /** Descriptors that the main thread reads. */
  readonly #watched = new Set<number>();
  /** The mark of the frame at hand, or of the super-frame that it is a piece of. */
  #mark = 0;
  #failures: { readonly link: number; readonly failure: SendFailure }[] = [];
  #publishAtMs = 0;
  #running = true;

  constructor(setup: WorkerSetup, channel: LoopChannel) {
    this.#channel = channel;
    this.#epoll = new Epoll(8, setup.epollDescriptor);
    this.#wake = new EventCounter(setup.wakeDescriptor);
    this.#underlay = new UnderlaySockets({
      descriptors: setup.udpDescriptors,
      epoll: this.#epoll,
      failed: this.#sendFailed,
    });
    this.#packets = new PacketSocket(setup.packetDescriptor);
    this.#coalescer = this.#newCoalescer();
    this.#board = new CounterBoard(setup.counters);
    this.#traffic = new TrafficBoard(setup.traffic);
    const secretBox = openSecretBox();
    this.#engine = new SleeveEngine({
      world: { monotonicMs, log: this.#log() },
      local: setup.local,
      ports: this.#ports(),
      events: this.#engineEvents(),
      secretBox,
      aead: openAead(),
      datapathMtu: setup.datapathMtu,
    });
    this.#epoll.add(this.#wake.descriptor);
    if (!setup.waits) this.#begin();
    this.#tell({ kind: "ready", secretBox: secretBox.implementation });
  }

  /** Works until told to quit. */
  run(): void {
    let wokeMs = monotonicMs();
    while (this.#running) {
      this.#obey();
      const nowMs = monotonicMs();
      if (nowMs >= this.#engine.nextDeadlineMs()) this.#engine.tick(nowMs);
      this.#deliverFailures();
      this.#report();
      const sleepMs = this.#sleepMs();
      this.#socketCounters.busyMs += monotonicMs() - wokeMs;
      const ready = this.#epoll.wait(sleepMs);
      wokeMs = monotonicMs();
      for (let index = 0; index < ready; index++) this.#serve(this.#epoll.ready(index));
    }
    this.#tell({ kind: "left" });
    this.#report();
  }

  #sleepMs(): number {
    if (!this.#running || this.#failures.length > 0) return 0;
    const waitMs = Math.ceil(this.#engine.nextDeadlineMs() - monotonicMs());
    return Math.max(0, Math.min(waitMs, sleepMaxMs));
  }

  #serve(descriptor: number): void {
    if (descriptor === this.#wake.descriptor) this.#wake.clear();
    else if (descriptor === this.#packets.descriptor) this.#serveFrames();
    else if (this.#watched.has(descriptor)) this.#readable(descriptor);
    else {
      const socket = this.#underlay.at(descriptor);
      if (this.#underlay.isBlocked) this.#engine.flush();
      if (socket !== undefined) this.#serveDatagrams(socket);
    }
  }

  readonly #piece = (bytes: Uint8Array, at: number, length: number): boolean =>
    this.#engine.captured(bytes, at, length, this.#mark);

  readonly #captured = (
    bytes: Uint8Array,
    at: number,
    length: number,
    offload: FrameOffload,
    mark: number,
  ): void => {
    this.#mark = mark;
    if (offload.kind !== superFrameKind.none) {
      const pieces = this.#segmenter.cut(bytes, at, length, offload, this.#piece);
      if (pieces === 0) this.#socketCounters.captureMalformed++;
    } else if (offload.checksumFrom === 0 || finishChecksum(bytes, at, length, offload)) {
      this.#engine.captured(bytes, at, length, mark);
    } else this.#socketCounters.captureMalformed++;
  };

  #serveFrames(): void {
    for (let left = batchesPerTurnMax; left > 0; left--) {
      const frames = this.#packets.receive(this.#captured);
      this.#engine.flush();
      if (frames === 0) return;
    }
  }

  readonly #received = (
    bytes: Uint8Array,
    at: number,
    length: number,
    ip: HostIp,
    port: number,
  ): void => this.#engine.received(bytes, at, length, ip, port);

  #serveDatagrams(socket: UdpSocket): void {
    for (let left = batchesPerTurnMax; left > 0; left--) {
      const datagrams = socket.receive(this.#received);
      this.#engine.flush();
      if (datagrams === 0) return;
    }
  }

  #obey(): void {
    for (;;) {
      const command = this.#channel.nextCommand();
      if (command === undefined) return;
      this.#carryOut(command);
    }
  }

  #carryOut(command: Command): void {
    const engine = this.#engine;
    switch (command.kind) {
      case "prepare":
        this.#sources.set(command.link, command.parameters.localIp);
        engine.prepare(command.link, command.parameters);
        break;
      case "confirm":
        engine.confirm(command.link);
        break;
      case "control":
        engine.control(command.link, command.tag, command.body);
        break;
      case "renew":
        engine.renew(command.link, command.secrets);
        break;
      case "limit":
        engine.limit(command.link, command.peerTakes);
        break;
      case "narrow":
        engine.narrow(command.link, command.pathMtu);
        break;
      case "stop":
        engine.stop(command.link);
        this.#sources.delete(command.link);
        break;
      case "topology":
        engine.setTopology(command.snapshot);
        break;
      case "residents":
        engine.setResidents(command.macs);
        break;
      case "capture":
        this.#capture(command.descriptor);
        break;
      case "watch":
        // An answer to a former worker may ask a second time.
        if (!this.#watched.has(command.descriptor)) this.#epoll.add(command.descriptor);
        this.#watched.add(command.descriptor);
        break;
      case "begin":
        this.#begin();
        break;
      case "inspect":
        this.#inspect(command.request);
        break;
      case "quit":
        this.#running = false;
        break;
    }
  }

  #begin(): void {
    this.#underlay.begin();
    this.#epoll.add(this.#packets.descriptor);
  }

  /** The interface was made anew, and the main thread has opened a socket on it. */
  #capture(descriptor: number): void {
    const former = this.#packets.descriptor;
    this.#epoll.remove(former);
    this.#packets = new PacketSocket(descriptor);
    this.#epoll.add(descriptor);
    this.#tell({ kind: "released", descriptor: former });
  }

  /** Not again before the main thread has read and asks for it. */
  #readable(descriptor: number): void {
    this.#watched.delete(descriptor);
    this.#epoll.remove(descriptor);
    this.#tell({ kind: "readable", descriptor });
  }

  #inspect(request: number): void {
    const { engine, total, links } = this.#engine.counters();
    const inspection = {
      nowMs: monotonicMs(),
      macs: this.#engine.macs(),
      links: this.#engine.links(),
      engine,
      total,
      perLink: links,
      offloads: this.#offloads(),
    };
    this.#tell({ kind: "inspected", request, inspection });
  }

  #offloads(): Offload[] {
    const { hasOffloads, takesUdpSuperFrames } = this.#packets;
    const lacks = (has: boolean, what: string): string => (has ? "" : `the kernel lacks ${what}`);
    return [
      { name: "capture", missing: lacks(hasOffloads, "PACKET_VNET_HDR") },
      { name: "capture-udp", missing: lacks(takesUdpSuperFrames, "it on packet sockets") },
      { name: "send", missing: this.#underlay.whySingly("send") },
      { name: "receive", missing: this.#underlay.whySingly("receive") },
    ];
  }

  #ports(): SleevePorts {
    return {
      send: (link, to, df, datagram, length) => {
        const from = this.#sources.get(link) ?? 0;
        return this.#underlay.send(link, from, to, df, datagram, length);
      },
      flush: () => {
        this.#underlay.flush();
        this.#coalescer.flush();
        this.#packets.flush();
      },
      inject: (bytes, at, length, mark) => {
        if (mark !== this.#packets.mark) {
          this.#coalescer.flush();
          this.#packets.mark = mark;
        }
        // What was received stays where it is until the burst ends; other buffers are used again.
        const stays = bytes === this.#underlay.memory.bytes;
        if (stays && this.#packets.hasOffloads) this.#coalescer.add(bytes, at, length);
        else this.#packets.inject(bytes, at, length);
      },
    };
  }

  #newCoalescer(): Coalescer {
    const coalescer = new Coalescer({
      alone: (_bytes, at, length) => this.#packets.injectInPlace(this.#underlay.memory, at, length),
      merged: (run) => this.#packets.injectMerged(this.#underlay.memory, run),
    });
    coalescer.mergesUdp = this.#packets.takesUdpSuperFrames;
    return coalescer;
  }

  readonly #sendFailed = (link: number, failure: SendFailure): void => {
    this.#failures.push({ link, failure });
  };

  /** The engine may answer a failure by sending, so it hears of failures outside the batch. */
  #deliverFailures(): void {
    const failures = this.#failures;
    if (failures.length === 0) return;
    this.#failures = [];
    for (const { link, failure } of failures) this.#engine.sendFailed(link, failure);
    this.#engine.flush();
  }

  #report(): void {
    this.#socketCounters.turns++;
    const nowMs = monotonicMs();
    if (nowMs >= this.#publishAtMs || this.#sleepMs() > publishPeriodMs) {
      this.#publishAtMs = nowMs + publishPeriodMs;
      this.#publish();
    }
    if (this.#events.length === 0) return;
    this.#channel.post(this.#events);
    this.#events = [];
  }

  #publish(): void {
    const { received, dropped } = this.#packets.statistics();
    this.#socketCounters.captureReceived = received;
    this.#socketCounters.captureDropped = dropped;
    this.#socketCounters.injectFailures = this.#packets.injectFailures;
    const { engine, total, links } = this.#engine.counters();
    this.#board.publish({ engine, total, sockets: this.#socketCounters });
    this.#traffic.publish(links);
  }

  #tell(event: WorkerEvent): void {
    this.#events.push(event);
  }

  #engineEvents(): SleeveEvents {
    return {
      established: (link) => this.#tell({ kind: "established", link }),
      controlOut: (link, tag, body) =>
        // The engine may use the octets again before this turn's events are posted.
        this.#tell({ kind: "controlOut", link, tag, body: body.slice() }),
      mtuChanged: (link, mtu) => this.#tell({ kind: "mtuChanged", link, mtu }),
      remoteMoved: (link, { ip, port }) =>
        this.#tell({ kind: "remoteMoved", link, endpoint: { ip, port } }),
      failed: (link, code, text) => this.#tell({ kind: "failed", link, code, text }),
    };
  }

  #log(): Log {
    const at = (level: keyof Log) => (line: string) => this.#tell({ kind: "log", level, line });
    return { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
  }
}
