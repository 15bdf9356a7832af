import type {
  Overlay,
  OverlayLink,
  OverlayLinkParameters,
  OverlayLinkStatus,
} from "../base/overlay.ts";
import type { World } from "../base/world.ts";

/** An overlay whose links work `delayMs` after they were confirmed, never if that is infinite. */
export class InstantOverlay implements Overlay {
  readonly #world: Pick<World, "after">;
  /** For links confirmed from now on. */
  delayMs: number;
  /** Links prepared and not stopped. */
  readonly links = new Set<InstantLink>();

  constructor(world: Pick<World, "after">, delayMs = 0) {
    this.#world = world;
    this.delayMs = delayMs;
  }

  features(): ReadonlyMap<string, string> {
    return new Map([["Overlays", "sleeve"]]);
  }

  prepare(parameters: OverlayLinkParameters): OverlayLink {
    const link = new InstantLink(this.#world, this, parameters);
    this.links.add(link);
    return link;
  }
}

export class InstantLink implements OverlayLink {
  readonly parameters: OverlayLinkParameters;
  /** Control messages received, as `tag:hex`. */
  readonly received: string[] = [];
  readonly #world: Pick<World, "after">;
  readonly #overlay: InstantOverlay;
  #cancel: (() => void) | undefined;

  constructor(
    world: Pick<World, "after">,
    overlay: InstantOverlay,
    parameters: OverlayLinkParameters,
  ) {
    this.#world = world;
    this.#overlay = overlay;
    this.parameters = parameters;
  }

  confirm(): void {
    const { delayMs } = this.#overlay;
    if (delayMs === Number.POSITIVE_INFINITY) return;
    this.#cancel = this.#world.after(delayMs, () => this.parameters.established());
  }

  control(tag: number, body: Uint8Array): void {
    this.received.push(`${tag}:${body.toHex()}`);
  }

  stop(): void {
    this.#cancel?.();
    this.#overlay.links.delete(this);
  }

  describe(): OverlayLinkStatus {
    const isSealed = this.parameters.sessionKey !== undefined;
    const attributes = { ...(isSealed && { encrypted: true }), mtu: 1438 };
    const [reason, sinceMs] = ["the only one there is", this.parameters.now()];
    return { name: "sleeve", attributes, reason, degraded: false, sinceMs };
  }
}
