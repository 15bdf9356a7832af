import { WeaveError } from "../base/errors.ts";
import type { PeerName } from "../base/peer-name.ts";

/** A peer whose ring we cannot agree with, for status and metrics. */
export interface Conflict {
  /** Whose message it was. */
  readonly peer: PeerName;
  /** `IPAM_RING_…`. */
  readonly code: string;
  readonly message: string;
  /** What an operator can do about it. */
  readonly remedy: string | undefined;
  /** Wall clock of the first such message, milliseconds. */
  readonly sinceMs: number;
}

const conflictsMax = 64;

/** Conflicts that last: from the first ring refused until one of the same peer is accepted. */
export class Conflicts {
  readonly #byPeer = new Map<PeerName, Conflict>();

  list(): Conflict[] {
    return [...this.#byPeer.values()];
  }

  /** Whether this is the first that is heard of it. */
  note(peer: PeerName, error: unknown, nowMs: number): boolean {
    if (!(error instanceof WeaveError)) return false;
    const { code, message, remedy } = error;
    const known = this.#byPeer.get(peer);
    if (known === undefined && this.#byPeer.size === conflictsMax) return false;
    const sinceMs = known?.code === code ? known.sinceMs : nowMs;
    this.#byPeer.set(peer, { peer, code, message, remedy, sinceMs });
    return known?.code !== code;
  }

  /** Whether there was one. */
  resolve(peer: PeerName): boolean {
    return this.#byPeer.delete(peer);
  }
}
