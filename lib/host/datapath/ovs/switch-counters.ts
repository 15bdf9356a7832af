import type { DatapathCounters } from "../../../overlay/fastdp/ports.ts";
import type { Tally } from "./flow-table.ts";
import type { Decision, DropReason, Ingress, Output } from "./frame-decision.ts";

/** What frames of a decision count as. */
export function tallyOf(decision: Decision, ingress: Ingress): Tally {
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
  };
}

/** Sums of tallies. */
export class VirtualSwitchCounters {
  readonly #drops = new Map<DropReason, number>();
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
  }

  dropped(reason: DropReason, frames: number): void {
    this.#drops.set(reason, (this.#drops.get(reason) ?? 0) + frames);
  }

  read(): DatapathCounters {
    return { ...this.#sums, drops: Object.fromEntries(this.#drops) };
  }
}
