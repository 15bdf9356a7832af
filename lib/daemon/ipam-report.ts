import type { IpamReport, ReclaimReport } from "../api/ipam-report.ts";
import { orNull } from "../api/make-router-report.ts";
import { formatIpv4, formatIpv4Cidr } from "../base/ip.ts";
import { formatPeerName, type PeerName } from "../base/peer-name.ts";
import type { AllocatorStatus, ReclaimStatus } from "../ipam/allocator-status.ts";

/** The `IPAM` member of the report, in the original's names and order (ipam §16). */
export function ipamReport(
  status: AllocatorStatus,
  nickname: (peer: PeerName) => string = () => "",
): IpamReport {
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
    ...(status.conflicts.length > 0 && {
      Conflicts: status.conflicts.map((conflict) => ({
        Peer: formatPeerName(conflict.peer),
        Nickname: nickname(conflict.peer),
        Code: conflict.code,
        Message: conflict.message,
        Remedy: conflict.remedy ?? "",
        Since: new Date(conflict.sinceMs).toISOString(),
      })),
    }),
    ...(status.reclaim !== undefined && { Reclaim: reclaimReport(status.reclaim) }),
  };
}

function reclaimReport(reclaim: ReclaimStatus): ReclaimReport {
  const { leaseLeftMs } = reclaim;
  return {
    AfterSeconds: reclaim.afterMs / 1000,
    Epoch: reclaim.epoch,
    Members: reclaim.members.map(formatPeerName),
    MayAllocate: reclaim.mayUse,
    LeaseLeftSeconds: leaseLeftMs === undefined ? null : Math.floor(leaseLeftMs / 1000),
    Taken: reclaim.taken.map(({ peer, epoch }) => ({ Peer: formatPeerName(peer), Epoch: epoch })),
  };
}
