import type { ShortId } from "../../../overlay/fastdp/ports.ts";
import type { Mac } from "../../../wire/ethernet.ts";
import type { FlowMatch, FlowStats } from "./flow-message.ts";
import type { Dependency, DropReason, MacOwner } from "./frame-decision.ts";

/** What each packet of a flow counts as. */
export interface Tally {
  readonly sent: number;
  readonly received: number;
  readonly relayed: number;
  readonly flooded: number;
  readonly handedOver: number;
  readonly handedIn: number;
  readonly drop: DropReason | undefined;
  /** Neighbours to which a copy goes through the tunnel. */
  readonly to: readonly ShortId[];
  /** The neighbour from which it came through the tunnel, where that is known. */
  readonly from: ShortId | undefined;
}

/** A flow in the kernel. */
export interface Flow {
  /** As the kernel knows it: hexadecimal. */
  readonly id: string;
  readonly match: FlowMatch;
  readonly depends: readonly Dependency[];
  /** `undefined` for what an earlier process made: its packets were counted by nobody. */
  readonly tally: Tally | undefined;
  /** Whose frames they are, so that an address in use is not forgotten. */
  readonly learns: { readonly mac: Mac; readonly owner: MacOwner } | undefined;
  packets: number;
  bytes: number;
  usedAtMs: number;
}

export type NewFlow = Omit<Flow, "packets" | "bytes" | "usedAtMs">;

/** Beyond so many flows further frames are decided one by one. */
export const flowsMax = 32_768;

/** A flow that no packet has met for so long goes. */
export const flowIdleMs = 60_000;

/** The flows that are in the kernel, and what each was made of. */
export class FlowTable {
  readonly #byId = new Map<string, Flow>();
  readonly #matches = new Set<string>();
  readonly #byDependency = new Map<Dependency, Set<Flow>>();

  get size(): number {
    return this.#byId.size;
  }

  /** Whether a flow for these frames may be added: there is none, and there is room. */
  takes(match: FlowMatch): boolean {
    return this.#byId.size < flowsMax && !this.#matches.has(keyOf(match));
  }

  add(flow: NewFlow, nowMs: number): void {
    const entry = { ...flow, packets: 0, bytes: 0, usedAtMs: nowMs };
    this.#byId.set(flow.id, entry);
    this.#matches.add(keyOf(flow.match));
    for (const dependency of flow.depends) {
      const same = this.#byDependency.get(dependency);
      if (same === undefined) this.#byDependency.set(dependency, new Set([entry]));
      else same.add(entry);
    }
  }

  get(id: string): Flow | undefined {
    return this.#byId.get(id);
  }

  /** Those that were made of this. */
  of(dependency: Dependency): Flow[] {
    return [...(this.#byDependency.get(dependency) ?? [])];
  }

  all(): Flow[] {
    return [...this.#byId.values()];
  }

  delete(flow: Flow): void {
    if (!this.#byId.delete(flow.id)) return;
    this.#matches.delete(keyOf(flow.match));
    for (const dependency of flow.depends) {
      const same = this.#byDependency.get(dependency);
      same?.delete(flow);
      if (same?.size === 0) this.#byDependency.delete(dependency);
    }
  }

  /** Takes note of what the kernel counted; gives how much that is more than the last time. */
  count(flow: Flow, stats: FlowStats, nowMs: number): { packets: number; bytes: number } {
    const packets = Math.max(0, stats.packets - flow.packets);
    const bytes = Math.max(0, stats.bytes - flow.bytes);
    flow.packets = stats.packets;
    flow.bytes = stats.bytes;
    if (packets > 0) flow.usedAtMs = nowMs;
    return { packets, bytes };
  }

  idle(nowMs: number): Flow[] {
    return this.all().filter(({ usedAtMs }) => nowMs - usedAtMs > flowIdleMs);
  }
}

function keyOf({ inPort, macs, vlanType, mark, tunnel }: FlowMatch): string {
  const between = macs === undefined ? "any" : `${macs.source}>${macs.destination}`;
  const wrap = tunnel === undefined ? "" : `${tunnel.vni},${tunnel.source},${tunnel.destination}`;
  return `${inPort} ${between} ${vlanType ?? ""} ${mark ?? ""} ${wrap}`;
}
