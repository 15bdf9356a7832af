import type { IpFamily } from "../../base/ip.ts";
import type { Iptables, TableName } from "../firewall/iptables.ts";
import { listRules } from "../netlink/nftables.ts";
import { openNetfilter } from "../netlink/open.ts";
import { entryJump } from "./ipset-entry.ts";
import { isOurChain } from "./ipset-name.ts";

/**
 * What stands in chains, by {@link placeOf} them, to tell whether somebody else has changed it:
 *
 *   a chain of ours   its rules in their order
 *   FORWARD           its first rule, before which nobody's may stand
 */
export type Standing = ReadonlyMap<string, string>;

export function placeOf(family: IpFamily, chain: string): string {
  return `${family} ${chain}`;
}

/** What stands there now. @throws SystemError, WeaveError */
export function look(programs: Iterable<Iptables>, table: TableName): Standing {
  const standing = new Map<string, string>();
  for (const program of programs) {
    if (!program.hasTable(table)) continue;
    for (const [chain, rules] of Map.groupBy(rulesOf(program, table), (each) => each.chain)) {
      const place = placeOf(program.family, chain);
      const texts = rules.map(({ rule }) => rule);
      if (isOurChain(chain)) standing.set(place, texts.join("\n"));
      else if (chain === entryJump.from) standing.set(place, texts[0]!);
    }
  }
  return standing;
}

/** Whether the same stands in all places but these. */
export function isSameBut(former: Standing, now: Standing, places: ReadonlySet<string>): boolean {
  const all = new Set([...former.keys(), ...now.keys()]);
  return all
    .difference(places)
    .values()
    .every((place) => former.get(place) === now.get(place));
}

interface StandingRule {
  readonly chain: string;
  /** What no other rule of the chain is called, and this one always. */
  readonly rule: string;
}

/**
 * nf_tables gives a rule that is made anew another handle, and lists handles in a millisecond or two
 * where a program that prints rules takes ten. The other half of the kernel has nothing but the rules.
 */
function rulesOf(program: Iptables, table: TableName): StandingRule[] {
  if (program.speech === "nf_tables") {
    using netlink = openNetfilter();
    const id = { family: program.family === 4 ? "ip" : "ip6", name: table } as const;
    return listRules(netlink, id).map(({ chain, handle }) => ({ chain, rule: `${handle}` }));
  }
  return (program.rules(table) ?? []).flatMap((line) => {
    const [, chain] = /^-A (\S+)/.exec(line) ?? [];
    return chain === undefined ? [] : [{ chain, rule: line }];
  });
}
