import type { WeaveError } from "../base/errors.ts";
import { formatPeerName, type PeerName } from "../base/peer-name.ts";
import type { Log, World } from "../base/world.ts";

/** Origins and channels that are counted apart; beyond, the oldest count is dropped. */
const countsMax = 256;

/** Payloads from one origin on one channel that were refused since the start. */
export interface Refusal {
  readonly channel: string;
  readonly origin: PeerName;
  readonly count: number;
  /** The latest reason. */
  readonly error: { readonly code: string; readonly text: string; readonly remedy?: string };
  /** Wall clock in milliseconds. */
  readonly atMs: number;
}

/**
 * Counts what was refused and says it once: the origin is to blame, links and relays are not, and a
 * peer that repeats itself does not fill the log.
 */
export class Refusals {
  readonly #world: Pick<World, "now"> & { readonly log: Log };
  /** By channel and origin, the latest refusal last. */
  readonly #counts = new Map<string, Refusal>();

  constructor(world: Pick<World, "now"> & { readonly log: Log }) {
    this.#world = world;
  }

  note(channel: string, origin: PeerName, error: WeaveError): void {
    const key = `${origin} ${channel}`;
    const known = this.#counts.get(key);
    const { code, message: text, remedy } = error;
    const line = `[gossip ${channel}]: refused a payload of ${formatPeerName(origin)}: ${text}`;
    if (known?.error.text === text) this.#world.log.debug(line);
    else this.#world.log.warn(line);
    this.#counts.delete(key);
    for (const oldest of this.#counts.keys()) {
      if (this.#counts.size < countsMax) break;
      this.#counts.delete(oldest);
    }
    this.#counts.set(key, {
      channel,
      origin,
      count: (known?.count ?? 0) + 1,
      error: { code, text, ...(remedy === undefined ? {} : { remedy }) },
      atMs: this.#world.now(),
    });
  }

  list(): Refusal[] {
    return [...this.#counts.values()];
  }
}
