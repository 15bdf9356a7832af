import { formatIpv4 } from "../base/ip.ts";
import { type AddressRange, overlaps } from "../ipam/range.ts";

/**
 * What every peer takes for its own, running or on its disk. Two peers that own an address could
 * both give it away, so that this is watched at every change and not only when one of them does.
 */
export class Ownership {
  readonly #owned = new Map<number, readonly AddressRange[]>();

  /** The ranges of `peer` are now these; says what they share with those of another. */
  changed(peer: number, ranges: readonly AddressRange[]): string | undefined {
    this.#owned.set(peer, ranges);
    for (const [other, others] of this.#owned) {
      if (other === peer) continue;
      const shared = firstShared(ranges, others);
      if (shared !== undefined) return `${peer} and ${other} both own ${formatIpv4(shared)}`;
    }
    return undefined;
  }

  /** The disk of `peer` is lost. */
  forget(peer: number): void {
    this.#owned.delete(peer);
  }
}

/** Both lists are ascending and disjoint in themselves. */
function firstShared(a: readonly AddressRange[], b: readonly AddressRange[]): number | undefined {
  let [i, j] = [0, 0];
  for (let x = a[i], y = b[j]; x !== undefined && y !== undefined; x = a[i], y = b[j]) {
    if (overlaps(x, y)) return Math.max(x.start, y.start);
    if (x.end <= y.start) i++;
    else j++;
  }
  return undefined;
}
