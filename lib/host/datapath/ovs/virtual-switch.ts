import type { Ipv4 } from "../../../base/ip.ts";
import { type LinkTraffic, noTraffic } from "../../../base/overlay.ts";
import type {
  AdoptedTables,
  DatapathCounters,
  DatapathMac,
  DatapathNeighbour,
  ForwardingChanges,
  HeardHeartbeat,
  NextHop,
  ShortId,
} from "../../../overlay/fastdp/ports.ts";
import { vniDestination, vniOriginator } from "../../../overlay/fastdp/vni.ts";
import { MacTable } from "../../../overlay/mac-table.ts";
import {
  ethernetDestinationAt,
  ethernetHeaderSize,
  ethernetSourceAt,
  type Mac,
  readMac,
} from "../../../wire/ethernet.ts";
import type { FlowMatch, FlowStats } from "./flow-message.ts";
import { type Flow, FlowTable, type NewFlow } from "./flow-table.ts";
import {
  type Decision,
  type Dependency,
  decide,
  here,
  type Ingress,
  type MacOwner,
  type Output,
} from "./frame-decision.ts";
import type { InheritedFlow } from "./inherited-flow.ts";
import { tallyOf, VirtualSwitchCounters } from "./switch-counters.ts";

/** What an earlier process left goes after this time, if its tables have been told anew by then. */
const inheritanceMs = 60_000;

/** The kernel, as the switch sees it. */
export interface SwitchPorts {
  /** Gives one frame that came in by `ingress` to these outputs. */
  execute(frame: Uint8Array, ingress: Ingress, outputs: readonly Output[]): void;
  /** Has frames like that one go there without asking; false when the kernel refuses. */
  install(id: string, match: FlowMatch, ingress: Ingress, outputs: readonly Output[]): boolean;
  remove(id: string): void;
  /** The port of the datapath by which frames of this kind come in. */
  portOf(ingress: Ingress): number;
  heartbeat(heard: HeardHeartbeat): void;
  /** Sixteen octets in hexadecimal, never the same ones again. */
  newId(): string;
}

/** A frame that the kernel knew no flow for. */
export interface SwitchMiss {
  readonly ingress: Ingress;
  readonly vlanType: number | undefined;
  readonly frame: Uint8Array;
}

/**
 * The learning switch behind a datapath that does nothing by itself (fastdp §6, §7). A frame that
 * has no flow comes here, is decided on, and leaves a flow for those that follow:
 *
 *   miss ──▶ decision ──▶ execute on this frame
 *               └───────▶ flow ──▶ kernel      removed when what it was made of changes,
 *                          └─▶ table           or nobody has used it for a while
 */
export class VirtualSwitch {
  readonly #ports: SwitchPorts;
  readonly #flows = new FlowTable();
  readonly #counters = new VirtualSwitchCounters();
  readonly #neighbours = new Map<ShortId, DatapathNeighbour>();
  readonly #hops = new Map<ShortId, NextHop>();
  readonly #trees = new Map<ShortId, readonly ShortId[]>();
  readonly #macs: MacTable<MacOwner>;
  #sources = new Set<Ipv4>();
  #self: ShortId | undefined;
  #inherited: readonly string[] = [];
  #inheritanceEndsMs = Number.POSITIVE_INFINITY;

  constructor(ports: SwitchPorts) {
    this.#ports = ports;
    const changed = (mac: Mac): void => this.#changed(`mac ${mac}`);
    this.#macs = new MacTable<MacOwner>({ local: here, learned: changed, moved: changed });
  }

  get self(): ShortId | undefined {
    return this.#self;
  }

  /** How many flows are in the kernel. */
  get flows(): number {
    return this.#flows.size;
  }

  neighbour(shortId: ShortId): DatapathNeighbour | undefined {
    return this.#neighbours.get(shortId);
  }

  miss({ ingress, vlanType, frame }: SwitchMiss, nowMs: number): void {
    if (frame.length < ethernetHeaderSize) {
      this.#counters.dropped("malformed", 1);
      return;
    }
    const decision = decide(
      {
        self: this.#self,
        neighbours: this.#neighbours,
        hops: this.#hops,
        trees: this.#trees,
        sources: this.#sources,
        macs: this.#macs,
      },
      ingress,
      frame,
      nowMs,
    );
    if (decision === "heartbeat") this.#heartbeat(ingress, frame);
    else this.#carryOut(decision, { ingress, vlanType, frame }, nowMs);
  }

  #heartbeat(ingress: Ingress, frame: Uint8Array): void {
    if (ingress.kind !== "tunnel") return;
    this.#ports.heartbeat({
      source: vniOriginator(ingress.vni),
      destination: vniDestination(ingress.vni),
      remoteIp: ingress.source,
      port: ingress.port,
      frame,
      length: frame.length,
    });
  }

  #carryOut(decision: Decision, { ingress, vlanType, frame }: SwitchMiss, nowMs: number): void {
    const tables = { neighbours: this.#neighbours, hops: this.#hops };
    const tally = tallyOf(decision, ingress, tables);
    this.#counters.add(tally, 1, frame.length);
    if (decision.outputs.length > 0) this.#ports.execute(frame, ingress, decision.outputs);
    if (!decision.lasting) return;
    const [source, destination] = [
      readMac(frame, ethernetSourceAt),
      readMac(frame, ethernetDestinationAt),
    ];
    const match: FlowMatch = {
      inPort: this.#ports.portOf(ingress),
      macs: decision.forAnyMacs ? undefined : { source, destination },
      vlanType,
      mark: ingress.kind === "sleeve" ? ingress.mark : undefined,
      tunnel: ingress.kind === "tunnel" ? ingress : undefined,
    };
    const owner = this.#macs.lookup(source);
    const learns =
      match.macs === undefined || owner === undefined ? undefined : { mac: source, owner };
    const flow = { id: this.#ports.newId(), match, depends: decision.depends, tally, learns };
    this.#install(flow, ingress, decision.outputs, nowMs);
  }

  #install(flow: NewFlow, ingress: Ingress, outputs: readonly Output[], nowMs: number): void {
    if (!this.#flows.takes(flow.match)) return;
    if (this.#ports.install(flow.id, flow.match, ingress, outputs)) this.#flows.add(flow, nowMs);
  }

  /** Removes the flows that were made of what has changed. */
  #changed(...dependencies: readonly Dependency[]): void {
    for (const dependency of dependencies) {
      for (const flow of this.#flows.of(dependency)) this.#remove(flow);
    }
  }

  #remove(flow: Flow): void {
    this.#flows.delete(flow);
    this.#ports.remove(flow.id);
  }

  setNeighbour(neighbour: DatapathNeighbour): void {
    const { shortId } = neighbour;
    const before = this.#neighbours.get(shortId);
    if (before !== undefined && isSame(before, neighbour)) return;
    this.#neighbours.set(shortId, neighbour);
    this.#neighboursChanged(shortId);
  }

  removeNeighbour(shortId: ShortId): void {
    if (this.#neighbours.delete(shortId)) this.#neighboursChanged(shortId);
  }

  #neighboursChanged(shortId: ShortId): void {
    this.#changed(`at ${shortId}`);
    const sources = new Set([...this.#neighbours.values()].map(({ remoteIp }) => remoteIp));
    const before = this.#sources;
    this.#sources = sources;
    if (before.symmetricDifference(sources).size > 0) this.#changed("sources");
  }

  change({ self, hops, trees }: ForwardingChanges, nowMs: number): void {
    for (const [shortId, hop] of hops) {
      if (isSameHop(this.#hops.get(shortId), hop)) continue;
      if (hop === undefined) this.#hops.delete(shortId);
      else this.#hops.set(shortId, hop);
      this.#changed(`hop ${shortId}`);
    }
    for (const [originator, tree] of trees) {
      const before = new Set(this.#trees.get(originator));
      if (before.symmetricDifference(new Set(tree)).size === 0) continue;
      if (tree.length === 0) this.#trees.delete(originator);
      else this.#trees.set(originator, tree);
      this.#changed(`tree ${originator}`);
    }
    if (self !== undefined && self !== this.#self) {
      this.#self = self;
      this.#changed("self");
    }
    this.#inheritanceEndsMs = Math.min(this.#inheritanceEndsMs, nowMs + inheritanceMs);
  }

  forgetMacs(shortId: ShortId): void {
    for (const { mac, peer } of this.#macs.list()) {
      if (peer === shortId) this.#changed(`mac ${mac}`);
    }
    this.#macs.forgetPeer(shortId);
  }

  setResidents(macs: readonly Mac[], nowMs: number): void {
    this.#macs.setResidents(macs, nowMs);
  }

  /**
   * Goes on with the flows that an earlier process made, and by the tables that they were made of;
   * learns from them who is where.
   */
  inherit(inherited: readonly InheritedFlow[], tables: AdoptedTables, nowMs: number): void {
    this.#self = tables.self;
    for (const neighbour of tables.neighbours) this.setNeighbour(neighbour);
    for (const [shortId, hop] of tables.hops) this.#hops.set(shortId, hop);
    for (const [originator, tree] of tables.trees) this.#trees.set(originator, tree);
    // First of all: what is learned removes flows.
    for (const { match, owner } of inherited) {
      if (match.macs === undefined) continue;
      if (owner === here) this.#macs.learnCaptured(match.macs.source, nowMs);
      else this.#macs.learnReceived(match.macs.source, owner, nowMs);
    }
    for (const { id, match, owner, depends } of inherited) {
      const learns = match.macs === undefined ? undefined : { mac: match.macs.source, owner };
      this.#flows.add({ id, match, depends, tally: undefined, learns }, nowMs);
    }
    this.#inherited = inherited.map(({ id }) => id);
  }

  /** What the kernel has counted, flow by flow. Flows out of use go, and addresses out of sight. */
  counted(stats: readonly FlowStats[], nowMs: number): void {
    for (const each of stats) {
      const flow = this.#flows.get(each.id);
      if (flow === undefined) continue;
      const { packets, bytes } = this.#flows.count(flow, each, nowMs);
      if (packets === 0) continue;
      if (flow.tally !== undefined) this.#counters.add(flow.tally, packets, bytes);
      if (flow.learns !== undefined) this.#refresh(flow.learns, nowMs);
    }
    for (const flow of this.#flows.idle(nowMs)) this.#remove(flow);
    if (nowMs >= this.#inheritanceEndsMs) this.#endInheritance();
    this.#macs.sweep(nowMs);
  }

  /** An address that moved has lost its flows, so its owner is still the one of the flow. */
  #refresh({ mac, owner }: NonNullable<Flow["learns"]>, nowMs: number): void {
    if (this.#macs.lookup(mac) !== owner) return;
    if (owner === here) this.#macs.learnCaptured(mac, nowMs);
    else this.#macs.learnReceived(mac, owner, nowMs);
  }

  #endInheritance(): void {
    for (const id of this.#inherited) {
      const flow = this.#flows.get(id);
      if (flow !== undefined) this.#remove(flow);
    }
    this.#inherited = [];
  }

  /** The kernel has none of them any more. */
  forgetFlows(): void {
    for (const flow of this.#flows.all()) this.#remove(flow);
  }

  /** The kernel did not take a frame. */
  executeFailed(): void {
    this.#counters.dropped("refused", 1);
  }

  macs(nowMs: number): DatapathMac[] {
    return this.#macs.list().flatMap(({ mac, peer, lastSeenMs }) => {
      const shortId = peer === here ? this.#self : peer;
      return shortId === undefined ? [] : [{ mac, shortId, ageMs: nowMs - lastSeenMs }];
    });
  }

  /** Frames of a neighbour, as far as the kernel has told. */
  carried(shortId: ShortId): LinkTraffic | undefined {
    if (!this.#neighbours.has(shortId)) return undefined;
    return this.#counters.of(shortId) ?? noTraffic;
  }

  counters(): DatapathCounters {
    return this.#counters.read();
  }
}

function isSameHop(a: NextHop | undefined, b: NextHop | undefined): boolean {
  if (a?.kind !== "tunnel" || b?.kind !== "tunnel") return a?.kind === b?.kind;
  return a.neighbour === b.neighbour;
}

function isSame(a: DatapathNeighbour, b: DatapathNeighbour): boolean {
  const isThere = a.localIp === b.localIp && a.remoteIp === b.remoteIp && a.port === b.port;
  return isThere && a.mtu === b.mtu;
}
