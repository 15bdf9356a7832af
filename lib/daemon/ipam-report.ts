import { orNull } from "../api/make-router-report.ts";
import type { IpamReport } from "../api/report.ts";
import { formatIpv4, formatIpv4Cidr } from "../base/ip.ts";
import { formatPeerName } from "../base/peer-name.ts";
import type { AllocatorStatus } from "../ipam/allocator-status.ts";

/** The `IPAM` member of the report, in the original's names and order (ipam §16). */
export function ipamReport(status: AllocatorStatus): IpamReport {
  const { election } = status;
  return {
    Paxos:
      election === undefined
        ? null
        : {
            Elector: election.isElector,
            KnownNodes: election.knownNodes,
            Quorum: election.quorum,
          },
    Range: formatIpv4Cidr(status.universe),
    RangeNumIPs: status.universeSize,
    ActiveIPs: status.activeAddresses,
    DefaultSubnet: formatIpv4Cidr(status.defaultSubnet),
    Entries:
      status.ranges?.map((range) => ({
        Token: formatIpv4(range.token),
        Size: range.size,
        Peer: formatPeerName(range.peer),
        Nickname: range.nickname,
        IsKnownPeer: range.isKnownPeer,
        Version: range.version,
      })) ?? null,
    PendingClaims: orNull(
      status.pendingClaims.map(({ ident, cidr }) => ({
        Ident: ident,
        CIDR: { Addr: formatIpv4(cidr.address), PrefixLen: cidr.prefix },
      })),
    ),
    PendingAllocates: orNull(
      status.pendingAllocations.map(({ ident, subnet }) => `${ident} ${formatIpv4Cidr(subnet)}`),
    ),
  };
}
