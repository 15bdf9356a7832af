import type { ClusterLab } from "./cluster-lab.ts";

/** What somebody else has in the packet filters of a node, who does not expect us. */
const plant = `
ipset create foreign hash:net
ipset add foreign 198.51.100.0/24
ipset create weave-foreign hash:ip
iptables -N FOREIGN
iptables -A FOREIGN -m set --match-set foreign dst -j RETURN
iptables -A OUTPUT -j FOREIGN
nft add table inet foreign
nft add set inet foreign some '{ type ipv4_addr; flags interval; elements = { 198.51.100.0/24 }; }'
nft add chain inet foreign out '{ type filter hook output priority 10; }'
nft add rule inet foreign out ip daddr @some counter
nft add table bridge foreign
nft add chain bridge foreign through '{ type filter hook forward priority -100; }'`;

const show = `
ipset save foreign
ipset save weave-foreign
iptables -S FOREIGN
iptables -S OUTPUT | grep FOREIGN
nft list table inet foreign
nft list table bridge foreign`;

/** Filters of others on all nodes. */
export class ForeignFilters {
  readonly #lab: ClusterLab;
  readonly #planted = new Map<string, string>();

  private constructor(lab: ClusterLab) {
    this.#lab = lab;
  }

  static async plant(lab: ClusterLab): Promise<ForeignFilters> {
    const filters = new ForeignFilters(lab);
    for (const node of lab.nodes) {
      await node.mustExec(["sh", "-ec", plant]);
      filters.#planted.set(node.name, await node.mustExec(["sh", "-ec", show]));
    }
    return filters;
  }

  /** What they are, and what they were, by the names of the nodes. */
  async now(): Promise<{ before: Record<string, string>; now: Record<string, string> }> {
    const now: Record<string, string> = {};
    for (const node of this.#lab.nodes) now[node.name] = await node.mustExec(["sh", "-ec", show]);
    return { before: Object.fromEntries(this.#planted), now };
  }
}
