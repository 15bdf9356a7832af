import { formatIpv4 } from "../base/ip.ts";
import { contains } from "./range.ts";
import { entrySize, type RingState } from "./ring-entry.ts";

/**
 * What every ring must satisfy, ours and those received (ipam §7). Returns the original's error
 * text, or `undefined` for a sound ring.
 */
export function ringFault(ring: Pick<RingState, "entries" | "universe">): string | undefined {
  const { entries, universe } = ring;
  for (const [index, { token }] of entries.entries()) {
    if (index > 0 && token < entries[index - 1]!.token) return "Ring not sorted";
  }
  for (const [index, { token }] of entries.entries()) {
    if (index > 0 && token === entries[index - 1]!.token) return "Token appears twice in ring";
    if (!contains(universe, token)) return "Token is out of range";
  }
  for (const [index, { token, free }] of entries.entries()) {
    const size = entrySize(entries, index, universe);
    if (free <= size) continue;
    const next = entries[index + 1] ?? entries[0]!;
    const span = `${formatIpv4(token)}-${formatIpv4(next.token)}`;
    return `Entry ${span} reporting too much free space: ${free} > ${size}`;
  }
  return undefined;
}
