import { addTraffic, type LinkTraffic, noTraffic } from "../../../base/overlay.ts";
import type { DatapathCounters, ShortId } from "../../../overlay/fastdp/ports.ts";
import { vniOriginator } from "../../../overlay/fastdp/vni.ts";
import type { Tally } from "./flow-table.ts";
import type { Decision, DecisionTables, DropReason, Ingress, Output } from "./frame-decision.ts";

/** What frames of a decision count as. */
export function tallyOf(
  decision: Decision,
  ingress: Ingress,
  tables: Pick<DecisionTables, "neighbours" | "hops">,
): Tally {
  const to = (kind: Output["kind"]): number =>
    decision.outputs.filter((output) => output.kind === kind).length;
  const isCaptured = ingress.kind === "containers";
  const isDelivered = to("containers") > 0;
  return {
    sent: isCaptured ? to("tunnel") : 0,
    received: isDelivered && ingress.kind === "tunnel" ? 1 : 0,
    relayed: isCaptured || isDelivered || decision.outputs.length === 0 ? 0 : 1,
    flooded: decision.flooded ? 1 : 0,
    handedOver: to("sleeve"),
    handedIn: ingress.kind === "sleeve" ? 1 : 0,
    drop: decision.drop,
    to: decision.outputs.flatMap((output) =>
      output.kind === "tunnel" ? output.neighbour.shortId : [],
    ),
    from: ingress.kind === "tunnel" ? neighbourOf(ingress, tables) : undefined,
  };
}

/** Whose tunnel it came through: that to which frames for its originator go, or nobody's. */
function neighbourOf(
  { vni, source }: Extract<Ingress, { kind: "tunnel" }>,
  { neighbours, hops }: Pick<DecisionTables, "neighbours" | "hops">,
): ShortId | undefined {
  const hop = hops.get(vniOriginator(vni));
  if (hop?.kind !== "tunnel") return undefined;
  return neighbours.get(hop.neighbour)?.remoteIp === source ? hop.neighbour : undefined;
}

/** Sums of tallies. */
export class VirtualSwitchCounters {
  readonly #drops = new Map<DropReason, number>();
  /** By short id, of which there are 4096. */
  readonly #byNeighbour = new Map<ShortId, LinkTraffic>();
  readonly #sums = {
    sentFrames: 0,
    sentBytes: 0,
    receivedFrames: 0,
    receivedBytes: 0,
    relayedFrames: 0,
    floodedFrames: 0,
    handedOverFrames: 0,
    handedInFrames: 0,
  };

  /** So many frames, of so many octets together. */
  add(tally: Tally, frames: number, bytes: number): void {
    const sums = this.#sums;
    sums.sentFrames += tally.sent * frames;
    sums.sentBytes += tally.sent * bytes;
    sums.receivedFrames += tally.received * frames;
    sums.receivedBytes += tally.received * bytes;
    sums.relayedFrames += tally.relayed * frames;
    sums.floodedFrames += tally.flooded * frames;
    sums.handedOverFrames += tally.handedOver * frames;
    sums.handedInFrames += tally.handedIn * frames;
    if (tally.drop !== undefined) this.dropped(tally.drop, frames);
    for (const shortId of tally.to) {
      this.#note(shortId, { ...noTraffic, sentPackets: frames, sentBytes: bytes });
    }
    if (tally.from !== undefined) {
      this.#note(tally.from, { ...noTraffic, receivedPackets: frames, receivedBytes: bytes });
    }
  }

  #note(shortId: ShortId, traffic: LinkTraffic): void {
    const before = this.#byNeighbour.get(shortId);
    this.#byNeighbour.set(shortId, before === undefined ? traffic : addTraffic(before, traffic));
  }

  /** Frames that went to a neighbour and came from it. */
  of(shortId: ShortId): LinkTraffic | undefined {
    return this.#byNeighbour.get(shortId);
  }

  dropped(reason: DropReason, frames: number): void {
    this.#drops.set(reason, (this.#drops.get(reason) ?? 0) + frames);
  }

  read(): DatapathCounters {
    return { ...this.#sums, drops: Object.fromEntries(this.#drops) };
  }
}
