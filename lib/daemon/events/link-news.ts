import type { EventSink } from "../../base/network-event.ts";
import { formatPeerName, type PeerName } from "../../base/peer-name.ts";
import type { Cancel, World } from "../../base/world.ts";
import type { OverlayChange } from "../../overlay/chosen-link.ts";

/** A search for what a path carries takes less between two sizes. */
const settledMs = 3_000;

/**
 * Tells what becomes of links that stand: which overlay carries their frames, and what packets may
 * have, once that has not changed for a while.
 */
export class LinkNews {
  readonly #world: Pick<World, "after">;
  readonly #emit: EventSink;
  readonly #nickname: (peer: PeerName) => string | undefined;
  readonly #told = new Map<PeerName, number>();
  readonly #waiting = new Map<PeerName, Cancel>();

  constructor(
    world: Pick<World, "after">,
    emit: EventSink,
    nickname: (peer: PeerName) => string | undefined,
  ) {
    this.#world = world;
    this.#emit = emit;
    this.#nickname = nickname;
  }

  overlayChanged({ remote, ...change }: OverlayChange): void {
    this.#emit("link.overlay", { ...this.#peer(remote), ...change });
  }

  /** By the fast datapath; sleeve divides what is too large. */
  mtuFound(peer: PeerName, mtu: number): void {
    this.#waiting.get(peer)?.();
    const settled = (): void => {
      this.#waiting.delete(peer);
      if (this.#told.get(peer) === mtu) return;
      this.#told.set(peer, mtu);
      this.#emit("link.mtu", { ...this.#peer(peer), overlay: "fastdp", mtu });
    };
    this.#waiting.set(peer, this.#world.after(settledMs, settled));
  }

  /** What is found out for the next link is news. */
  linkLost(peer: PeerName): void {
    this.#waiting.get(peer)?.();
    this.#waiting.delete(peer);
    this.#told.delete(peer);
  }

  stop(): void {
    for (const peer of [...this.#waiting.keys()]) this.linkLost(peer);
  }

  #peer(peer: PeerName): { readonly peer: string; readonly nickname: string } {
    return { peer: formatPeerName(peer), nickname: this.#nickname(peer) ?? "" };
  }
}
