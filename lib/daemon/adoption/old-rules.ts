import { isSystemError } from "../../../ffi/system-error.ts";
import { Iptables, type TableName } from "../../host/firewall/iptables.ts";
import { listIpsets } from "../../host/netlink/ipset.ts";
import { destroySets } from "../../host/policy/ipset-kernel.ts";

/**
 * Removes the original's rules for exposed addresses (host-network §6.1), which would go on
 * masquerading and letting in once an address is hidden, or exposed without masquerading:
 *
 *   nat POSTROUTING ─▶ WEAVE             filter FORWARD, to the bridge ─▶ WEAVE-EXPOSE
 *
 * With `--no-masq-local` the first looks at a set of networks, which goes as well.
 *
 * Its other rules accept what ours accept, and keep containers of Docker's bridge out. It ran in a
 * container with an iptables of its own, so either half of the kernel may have them.
 */
export function removeOldExposure(bridge: string): void {
  const jumps: readonly (readonly [table: TableName, chain: string, jump: readonly string[]])[] = [
    ["nat", "WEAVE", ["POSTROUTING", "-j", "WEAVE"]],
    ["filter", "WEAVE-EXPOSE", ["FORWARD", "-o", bridge, "-j", "WEAVE-EXPOSE"]],
  ];
  for (const program of ["iptables", "iptables-legacy"]) {
    const iptables = new Iptables(program);
    for (const [table, chain, jump] of jumps) {
      if (!iptables.hasTable(table)) continue;
      iptables.try(table, "-D", ...jump);
      if (iptables.try(table, "-F", chain)) iptables.try(table, "-X", chain);
    }
  }
  removeUnmaskedSet();
}

function removeUnmaskedSet(): void {
  const name = "weaver-no-masq-local";
  try {
    destroySets((netlink) => (listIpsets(netlink).some((set) => set.name === name) ? [name] : []));
  } catch (error) {
    // Somebody else looks at it as well.
    if (!isSystemError(error, "EBUSY")) throw error;
  }
}
