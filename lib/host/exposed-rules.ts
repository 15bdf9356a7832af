import { type Cidr, formatCidr, networkOf } from "../base/ip.ts";
import { multicastGroups } from "./multicast-filter.ts";
import * as nft from "./netlink/nft-expression.ts";
import type { NftChain, NftRule } from "./netlink/nftables.ts";

/** One address of the host on the overlay. */
export interface Exposed {
  readonly cidr: Cidr;
  /** Whether traffic between this subnet and the world beyond takes the host's address. */
  readonly masquerade: boolean;
}

/**
 * The rules for exposed addresses (host-network §6.1):
 *
 *   forward      from and to the bridge; out of it; answers into it; to exposed subnets
 *   postrouting  multicast stays as it is; what crosses the border of an exposed subnet is
 *                masqueraded, in both directions
 */
export function exposedChains(bridgeName: string, exposed: readonly Exposed[]): NftChain[] {
  const into = nft.outputInterface(bridgeName);
  const from = nft.inputInterface(bridgeName);
  const forIpv4 = exposed.filter(({ cidr }) => cidr.address.family === 4);
  return [
    {
      name: "forward",
      hook: { type: "filter", at: "forward", priority: 0 },
      rules: [
        { expressions: [...from, nft.accept()] },
        { expressions: [...into, ...nft.connectionKnown(), nft.accept()] },
        ...forIpv4.map(({ cidr }) => ({
          expressions: [...into, ...nft.destination(networkOf(cidr)), nft.accept()],
          comment: `exposed ${formatCidr(cidr)}`,
        })),
      ],
    },
    {
      name: "postrouting",
      hook: { type: "nat", at: "postrouting", priority: 100 },
      rules: forIpv4.filter(({ masquerade }) => masquerade).flatMap(({ cidr }) => natRules(cidr)),
    },
  ];
}

function natRules(cidr: Cidr): NftRule[] {
  const subnet = networkOf(cidr);
  const comment = `exposed ${formatCidr(cidr)}`;
  return [
    {
      expressions: [...nft.source(subnet), ...nft.destination(multicastGroups), nft.leaveChain()],
      comment,
    },
    {
      expressions: [...nft.destination(subnet), ...nft.source(subnet, false), nft.masquerade()],
      comment,
    },
    {
      expressions: [...nft.source(subnet), ...nft.destination(subnet, false), nft.masquerade()],
      comment,
    },
  ];
}
