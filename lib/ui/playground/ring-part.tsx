import { formatIpv4 } from "../../base/ip.ts";
import { formatPeerName, type PeerName } from "../../base/peer-name.ts";
import type { Belief } from "../../simulator/beliefs.ts";
import { Ring } from "../page/ring.tsx";

interface RingPartProps {
  readonly belief: Belief | undefined;
  readonly range: string;
  /** Addresses that names are known of. */
  readonly inUse: readonly string[];
  readonly peers: readonly {
    readonly name: PeerName;
    readonly label: string;
    readonly key: number;
  }[];
  select(number: number): void;
}

/** Who owns which addresses, as one host has it. */
export function RingPart({ belief, range, inUse, peers, select }: RingPartProps) {
  if (belief === undefined) return <p class="faint">Its router is dead: it believes nothing.</p>;
  const reached = new Set(belief.reached);
  return (
    <Ring
      picture={{
        self: formatPeerName(belief.reached[0]!),
        ...{ version: "", links: [], names: [] },
        containers: inUse.map((address) => ({
          ...{ id: address, peer: "", name: "", namespace: "", names: [], labels: {} },
          addresses: [address],
        })),
        peers: peers.map(({ name, label }) => ({
          ...{ name: formatPeerName(name), nickname: label, told: null },
          reached: reached.has(name),
        })),
        ring: {
          ...{ range, active: 0, addresses: 0 },
          parts: belief.ranges.map(({ first, size, owner }) => ({
            ...{ peer: formatPeerName(owner), first: formatIpv4(first), size },
          })),
        },
      }}
      select={(key) => {
        const chosen = peers.find(({ name }) => key.endsWith(formatPeerName(name)));
        if (chosen !== undefined) select(chosen.key);
      }}
    />
  );
}
