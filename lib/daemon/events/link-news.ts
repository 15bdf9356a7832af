import type { EventSink } from "../../base/network-event.ts";
import { formatPeerName, type PeerName } from "../../base/peer-name.ts";
import type { Cancel, World } from "../../base/world.ts";
import type { FoundMtu, OverlayChange } from "../../overlay/chosen-link.ts";

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
  readonly #told = new Map<PeerName, FoundMtu>();
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

  /** One step of a search, or its end. */
  mtuFound(found: FoundMtu): void {
    const { remote, overlay, mtu } = found;
    this.#waiting.get(remote)?.();
    const settled = (): void => {
      this.#waiting.delete(remote);
      const told = this.#told.get(remote);
      if (told?.overlay === overlay && told.mtu === mtu) return;
      this.#told.set(remote, found);
      this.#emit("link.mtu", { ...this.#peer(remote), overlay, mtu });
    };
    this.#waiting.set(remote, this.#world.after(settledMs, settled));
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
