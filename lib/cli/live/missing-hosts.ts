import { byNumber } from "./by-number.ts";
import type { NetworkReading } from "./network-reading.ts";

export interface MissingHost {
  readonly name: string;
  readonly nickname: string;
  /** How many addresses it owns. */
  readonly addresses: number;
}

/** Hosts that own addresses and that nobody hears of, by nickname. */
export function missingHosts({ report }: NetworkReading): MissingHost[] {
  const found = new Map<string, MissingHost>();
  for (const { Peer, Nickname, Size, IsKnownPeer } of report.IPAM?.Entries ?? []) {
    if (IsKnownPeer) continue;
    const addresses = (found.get(Peer)?.addresses ?? 0) + Size;
    found.set(Peer, { name: Peer, nickname: Nickname || Peer, addresses });
  }
  return [...found.values()].toSorted((a, b) => byNumber(a.nickname, b.nickname));
}
