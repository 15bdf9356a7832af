import { closeDescriptor } from "../../../../ffi/descriptor.ts";
import { isSystemError } from "../../../../ffi/system-error.ts";
import { assert } from "../../../base/errors.ts";
import type { LinkTraffic } from "../../../base/overlay.ts";
import type {
  AdoptedTables,
  DatapathCounters,
  DatapathEvents,
  DatapathMac,
  DatapathNeighbour,
  ForwardingChanges,
  NeighbourTraffic,
  ShortId,
} from "../../../overlay/fastdp/ports.ts";
import { makeVni } from "../../../overlay/fastdp/vni.ts";
import { macAgeMaxMs } from "../../../overlay/mac-table.ts";
import { ethernetHeaderSize, type Mac } from "../../../wire/ethernet.ts";
import type { Hooks } from "../../bpf/hooks.ts";
import type { Netlink } from "../../netlink/conversation.ts";
import { findLink } from "../../netlink/link.ts";
import { openRoute } from "../../netlink/open.ts";
import type { Edge } from "../../netlink/traffic-control.ts";
import type { DatapathOptions, HostDatapath } from "../backend.ts";
import {
  type DeviceRole,
  EbpfDevices,
  handoverName,
  isOurs,
  portDeviceName,
} from "./ebpf-devices.ts";
import { HeartbeatPort } from "./heartbeat-port.ts";
import { LaneGate } from "./lane-gate.ts";
import { type LanePurpose, Lanes, laneName } from "./lanes.ts";
import { ProgramSet, programName, tablesOf } from "./program-set.ts";
import type { ProgramKind } from "./programs.ts";
import { TableSet } from "./table-set.ts";
import { floodMax, tickMs } from "./tables.ts";
import { TrafficSlots } from "./traffic-slots.ts";

/**
 * The fast datapath by programs of ours at the edges of a VXLAN device that is a port of the bridge
 * (programs.ts). This class keeps devices, programs and tables; no frame ever meets it but
 * heartbeats. It is to be used in the network namespace in which it was made.
 */
export class EbpfDatapath implements HostDatapath {
  readonly backend = "ebpf";
  readonly countsEachFrame = true;
  readonly mtu: number;
  readonly adopted: AdoptedTables | undefined;
  readonly #options: DatapathOptions;
  readonly #netlink: Netlink;
  readonly #hooks: Hooks;
  readonly #devices: EbpfDevices;
  readonly #lanes: Lanes;
  readonly #gate: LaneGate;
  readonly #programs: ProgramSet;
  readonly #heartbeats: HeartbeatPort;
  readonly #neighbours = new Map<ShortId, DatapathNeighbour>();
  readonly #slots = new TrafficSlots();
  #events: DatapathEvents | undefined;
  #self: ShortId | undefined;
  #residents: ReadonlySet<Mac> = new Set();
  /** Heartbeats that could not even be sent. */
  #heartbeatsLost = 0;
  /** Originators whose floods have more next hops than programs go through. */
  readonly #treesCut = new Set<ShortId>();
  #closed = false;

  /**
   * @param hooksOf how programs are put at devices
   * @throws WeaveError, SystemError
   */
  constructor(options: DatapathOptions, hooksOf: (netlink: Netlink) => Hooks) {
    this.#options = options;
    this.mtu = options.mtu;
    using undo = new DisposableStack();
    this.#netlink = undo.use(openRoute());
    this.#hooks = hooksOf(this.#netlink);
    const standing = this.#standingTables();
    const load = (): ProgramSet => ProgramSet.load(standing ?? TableSet.create());
    this.#programs = undo.adopt(load(), (programs) => programs.close());
    this.#heartbeats = undo.adopt(new HeartbeatPort(), (port) => port.close());
    this.#devices = new EbpfDevices(this.#netlink, options, (device, role) =>
      this.#equip(device, role),
    );
    this.#devices.prepare(options.bridge);
    this.#lanes = new Lanes(this.#netlink);
    this.#gate = new LaneGate(options.port);
    this.adopted = standing && this.#adopt(standing);
    this.#introduceDevices();
    this.#lanes.closeOthers(this.#neighbours);
    for (const neighbour of this.#neighbours.values()) this.#place(neighbour);
    this.#settleSources();
    this.#devices.takeMended();
    undo.move();
  }

  get handoverPort(): number {
    return this.#devices.handoverPort;
  }

  get descriptor(): number {
    return this.#heartbeats.descriptor;
  }

  serve(): void {
    if (this.#closed) return;
    const portOf = (device: number): number | undefined => this.#devices.portOf(device);
    this.#heartbeats.receive(portOf, (heard) => this.#events?.heartbeat(heard));
  }

  devices(): readonly string[] {
    const { names } = this.#options;
    const ports = [...this.#devices.ports.keys()].map(portDeviceName);
    return [names.tap, handoverName, names.capture, ...ports, ...this.#lanes.names];
  }

  mend(bridge: number): readonly string[] {
    this.#devices.prepare(bridge);
    this.#introduceDevices();
    const mendedLanes = [...this.#neighbours.values()].flatMap(
      (neighbour) => this.#place(neighbour) ?? [],
    );
    const opened = this.#gate.settle(this.#lanes.port) ? ["opened the gate to lanes again"] : [];
    return [...this.#devices.takeMended(), ...mendedLanes, ...opened];
  }

  connect(events: DatapathEvents): void {
    assert(this.#events === undefined, "one core commands the datapath");
    this.#events = events;
  }

  setNeighbour(neighbour: DatapathNeighbour): void {
    this.#devices.openPort(neighbour.port);
    this.#neighbours.set(neighbour.shortId, neighbour);
    this.#place(neighbour);
    this.#settleSources();
  }

  removeNeighbour(shortId: ShortId): void {
    if (!this.#neighbours.delete(shortId)) return;
    this.#programs.tables.setNeighbour(shortId, undefined);
    this.#gate.exclude(shortId);
    this.#lanes.close(shortId);
    this.#slots.release(shortId);
    this.#settleSources();
  }

  change({ self, hops, trees }: ForwardingChanges): void {
    const { tables } = this.#programs;
    if (self !== undefined && self !== this.#self) this.#become(self);
    for (const [shortId, hop] of hops) tables.setRoute(shortId, hop);
    for (const [originator, tree] of trees) {
      tables.setTree(originator, tree);
      if (tree.length > floodMax) this.#treesCut.add(originator);
      else this.#treesCut.delete(originator);
    }
  }

  forgetMacs(shortId: ShortId): void {
    const { tables } = this.#programs;
    for (const { mac, owner } of tables.macs()) if (owner === shortId) tables.forgetMac(mac);
  }

  setResidents(macs: readonly Mac[]): void {
    const { tables } = this.#programs;
    const before = this.#residents;
    this.#residents = new Set(macs);
    for (const mac of tables.residents) {
      if (!this.#residents.has(mac)) tables.setResident(mac, false);
    }
    for (const mac of this.#residents) {
      tables.setResident(mac, true);
      // Here at once, wherever it was before; later it may be heard elsewhere again.
      if (!before.has(mac) && this.#self !== undefined) tables.setMac(mac, this.#self);
    }
  }

  traffic(shortId: ShortId): NeighbourTraffic | undefined {
    const heard = this.#programs.tables.heardOf(shortId);
    return heard && { silenceMs: heard.ageTicks * tickMs, activity: heard.activity };
  }

  carried(shortId: ShortId): LinkTraffic | undefined {
    const slot = this.#slots.of(shortId);
    return slot === undefined ? undefined : this.#programs.tables.traffic(slot);
  }

  sendHeartbeat(shortId: ShortId, frame: Uint8Array): void {
    if (this.#self === undefined) return;
    try {
      this.#heartbeats.send(makeVni(this.#self, shortId), frame);
    } catch (error) {
      // Devices may be on their way: a heartbeat is lost then, as others are on the wire.
      if (!isSystemError(error)) throw error;
      this.#heartbeatsLost++;
    }
  }

  macs(): readonly DatapathMac[] {
    const { tables } = this.#programs;
    const rows: DatapathMac[] = [];
    for (const { mac, owner, age } of tables.macs()) {
      const ageMs = Math.floor(age * tickMs);
      // The programs do not go by it any more.
      if (ageMs > macAgeMaxMs) tables.forgetMac(mac);
      else rows.push({ mac, shortId: owner, ageMs });
    }
    return rows.sort((a, b) => a.mac - b.mac);
  }

  counters(): DatapathCounters {
    const { heartbeatsSent: _, heartbeatsHeard: __, ...counted } = this.#programs.tables.counters();
    const { sentFrames, sentBytes, receivedFrames, receivedBytes, ...others } = counted;
    const { relayedFrames, floodedFrames, handedOverFrames, handedInFrames, ...drops } = others;
    const lost = { ...drops, heartbeats: this.#heartbeatsLost, treesCut: this.#treesCut.size };
    return {
      sentFrames,
      sentBytes,
      receivedFrames,
      receivedBytes,
      relayedFrames,
      floodedFrames,
      handedOverFrames,
      handedInFrames,
      drops: Object.fromEntries(Object.entries(lost).filter(([, count]) => count > 0)),
    };
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#heartbeats.close();
    this.#programs.close();
    this.#netlink.close();
  }

  /** Tables that an earlier process left at work; `undefined` when there are none of our kind. */
  #standingTables(): TableSet | undefined {
    const uplink = findLink(this.#netlink, { name: this.#options.names.tap });
    if (uplink === undefined || !isOurs(uplink)) return undefined;
    // The program that refers to all of them.
    const place = { device: uplink.index, edge: "ingress" } as const;
    const program = this.#hooks.find(place, programName("wire"));
    if (program === undefined) return undefined;
    try {
      return tablesOf(program);
    } finally {
      closeDescriptor(program);
    }
  }

  #adopt(tables: TableSet): AdoptedTables {
    for (const [shortId, { device, local, remote, longest, slot }] of tables.neighbours()) {
      const port = this.#devices.portOf(device);
      const mtu = longest === 0 ? undefined : longest - ethernetHeaderSize;
      // Whoever knows whether it is encrypted will set it again.
      const neighbour = { shortId, localIp: local, remoteIp: remote, mtu, encrypted: true };
      if (port === undefined) {
        tables.setNeighbour(shortId, undefined);
        continue;
      }
      this.#slots.adopt(shortId, slot);
      this.#neighbours.set(shortId, { ...neighbour, port });
    }
    this.#residents = new Set(tables.residents);
    this.#self = tables.settings.self;
    const neighbours = [...this.#neighbours.values()];
    return { self: this.#self, neighbours, hops: tables.routes(), trees: tables.trees() };
  }

  /** Programs for a device, before it is switched on. Whether one was missing. */
  #equip(device: number, role: DeviceRole): boolean {
    const put = (edge: Edge, kind: ProgramKind): boolean =>
      this.#hooks.put({ device, edge }, this.#programs.program(kind));
    if (role === "handover") return put("ingress", "handover");
    const puts = [put("ingress", "wire"), put("egress", "container")];
    return puts.includes(true);
  }

  /** Programs and sockets learn which devices there are. */
  #introduceDevices(): void {
    const { uplink, handover } = this.#devices;
    this.#programs.tables.settings = { self: this.#self, uplink, handover };
    this.#heartbeats.bind(uplink, handover);
  }

  #become(self: ShortId): void {
    const { tables } = this.#programs;
    const before = this.#self;
    this.#self = self;
    const { uplink, handover } = this.#devices;
    tables.settings = { self, uplink, handover };
    for (const { mac, owner } of tables.macs()) if (owner === before) tables.setMac(mac, self);
    // Lanes send under the old id.
    for (const neighbour of this.#neighbours.values()) this.#place(neighbour);
  }

  /** Tells the programs where the neighbour is. A sentence on what was missing of its lane. */
  #place(neighbour: DatapathNeighbour): string | undefined {
    const { tables } = this.#programs;
    const { shortId, localIp: local, remoteIp: remote, port, mtu } = neighbour;
    const device = this.#devices.openPort(port);
    const longest = mtu === undefined || mtu >= this.mtu ? 0 : mtu + ethernetHeaderSize;
    const entry = { local, remote, device, lane: 0, longest, slot: this.#slots.take(shortId) };
    const purpose = this.#lanePurpose();
    if (purpose === undefined) {
      this.#gate.exclude(shortId);
      tables.setNeighbour(shortId, entry);
      return undefined;
    }
    const equip = (device: number): boolean =>
      [
        this.#hooks.put({ device, edge: "ingress" }, this.#programs.program("lane")),
        this.#hooks.put({ device, edge: "egress" }, this.#programs.program("container")),
      ].includes(true);
    const standing = this.#lanes.find(neighbour, purpose);
    if (standing !== undefined) {
      tables.setNeighbour(shortId, { ...entry, lane: standing });
      this.#settlePass(neighbour);
      return equip(standing) ? `put a program at ${laneName(shortId)} again` : undefined;
    }
    // Frames take the tunnel while there is no lane.
    tables.setNeighbour(shortId, entry);
    this.#gate.exclude(shortId);
    const lane = this.#lanes.make(neighbour, purpose, equip);
    if (lane === undefined) return undefined;
    tables.setNeighbour(shortId, { ...entry, lane });
    this.#settlePass(neighbour);
    return `made ${laneName(shortId)}`;
  }

  /** Of a neighbour that has its lane. */
  #settlePass({ shortId, remoteIp, port, encrypted }: DatapathNeighbour): void {
    const self = this.#self;
    if (self === undefined || encrypted === true || port !== this.#options.port) {
      this.#gate.exclude(shortId);
      return;
    }
    this.#gate.admit({ shortId, remoteIp, vni: makeVni(shortId, self) });
  }

  #lanePurpose(): LanePurpose | undefined {
    const { mtu } = this.#options;
    const { bridge } = this.#devices;
    return this.#self === undefined ? undefined : { mtu, bridge, self: this.#self };
  }

  /** Frames are taken from the hosts of all neighbours and no others. */
  #settleSources(): void {
    const { tables } = this.#programs;
    const slots = new Map<number, number>();
    for (const { shortId, remoteIp } of this.#neighbours.values()) {
      // Of several behind one address nobody can tell whose a frame is by that alone.
      slots.set(remoteIp, slots.has(remoteIp) ? 0 : (this.#slots.of(shortId) ?? 0));
    }
    for (const source of tables.sources)
      if (!slots.has(source)) tables.setSource(source, undefined);
    for (const [source, slot] of slots) tables.setSource(source, slot);
  }
}
