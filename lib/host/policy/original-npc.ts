import { Iptables, isTableInUse, programsOf } from "../firewall/iptables.ts";
import type { Netlink } from "../netlink/conversation.ts";
import { listIpsets } from "../netlink/ipset.ts";
import { destroySets } from "./ipset-kernel.ts";
import { isOurSet } from "./ipset-name.ts";
import { logGroup } from "./log-labels.ts";

/**
 * Removes what the policy controller of the original has left, and the rules by which its router
 * leads there (kubernetes.md §6, §8):
 *
 *   filter FORWARD  -i weave -j WEAVE-NPC-EGRESS, -o weave -j WEAVE-NPC
 *                   -o weave -m state --state NEW -j NFLOG --nflog-group 86, -o weave -j DROP
 *          INPUT    -i weave -j WEAVE-NPC-EGRESS
 *          WEAVE-NPC, WEAVE-NPC-…                          sets  weave-‹SHA-1 in 85 characters›
 *
 * They drop whatever it did not know. Ours are in table `mangle`, so both may stand together: the
 * time to call this is when ours do. It ran in a container with an iptables of its own, so either
 * half of the kernel may have them. All rules of a table go at once.
 *
 * @returns whether there was anything
 * @throws WeaveError, SystemError when it still runs, and puts back what was removed
 */
export function removeOriginalNpc(bridge: string): boolean {
  const programs = isTableInUse(table, 4) ? programsOf(4) : [];
  const removed = programs.filter((program) => removeRules(new Iptables(program), bridge));
  return destroySets(originalSets) > 0 || removed.length > 0;
}

const table = "filter";

function removeRules(program: Iptables, bridge: string): boolean {
  if (!program.hasTable(table)) return false;
  const listing = program.mustRules(table);
  const chains = listing.flatMap((line) => /^-N (WEAVE-NPC(-\S+)?)$/.exec(line)?.[1] ?? []);
  const drops = [
    `-A FORWARD -o ${bridge} -m state --state NEW -j NFLOG --nflog-group ${logGroup}`,
    `-A FORWARD -o ${bridge} -j DROP`,
  ];
  // A drop alone may be anybody's.
  const isLeft = chains.length > 0 || listing.includes(drops[0]!);
  if (!isLeft) return false;
  const rules = listing.filter(
    (line) => drops.includes(line) || /^-A (?!WEAVE-NPC).* -j WEAVE-NPC(-\S+)?$/.test(line),
  );
  program.restore(
    table,
    [
      ...chains.map((name) => `:${name} - [0:0]`),
      ...rules.map((line) => line.replace("-A", "-D")),
      ...chains.map((name) => `-X ${name}`),
    ],
    "what a former policy controller has left",
  );
  return true;
}

const typesOfOriginal = ["list:set", "hash:ip", "hash:net"];

/** Those that are made of others first. */
function originalSets(netlink: Netlink): string[] {
  return listIpsets(netlink)
    .filter(({ name, type }) => isOriginalName(name) && typesOfOriginal.includes(type))
    .sort((a, b) => typesOfOriginal.indexOf(a.type) - typesOfOriginal.indexOf(b.type))
    .map(({ name }) => name);
}

/** 160 bits in an alphabet of 85 characters. */
const originalName = /^weave-\S{20,25}$/;

function isOriginalName(name: string): boolean {
  return originalName.test(name) && !isOurSet(name);
}
