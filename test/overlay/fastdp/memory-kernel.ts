import {
  type AdoptedTables,
  type DatapathCounters,
  type DatapathEvents,
  type DatapathMac,
  type DatapathNeighbour,
  type ForwardingChanges,
  handoverMark,
  isHandoverMark,
  type KernelDatapath,
  type NextHop,
  type ShortId,
} from "../../../lib/overlay/fastdp/ports.ts";
import { makeVni, vniDestination, vniOriginator } from "../../../lib/overlay/fastdp/vni.ts";
import {
  isGroupMac,
  type Mac,
  readMac,
  spanningTreeMac,
  writeMac,
} from "../../../lib/wire/ethernet.ts";
import type { VirtualClock } from "../../sim/virtual-clock.ts";

/** VXLAN between kernels in memory: who gets what, and what is lost on the way. */
export interface VxlanPacket {
  readonly from: number;
  readonly to: number;
  readonly port: number;
  readonly vni: number;
  readonly frame: Uint8Array;
}

export class VxlanWire {
  readonly clock: VirtualClock;
  readonly #kernels = new Map<number, MemoryKernel>();
  /** Every packet that was sent, lost ones included; heartbeats left out. */
  readonly packets: VxlanPacket[] = [];
  loses: (packet: VxlanPacket) => boolean = () => false;

  constructor(clock: VirtualClock) {
    this.clock = clock;
  }

  plug(kernel: MemoryKernel): void {
    this.#kernels.set(kernel.ip, kernel);
  }

  send(packet: VxlanPacket): void {
    if (!isHeartbeat(packet.frame)) this.packets.push(packet);
    if (this.loses(packet)) return;
    this.clock.after(1, () => this.#kernels.get(packet.to)?.received(packet));
  }
}

function isHeartbeat(frame: Uint8Array): boolean {
  return frame.subarray(0, 14).every((octet) => octet === 0);
}

/**
 * The contract of `ports.ts` at its shortest: a kernel whose tables outlive the processes that open
 * it. It decides for every frame as that file says, and counts why it does not.
 */
export class MemoryKernel {
  readonly ip: number;
  readonly mtu: number;
  readonly #wire: VxlanWire;
  self: ShortId | undefined;
  readonly neighbours = new Map<ShortId, DatapathNeighbour>();
  readonly hops = new Map<ShortId, NextHop>();
  readonly trees = new Map<ShortId, readonly ShortId[]>();
  readonly #macs = new Map<Mac, { shortId: ShortId; seenMs: number }>();
  readonly drops: Record<string, number> = {};
  /** Frames that came out at the bridge. */
  readonly delivered: Uint8Array[] = [];
  /** Frames for sleeve. */
  handedOver: (mark: number, frame: Uint8Array) => void = () => {};
  #events: DatapathEvents | undefined;
  #used = false;

  constructor(wire: VxlanWire, ip: number, mtu = 1376) {
    this.#wire = wire;
    this.ip = ip;
    this.mtu = mtu;
    wire.plug(this);
  }

  /** What a process does when it starts. */
  open(): KernelDatapath {
    const adopted: AdoptedTables | undefined = this.#used
      ? {
          self: this.self,
          neighbours: [...this.neighbours.values()],
          hops: new Map(this.hops),
          trees: new Map(this.trees),
        }
      : undefined;
    this.#used = true;
    let isOpen = true;
    return {
      backend: "memory",
      mtu: this.mtu,
      adopted,
      connect: (events) => {
        this.#events = events;
      },
      setNeighbour: (neighbour) => void this.neighbours.set(neighbour.shortId, neighbour),
      removeNeighbour: (shortId) => this.#removeNeighbour(shortId),
      change: (changes) => this.#change(changes),
      forgetMacs: (shortId) => this.#forgetMacs(shortId),
      setResidents: (macs) => {
        for (const mac of macs) if (this.self !== undefined) this.#learn(mac, this.self);
      },
      sendHeartbeat: (shortId, frame) => {
        if (isOpen && this.self !== undefined) {
          this.#tunnel(shortId, makeVni(this.self, shortId), frame);
        }
      },
      macs: () => this.#list(),
      counters: () => this.#counters(),
      close: () => {
        isOpen = false;
        this.#events = undefined;
      },
    };
  }

  fail(error: Parameters<DatapathEvents["failed"]>[0]): void {
    this.#events?.failed(error);
  }

  #removeNeighbour(shortId: ShortId): void {
    for (const hop of this.hops.values()) {
      if (hop.kind === "tunnel" && hop.neighbour === shortId) {
        throw new Error(`a hop still leads to neighbour ${shortId}`);
      }
    }
    this.neighbours.delete(shortId);
  }

  #change({ self, hops, trees }: ForwardingChanges): void {
    if (self !== undefined) this.self = self;
    for (const [id, hop] of hops) {
      if (hop === undefined) this.hops.delete(id);
      else if (hop.kind === "tunnel" && !this.neighbours.has(hop.neighbour)) {
        throw new Error(`a hop leads to ${hop.neighbour}, which is no neighbour`);
      } else this.hops.set(id, hop);
    }
    for (const [id, tree] of trees) this.trees.set(id, tree);
  }

  #forgetMacs(shortId: ShortId): void {
    for (const [mac, entry] of this.#macs) if (entry.shortId === shortId) this.#macs.delete(mac);
  }

  #list(): DatapathMac[] {
    const now = this.#wire.clock.nowMs;
    return [...this.#macs].map(([mac, { shortId, seenMs }]) => ({
      mac,
      shortId,
      ageMs: now - seenMs,
    }));
  }

  #counters(): DatapathCounters {
    return {
      sentFrames: 0,
      sentBytes: 0,
      receivedFrames: this.delivered.length,
      receivedBytes: 0,
      relayedFrames: 0,
      floodedFrames: 0,
      handedOverFrames: 0,
      handedInFrames: 0,
      drops: { ...this.drops },
    };
  }

  /** A frame of a container. */
  captured(frame: Uint8Array): void {
    const { self } = this;
    if (self === undefined) {
      this.#drop("noSelf");
      return;
    }
    const destination = readMac(frame, 0);
    const source = readMac(frame, 6);
    if (destination === spanningTreeMac) {
      this.#drop("spanningTree");
      return;
    }
    const known = this.#macs.get(source);
    const now = this.#wire.clock.nowMs;
    if (known !== undefined && known.shortId !== self && now - known.seenMs < 1000) {
      this.#drop("macConflict");
      return;
    }
    this.#learn(source, self);
    const owner = isGroupMac(destination) ? undefined : this.#macs.get(destination)?.shortId;
    if (owner === self) {
      this.#drop("destinationLocal");
      return;
    }
    if (owner === undefined) this.#flood(self, frame, undefined);
    else this.#forward(owner, makeVni(self, owner), frame, undefined);
  }

  /** From the wire. */
  received({ from, port, vni, frame }: VxlanPacket): void {
    const source = vniOriginator(vni);
    if (source === this.self) {
      this.#drop("unknownPeer");
      return;
    }
    if (!this.hops.has(source) && !this.neighbours.has(source)) {
      this.#drop("unknownPeer");
      return;
    }
    if (isHeartbeat(frame)) {
      this.#events?.heartbeat({
        source,
        destination: vniDestination(vni),
        remoteIp: from,
        port,
        frame: frame.subarray(0, 25),
        length: frame.length,
      });
      return;
    }
    const via = [...this.neighbours.values()].filter(({ remoteIp }) => remoteIp === from);
    if (via.length === 0) {
      this.#drop("unknownSource");
      return;
    }
    this.#arrived(vni, frame, via[0]!.shortId);
  }

  /** From sleeve's worker. */
  handedIn(mark: number, frame: Uint8Array): void {
    if (!isHandoverMark(mark)) {
      this.#drop("unmarked");
      return;
    }
    const source = vniOriginator(mark);
    if (source === this.self || !this.hops.has(source)) {
      this.#drop("unknownPeer");
      return;
    }
    this.#arrived(mark & 0xffffff, frame, undefined);
  }

  #arrived(vni: number, frame: Uint8Array, via: ShortId | undefined): void {
    const source = vniOriginator(vni);
    const destination = vniDestination(vni);
    if (destination !== this.self) {
      this.#forward(destination, vni, frame, via);
      return;
    }
    this.#learn(readMac(frame, 6), source);
    this.delivered.push(frame);
    if (this.#macs.get(readMac(frame, 0))?.shortId !== this.self) this.#flood(source, frame, via);
  }

  #flood(originator: ShortId, frame: Uint8Array, via: ShortId | undefined): void {
    for (const hop of this.trees.get(originator) ?? []) {
      this.#forward(hop, makeVni(originator, hop), frame, via);
    }
  }

  #forward(to: ShortId, vni: number, frame: Uint8Array, via: ShortId | undefined): void {
    const hop = this.hops.get(to);
    if (hop === undefined) {
      this.#drop("noRoute");
      return;
    }
    if (hop.kind === "sleeve") {
      this.handedOver(handoverMark(vniOriginator(vni), vniDestination(vni)), frame);
    } else if (hop.neighbour === via) this.#drop("wouldReturn");
    else if (frame.length - 14 > (this.neighbours.get(hop.neighbour)?.mtu ?? frame.length)) {
      this.handedOver(handoverMark(vniOriginator(vni), vniDestination(vni)), frame);
    } else this.#tunnel(hop.neighbour, vni, frame);
  }

  #tunnel(neighbour: ShortId, vni: number, frame: Uint8Array): void {
    const to = this.neighbours.get(neighbour);
    if (to === undefined) {
      this.#drop("noNeighbour");
      return;
    }
    this.#wire.send({
      from: to.localIp,
      to: to.remoteIp,
      port: to.port,
      vni,
      frame: frame.slice(),
    });
  }

  #learn(mac: Mac, shortId: ShortId): void {
    if (!isGroupMac(mac)) this.#macs.set(mac, { shortId, seenMs: this.#wire.clock.nowMs });
  }

  #drop(reason: string): void {
    this.drops[reason] = (this.drops[reason] ?? 0) + 1;
  }
}

/** A frame between two addresses that can be told from all others. */
export function frameBetween(
  destination: Mac,
  source: Mac,
  number: number,
  length = 60,
): Uint8Array {
  const frame = new Uint8Array(length);
  writeMac(frame, 0, destination);
  writeMac(frame, 6, source);
  frame.set([0x88, 0xb5, number >>> 8, number], 12);
  return frame;
}
