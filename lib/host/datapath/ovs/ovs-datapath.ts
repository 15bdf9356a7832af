import { NETLINK_GENERIC, NetlinkSocket } from "../../../../ffi/libnl.ts";
import { isSystemError } from "../../../../ffi/system-error.ts";
import { fromHex, toHex } from "../../../base/bytes.ts";
import { assert } from "../../../base/errors.ts";
import type { LinkTraffic } from "../../../base/overlay.ts";
import type {
  AdoptedTables,
  DatapathCounters,
  DatapathEvents,
  DatapathMac,
  DatapathNeighbour,
  ForwardingChanges,
  ShortId,
} from "../../../overlay/fastdp/ports.ts";
import { makeVni } from "../../../overlay/fastdp/vni.ts";
import type { Mac } from "../../../wire/ethernet.ts";
import { monotonicMs } from "../../monotonic-clock.ts";
import type { Netlink } from "../../netlink/conversation.ts";
import { decodeMessages } from "../../netlink/message.ts";
import { openRoute } from "../../netlink/open.ts";
import type { DatapathOptions, HostDatapath } from "../backend.ts";
import { actionsFor } from "./actions.ts";
import { type DumpedFlow, decodeMiss, flowIdBytes, missCommand } from "./flow-message.ts";
import type { Ingress, Output } from "./frame-decision.ts";
import { inheritedFlow, inheritedTables } from "./inherited-flow.ts";
import { Odp } from "./odp.ts";
import { bridgeSideName, preparePairs, sleeveSideName } from "./ovs-devices.ts";
import { OvsPorts, vxlanName } from "./ovs-ports.ts";
import { type SwitchPorts, VirtualSwitch } from "./virtual-switch.ts";

/** The kernel keeps so many octets of misses; what comes beyond is lost, as on a busy wire. */
const missBufferBytes = 4 << 20;

/** Misses taken before others have their turn. */
const missesPerTurnMax = 128;

const countPeriodMs = 5000;

/** How old counters may be when they are asked for. */
const countAgeMaxMs = 1000;

/**
 * The fast datapath in the kernel's openvswitch module: the kernel has flows, and the switch behind
 * them runs here, on the main thread, which sees one frame of each flow.
 */
export class OvsDatapath implements HostDatapath {
  readonly backend = "ovs";
  readonly #options: DatapathOptions;
  readonly #odp: Odp;
  readonly #netlink: Netlink;
  readonly #misses: NetlinkSocket;
  readonly #switch: VirtualSwitch;
  readonly #countTimer: ReturnType<typeof setInterval>;
  readonly #idPrefix = crypto.getRandomValues(new Uint8Array(flowIdBytes / 2));
  #lastId = 0n;
  #datapath: number;
  #ports: OvsPorts;
  #handoverPort: number;
  #adopted: AdoptedTables | undefined;
  #events: DatapathEvents | undefined;
  #countedAtMs = 0;
  #closed = false;

  /** In the thread's network namespace. @throws WeaveError, SystemError */
  constructor(options: DatapathOptions) {
    this.#options = options;
    this.#odp = new Odp();
    this.#netlink = openRoute();
    this.#misses = new NetlinkSocket(NETLINK_GENERIC, missBufferBytes);
    this.#switch = new VirtualSwitch(this.#switchPorts());
    try {
      this.#misses.dropWhenFull();
      this.#misses.setNonBlocking();
      this.#datapath = this.#odp.openDatapath(options.names.datapath);
      this.#handoverPort = preparePairs(this.#netlink, options).handoverPort;
      this.#ports = this.#newPorts();
      this.#ports.prepare(options.port);
      this.#inherit();
    } catch (error) {
      for (const each of [this.#odp, this.#netlink, this.#misses]) each.close();
      throw error;
    }
    this.#countTimer = setInterval(() => this.#count(), countPeriodMs);
  }

  #switchPorts(): SwitchPorts {
    return {
      execute: (frame, ingress, outputs) => this.#execute(frame, ingress, outputs),
      install: (id, match, ingress, outputs) =>
        this.#try(() => {
          const actions = actionsFor(ingress, outputs, this.#ports);
          this.#odp.createFlow(this.#datapath, match, actions, fromHex(id));
        }),
      remove: (id) => void this.#try(() => this.#odp.deleteFlow(this.#datapath, fromHex(id))),
      portOf: (ingress) => this.#portOf(ingress),
      heartbeat: (heard) => this.#events?.heartbeat(heard),
      newId: () => this.#newId(),
    };
  }

  get mtu(): number {
    return this.#options.mtu;
  }

  get handoverPort(): number {
    return this.#handoverPort;
  }

  get adopted(): AdoptedTables | undefined {
    return this.#adopted;
  }

  connect(events: DatapathEvents): void {
    assert(this.#events === undefined, "one core commands the datapath");
    this.#events = events;
  }

  get descriptor(): number {
    return this.#misses.descriptor;
  }

  /** Takes misses, though not all when there are very many: others have their turn, too. */
  serve(): void {
    const nowMs = monotonicMs();
    for (let left = missesPerTurnMax; left > 0 && !this.#closed; left--) {
      const datagram = this.#nextDatagram();
      if (datagram === undefined) return;
      for (const { type, body } of decodeMessages(datagram)) {
        if (type === this.#odp.packetFamily && body[0] === missCommand) this.#miss(body, nowMs);
      }
    }
  }

  setNeighbour(neighbour: DatapathNeighbour): void {
    this.#ports.openVxlan(neighbour.port);
    this.#switch.setNeighbour(neighbour);
  }

  removeNeighbour(shortId: ShortId): void {
    this.#switch.removeNeighbour(shortId);
  }

  change(changes: ForwardingChanges): void {
    this.#switch.change(changes, monotonicMs());
  }

  forgetMacs(shortId: ShortId): void {
    this.#switch.forgetMacs(shortId);
  }

  setResidents(macs: readonly Mac[]): void {
    this.#switch.setResidents(macs, monotonicMs());
  }

  sendHeartbeat(shortId: ShortId, frame: Uint8Array): void {
    const neighbour = this.#switch.neighbour(shortId);
    const { self } = this.#switch;
    if (neighbour === undefined || self === undefined) return;
    const anyLength = { ...neighbour, mtu: undefined };
    const output = { kind: "tunnel", neighbour: anyLength, vni: makeVni(self, shortId) } as const;
    this.#execute(frame, { kind: "containers" }, [output]);
  }

  macs(): readonly DatapathMac[] {
    return this.#switch.macs(monotonicMs());
  }

  carried(shortId: ShortId): LinkTraffic | undefined {
    this.#countIfOld();
    return this.#switch.carried(shortId);
  }

  counters(): DatapathCounters {
    this.#countIfOld();
    return this.#switch.counters();
  }

  devices(): readonly string[] {
    const { names } = this.#options;
    const vxlan = [...this.#ports.vxlan.keys()].map(vxlanName);
    return [names.datapath, names.tap, bridgeSideName, sleeveSideName, names.capture, ...vxlan];
  }

  mend(bridge: number): readonly string[] {
    const mended: string[] = [];
    const { names, port } = this.#options;
    if (this.#odp.findDatapath(names.datapath) !== this.#datapath) {
      mended.push(`made datapath ${names.datapath}`);
      this.#datapath = this.#odp.openDatapath(names.datapath);
      const before = this.#ports;
      this.#ports = this.#newPorts();
      for (const udpPort of before.vxlan.keys()) this.#ports.openVxlan(udpPort);
    }
    const pairs = preparePairs(this.#netlink, { ...this.#options, bridge });
    this.#handoverPort = pairs.handoverPort;
    mended.push(...pairs.mended);
    const added = this.#ports.prepare(port);
    mended.push(...added.map((name) => `made ${name} a port of ${names.datapath}`));
    // Ports have other numbers now.
    if (added.length > 0) this.#switch.forgetFlows();
    return mended;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearInterval(this.#countTimer);
    this.#odp.close();
    this.#netlink.close();
    this.#misses.close();
  }

  #newPorts(): OvsPorts {
    return new OvsPorts({
      odp: this.#odp,
      netlink: this.#netlink,
      datapath: this.#datapath,
      upcallPort: this.#misses.port,
    });
  }

  /** Takes over what an earlier process of ours left; what others left is removed. */
  #inherit(): void {
    const flows = this.#odp.flows(this.#datapath);
    const ingressOf = (flow: DumpedFlow) => this.#kindOf(flow.match.inPort);
    const ours = flows.filter((flow) => flow.id !== "" && ingressOf(flow) !== undefined);
    const tables = inheritedTables(ours, ingressOf, (port) => this.#ports.udpPortOf(port));
    if (ours.length < flows.length || tables.self === undefined) {
      if (flows.length > 0) this.#odp.deleteAllFlows(this.#datapath);
      return;
    }
    this.#adopted = tables;
    this.#switch.inherit(ours.map(inheritedFlow), tables, monotonicMs());
  }

  #nextDatagram(): Uint8Array | undefined {
    try {
      return this.#misses.receive();
    } catch (error) {
      if (isSystemError(error)) return undefined;
      throw error;
    }
  }

  #miss(body: Uint8Array, nowMs: number): void {
    const miss = decodeMiss(body);
    if (miss === undefined) return;
    const { vlanType, frame, mark, tunnel } = miss;
    const kind = this.#kindOf(miss.inPort);
    if (kind === "containers") this.#switch.miss({ ingress: { kind }, vlanType, frame }, nowMs);
    else if (kind === "sleeve") {
      this.#switch.miss({ ingress: { kind, mark }, vlanType, frame }, nowMs);
    } else if (kind === "tunnel" && tunnel !== undefined) {
      const port = this.#ports.udpPortOf(miss.inPort) ?? 0;
      this.#switch.miss({ ingress: { kind, ...tunnel, port }, vlanType, frame }, nowMs);
    }
  }

  #kindOf(inPort: number): Ingress["kind"] | undefined {
    if (inPort === this.#ports.containers) return "containers";
    if (inPort === this.#ports.sleeve) return "sleeve";
    return this.#ports.udpPortOf(inPort) === undefined ? undefined : "tunnel";
  }

  #portOf(ingress: Ingress): number {
    if (ingress.kind === "containers") return this.#ports.containers;
    if (ingress.kind === "sleeve") return this.#ports.sleeve;
    return this.#ports.vxlan.get(ingress.port) ?? 0;
  }

  #execute(frame: Uint8Array, ingress: Ingress, outputs: readonly Output[]): void {
    const actions = actionsFor(ingress, outputs, this.#ports);
    if (!this.#try(() => this.#odp.execute(this.#datapath, frame, actions))) {
      this.#switch.executeFailed();
    }
  }

  /** False when the kernel refused. A datapath that is gone is for {@link mend} to see. */
  #try(request: () => void): boolean {
    try {
      request();
      return true;
    } catch (error) {
      if (isSystemError(error)) return false;
      throw error;
    }
  }

  #countIfOld(): void {
    if (monotonicMs() - this.#countedAtMs > countAgeMaxMs) this.#count();
  }

  #count(): void {
    this.#countedAtMs = monotonicMs();
    this.#try(() => this.#switch.counted(this.#odp.flowStats(this.#datapath), this.#countedAtMs));
  }

  #newId(): string {
    const counter = new Uint8Array(flowIdBytes / 2);
    new DataView(counter.buffer).setBigUint64(0, ++this.#lastId);
    return toHex(this.#idPrefix) + toHex(counter);
  }
}
