import type { Picture } from "../../api/picture-models.ts";

/** What a peer owns of the range, and how much of that is in use. */
export interface OwnerUse {
  readonly peer: string;
  readonly owned: number;
  /** Addresses of containers that are known; of this host what it holds, if that is more. */
  readonly used: number;
}

/** Of all owners, in the order of their names. */
export function ringUse({ ring, containers, self }: Picture): OwnerUse[] {
  const parts = (ring?.parts ?? []).map((part) => ({ ...part, begin: numberOf(part.first) ?? 0 }));
  parts.sort((a, b) => a.begin - b.begin);
  const owned = new Map<string, number>();
  for (const { peer, size } of parts) owned.set(peer, (owned.get(peer) ?? 0) + size);
  const used = new Map<string, number>();
  for (const address of new Set(containers.flatMap(({ addresses }) => addresses.map(bare)))) {
    const at = numberOf(address);
    const part = at === undefined ? undefined : partAt(parts, at);
    if (part !== undefined) used.set(part.peer, (used.get(part.peer) ?? 0) + 1);
  }
  return [...owned]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([peer, count]) => ({
      ...{ peer, owned: count },
      used: Math.max(used.get(peer) ?? 0, peer === self ? (ring?.active ?? 0) : 0),
    }));
}

interface Part {
  readonly begin: number;
  readonly size: number;
  readonly peer: string;
}

/** @param parts in ascending order */
function partAt(parts: readonly Part[], address: number): Part | undefined {
  let [low, high] = [0, parts.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (parts[middle]!.begin <= address) low = middle + 1;
    else high = middle;
  }
  const part = parts[low - 1];
  return part !== undefined && address < part.begin + part.size ? part : undefined;
}

function bare(address: string): string {
  return address.split("/")[0]!;
}

/** `undefined` for what is no IPv4 address: the range is one of those. */
function numberOf(address: string): number | undefined {
  const octets = address.split(".").map(Number);
  const isAddress = octets.length === 4 && octets.every((each) => each >= 0 && each <= 255);
  return isAddress ? octets.reduce((sum, octet) => sum * 256 + octet, 0) : undefined;
}
