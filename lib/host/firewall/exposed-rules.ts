import { type Cidr, formatCidr, networkOf } from "../../base/ip.ts";
import { multicastGroups } from "../multicast-filter.ts";
import type { PacketChain, PacketRule } from "./packet-rule.ts";

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
 *   postrouting  what goes to networks in `unmasked`, and multicast, stays as it is; what else
 *                crosses the border of an exposed subnet is masqueraded, in both directions
 *
 * @param unmasked networks of containers of this host who are to see who calls them
 */
export function exposedChains(
  bridgeName: string,
  exposed: readonly Exposed[],
  unmasked: readonly Cidr[] = [],
): PacketChain[] {
  const to = { is: bridgeName };
  const forIpv4 = exposed.filter(({ cidr }) => cidr.address.family === 4);
  const masqueraded = forIpv4.filter(({ masquerade }) => masquerade);
  return [
    {
      ...{ family: 4, at: "forward" },
      rules: [
        { from: { is: bridgeName }, verdict: "accept" },
        { to, known: true, verdict: "accept" },
        ...forIpv4.map(
          ({ cidr }): PacketRule => ({
            ...{ to, destination: { is: networkOf(cidr) }, verdict: "accept" },
            comment: commentOf(cidr),
          }),
        ),
      ],
    },
    {
      ...{ family: 4, at: "postrouting" },
      rules: [
        ...(masqueraded.length === 0 ? [] : unmasked.map(unmaskedRule)),
        ...masqueraded.flatMap(({ cidr }) => natRules(cidr)),
      ],
    },
  ];
}

function unmaskedRule(network: Cidr): PacketRule {
  return {
    ...{ destination: { is: network }, verdict: "leave" },
    comment: "containers here see who calls them",
  };
}

function natRules(cidr: Cidr): PacketRule[] {
  const subnet = networkOf(cidr);
  const comment = commentOf(cidr);
  const [inside, outside] = [{ is: subnet }, { isNot: subnet }];
  return [
    { source: inside, destination: { is: multicastGroups }, verdict: "leave", comment },
    { source: outside, destination: inside, verdict: "masquerade", comment },
    { source: inside, destination: outside, verdict: "masquerade", comment },
  ];
}

function commentOf(cidr: Cidr): string {
  return `exposed ${formatCidr(cidr)}`;
}
