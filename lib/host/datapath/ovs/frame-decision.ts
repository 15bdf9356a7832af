import { readUint16 } from "../../../base/bytes.ts";
import type { Ipv4 } from "../../../base/ip.ts";
import {
  type DatapathNeighbour,
  handoverFlag,
  handoverMark,
  type NextHop,
  type ShortId,
} from "../../../overlay/fastdp/ports.ts";
import { makeVni, vniDestination, vniOriginator } from "../../../overlay/fastdp/vni.ts";
import type { MacTable } from "../../../overlay/mac-table.ts";
import {
  ethernetDestinationAt,
  ethernetSourceAt,
  ethernetTypeAt,
  type Mac,
  readMac,
  spanningTreeMac,
} from "../../../wire/ethernet.ts";

/**
 * What becomes of a frame, decided once for all frames like it: the rules of
 * `lib/overlay/fastdp/ports.ts` as a function of the tables. A decision names what it was made of, so
 * that a flow made from it goes when that changes, and only then.
 */
export type Ingress =
  | { readonly kind: "containers" }
  | { readonly kind: "sleeve"; readonly mark: number }
  | {
      readonly kind: "tunnel";
      readonly vni: number;
      /** Outer addresses. */
      readonly source: Ipv4;
      readonly destination: Ipv4;
      /** Our VXLAN port. */
      readonly port: number;
    };

export type Output =
  | { readonly kind: "containers" }
  | { readonly kind: "sleeve"; readonly mark: number }
  | { readonly kind: "tunnel"; readonly neighbour: DatapathNeighbour; readonly vni: number };

/**
 * Something a decision was made of:
 *
 *   mac      where this address is, known or not        hop    the hop to a peer, or that it has none
 *   tree     the floods of an originator                self   our own short id
 *   at       a neighbour's address, or that a short id is no neighbour's
 *   sources  which outer sources there are
 */
export type Dependency =
  | `mac ${Mac}`
  | `hop ${ShortId}`
  | `tree ${ShortId}`
  | `at ${ShortId}`
  | "self"
  | "sources";

export type DropReason =
  | "spanningTree"
  | "macConflict"
  | "destinationLocal"
  | "noRoute"
  | "unknownSource"
  | "unknownPeer"
  | "wouldReturn"
  | "unmarked"
  | "notReady"
  | "malformed"
  | "refused";

export interface Decision {
  readonly drop: DropReason | undefined;
  readonly outputs: readonly Output[];
  readonly flooded: boolean;
  /** Whether it holds for frames between other addresses, too. */
  readonly forAnyMacs: boolean;
  readonly depends: readonly Dependency[];
  /** False: the next frame may fare differently though no table has changed. */
  readonly lasting: boolean;
}

/** In the table of addresses: this host, whatever its short id is. */
export const here = -1;
export type MacOwner = ShortId | typeof here;

export interface DecisionTables {
  readonly self: ShortId | undefined;
  readonly neighbours: ReadonlyMap<ShortId, DatapathNeighbour>;
  readonly hops: ReadonlyMap<ShortId, NextHop>;
  readonly trees: ReadonlyMap<ShortId, readonly ShortId[]>;
  /** Outer addresses of all neighbours. */
  readonly sources: { has(address: Ipv4): boolean };
  readonly macs: MacTable<MacOwner>;
}

/** A heartbeat is no frame to be decided on: it is for the core. */
export type Verdict = Decision | "heartbeat";

/** `frame` has a whole Ethernet header. Learns its source. */
export function decide(
  tables: DecisionTables,
  ingress: Ingress,
  frame: Uint8Array,
  nowMs: number,
): Verdict {
  return new FrameDecision(tables, ingress, frame, nowMs).verdict();
}

class FrameDecision {
  readonly #tables: DecisionTables;
  readonly #ingress: Ingress;
  readonly #source: Mac;
  readonly #destination: Mac;
  readonly #isHeartbeat: boolean;
  readonly #nowMs: number;
  readonly #depends = new Set<Dependency>(["self"]);

  constructor(tables: DecisionTables, ingress: Ingress, frame: Uint8Array, nowMs: number) {
    this.#tables = tables;
    this.#ingress = ingress;
    this.#source = readMac(frame, ethernetSourceAt);
    this.#destination = readMac(frame, ethernetDestinationAt);
    const type = readUint16(frame, ethernetTypeAt);
    this.#isHeartbeat = this.#source === 0 && this.#destination === 0 && type === 0;
    this.#nowMs = nowMs;
  }

  verdict(): Verdict {
    const ingress = this.#ingress;
    if (ingress.kind === "containers") return this.#captured();
    if (ingress.kind === "sleeve") {
      return (ingress.mark & ~0xff_ffff) === handoverFlag
        ? this.#handedIn(ingress.mark & 0xff_ffff)
        : this.#drop("unmarked", { forAnyMacs: true });
    }
    return this.#fromWire(ingress);
  }

  #captured(): Decision {
    const { self, macs } = this.#tables;
    if (self === undefined) return this.#drop("notReady", { lasting: false });
    if (this.#destination === spanningTreeMac) return this.#drop("spanningTree");
    if (!macs.learnCaptured(this.#source, this.#nowMs)) {
      return this.#drop("macConflict", { lasting: false });
    }
    this.#on(`mac ${this.#source}`, `mac ${this.#destination}`);
    const owner = macs.lookup(this.#destination);
    if (owner === here) return this.#drop("destinationLocal");
    if (owner !== undefined) return this.#forward(makeVni(self, owner), { forAnyMacs: false });
    return this.#give(this.#flood(self), { flooded: true });
  }

  #fromWire(ingress: Ingress & { kind: "tunnel" }): Verdict {
    const originator = vniOriginator(ingress.vni);
    if (!this.#isKnown(originator)) return this.#drop("unknownPeer", { forAnyMacs: true });
    if (this.#isHeartbeat) return "heartbeat";
    this.#on("sources");
    // Its heartbeats must still be heard: not for any addresses.
    if (!this.#tables.sources.has(ingress.source)) return this.#drop("unknownSource");
    return this.#received(ingress.vni);
  }

  #handedIn(vni: number): Decision {
    if (!this.#isKnown(vniOriginator(vni))) return this.#drop("unknownPeer", { forAnyMacs: true });
    return this.#received(vni);
  }

  #isKnown(peer: ShortId): boolean {
    const { self, hops, neighbours } = this.#tables;
    this.#on(`hop ${peer}`, `at ${peer}`);
    return peer !== self && (hops.has(peer) || neighbours.has(peer));
  }

  #received(vni: number): Decision {
    const { self, macs } = this.#tables;
    if (self === undefined) return this.#drop("notReady", { lasting: false });
    if (vniDestination(vni) !== self) return this.#forward(vni, { forAnyMacs: true });
    const originator = vniOriginator(vni);
    macs.learnReceived(this.#source, originator, this.#nowMs);
    this.#on(`mac ${this.#source}`, `mac ${this.#destination}`);
    const isHere = macs.lookup(this.#destination) === here;
    const onward = isHere ? [] : this.#flood(originator);
    return this.#give([{ kind: "containers" }, ...onward], { flooded: onward.length > 0 });
  }

  #forward(vni: number, options: { forAnyMacs: boolean }): Decision {
    const output = this.#towards(vniDestination(vni), vni);
    if (output === undefined) return this.#drop("noRoute", options);
    if (this.#wouldReturn(output)) return this.#drop("wouldReturn", options);
    return this.#give([output], options);
  }

  #flood(originator: ShortId): Output[] {
    this.#on(`tree ${originator}`);
    const hops = this.#tables.trees.get(originator) ?? [];
    const outputs = hops.flatMap((hop) => this.#towards(hop, makeVni(originator, hop)) ?? []);
    return outputs.filter((output) => !this.#wouldReturn(output));
  }

  #towards(peer: ShortId, vni: number): Output | undefined {
    this.#on(`hop ${peer}`);
    const hop = this.#tables.hops.get(peer);
    if (hop === undefined) return undefined;
    if (hop.kind === "sleeve") {
      return { kind: "sleeve", mark: handoverMark(vniOriginator(vni), vniDestination(vni)) };
    }
    this.#on(`at ${hop.neighbour}`);
    const neighbour = this.#tables.neighbours.get(hop.neighbour);
    return neighbour === undefined ? undefined : { kind: "tunnel", neighbour, vni };
  }

  /** Two neighbours may be behind one address, but not at one port of it. */
  #wouldReturn(output: Output): boolean {
    const ingress = this.#ingress;
    if (ingress.kind !== "tunnel" || output.kind !== "tunnel") return false;
    const { remoteIp, port } = output.neighbour;
    return remoteIp === ingress.source && port === ingress.port;
  }

  #on(...dependencies: Dependency[]): void {
    for (const dependency of dependencies) this.#depends.add(dependency);
  }

  #drop(drop: DropReason, options: { lasting?: boolean; forAnyMacs?: boolean } = {}): Decision {
    return { ...this.#give([], options), drop };
  }

  #give(
    outputs: readonly Output[],
    options: { lasting?: boolean; flooded?: boolean; forAnyMacs?: boolean },
  ): Decision {
    return {
      drop: undefined,
      outputs,
      flooded: options.flooded ?? false,
      forAnyMacs: options.forAnyMacs ?? false,
      lasting: options.lasting ?? true,
      depends: [...this.#depends],
    };
  }
}
