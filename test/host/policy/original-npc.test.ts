import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { NetworkNamespace } from "../../../lib/host/netns.ts";
import { makeEnforcer } from "../../../lib/host/policy/choose-enforcer.ts";
import { IpsetEnforcer, removeIpsetPolicies } from "../../../lib/host/policy/ipset-enforcer.ts";
import { NftablesEnforcer } from "../../../lib/host/policy/nft-enforcer.ts";
import { removeOriginalNpc } from "../../../lib/host/policy/original-npc.ts";
import type { RuleSet } from "../../../lib/policy/rule-set.ts";
import { Laboratory, recordingLog } from "../laboratory.ts";

/** Names as the original makes them: twenty-five characters of its alphabet. */
const sets = {
  allowed: "weave-Rzff}h:=]JaaJl/G;(XJpGjZ[",
  pods: "weave-;rGqyMIl1HN^cfDki~Z$3]6!N",
  namespaces: "weave-k?Z;25^M}|1s7P3|H9i;*;MhG",
  except: "weave-4vtqMI+kx/2]jD%_c0S%thO%V",
} as const;

const note = `-m comment --comment "NOTE: this must go before '-j KUBE-FORWARD'"`;

/** What its router and its policy controller have in table filter, in the words of iptables. */
const rules = [
  "-N WEAVE-NPC",
  "-N WEAVE-NPC-DEFAULT",
  "-N WEAVE-NPC-INGRESS",
  "-N WEAVE-NPC-EGRESS",
  "-N WEAVE-NPC-EGRESS-DEFAULT",
  "-N WEAVE-NPC-EGRESS-CUSTOM",
  "-N WEAVE-NPC-EGRESS-ACCEPT",
  `-A FORWARD -i weave ${note} -j WEAVE-NPC-EGRESS`,
  `-A FORWARD -o weave ${note} -j WEAVE-NPC`,
  "-A FORWARD -o weave -m state --state NEW -j NFLOG --nflog-group 86",
  "-A FORWARD -o weave -j DROP",
  "-A INPUT -i weave -j WEAVE-NPC-EGRESS",
  "-A WEAVE-NPC -m state --state RELATED,ESTABLISHED -j ACCEPT",
  "-A WEAVE-NPC -d 224.0.0.0/4 -j ACCEPT",
  "-A WEAVE-NPC -m physdev --physdev-out vethwe-bridge --physdev-is-bridged -j ACCEPT",
  "-A WEAVE-NPC -m state --state NEW -j WEAVE-NPC-DEFAULT",
  "-A WEAVE-NPC -m state --state NEW -j WEAVE-NPC-INGRESS",
  `-A WEAVE-NPC-DEFAULT -m set --match-set '${sets.allowed}' dst -j ACCEPT`,
  `-A WEAVE-NPC-INGRESS -p tcp -m set --match-set '${sets.namespaces}' src --dport 80 -j ACCEPT`,
  `-A WEAVE-NPC-INGRESS -m set ! --match-set '${sets.except}' src -j ACCEPT`,
  "-A WEAVE-NPC-EGRESS -m addrtype --dst-type LOCAL -j RETURN",
  "-A WEAVE-NPC-EGRESS -m state --state NEW -j WEAVE-NPC-EGRESS-DEFAULT",
  "-A WEAVE-NPC-EGRESS -m mark ! --mark 0x40000/0x40000 -j DROP",
  `-A WEAVE-NPC-EGRESS-DEFAULT -m set --match-set '${sets.pods}' src -j WEAVE-NPC-EGRESS-ACCEPT`,
  "-A WEAVE-NPC-EGRESS-ACCEPT -j MARK --set-xmark 0x40000/0x40000",
];

/** What others have there, before and behind. */
const foreign = [
  "-N KUBE-FORWARD",
  "-A FORWARD -j KUBE-FORWARD",
  "-A FORWARD -m set --match-set weave-watch src -j ACCEPT",
  "-A FORWARD -o docker0 -j DROP",
];
const foreignSets = ["create weave-watch hash:ip", "create weave hash:net"];

const nobodyIsJudged: RuleSet = {
  sets: new Map(),
  portSets: new Map(),
  chains: new Map(),
  targets: { ingress: new Map(), egress: new Map() },
};

describe("what a policy controller of the original has left", () => {
  const laboratory = new Laboratory("original-npc");
  let host: NetworkNamespace;
  const run = (command: string): string =>
    host.run(() => {
      const { exitCode, stdout, stderr } = Bun.spawnSync(["sh", "-ec", command]);
      if (exitCode !== 0) throw new Error(`${command}: ${stderr}`);
      return stdout.toString();
    });

  beforeAll(() => {
    host = laboratory.namespace("h");
  });
  afterAll(() => laboratory.close());

  const lay = (program: string): string => {
    const before = `${program} -S; ipset save | sort`;
    run([...foreignSets.map((words) => `ipset ${words}`)].join("\n"));
    run(foreign.map((words) => `${program} ${words}`).join("\n"));
    const state = run(before);
    for (const set of [sets.allowed, sets.pods]) run(`ipset create '${set}' hash:ip comment`);
    run(`ipset create '${sets.namespaces}' list:set; ipset create '${sets.except}' hash:net`);
    run(`ipset add '${sets.namespaces}' '${sets.pods}'; ipset add '${sets.pods}' 10.32.0.1`);
    run(rules.map((words) => `${program} ${words}`).join("\n"));
    return state;
  };
  const tidy = (program: string): void => {
    run(`${program} -F; ${program} -X; until ipset destroy 2>/dev/null; do sleep 0.01; done`);
  };

  test.each(["iptables", "iptables-legacy"])("goes from %s, and nothing of others", (program) => {
    const before = lay(program);
    expect(host.run(() => removeOriginalNpc("weave"))).toBe(true);
    expect(run(`${program} -S; ipset save | sort`)).toBe(before);
    expect(host.run(() => removeOriginalNpc("weave"))).toBe(false);
    tidy(program);
  });

  test.each(["nftables", "iptables"] as const)("goes once rules of %s stand", (choice) => {
    const options = { bridge: "weave", multicast: "allow", log: recordingLog() } as const;
    const Other = choice === "nftables" ? IpsetEnforcer : NftablesEnforcer;
    host.run(() => new Other(options).replace(nobodyIsJudged));
    const before = lay("iptables");
    const { enforcer } = host.run(() => makeEnforcer(choice, options));
    expect(run("iptables -S")).toContain("-j WEAVE-NPC");
    host.run(() => enforcer.replace(nobodyIsJudged));
    expect(run("iptables -S; ipset save | sort")).toBe(before);
    expect(enforcer.name).toBe(choice);
    expect(run("nft list tables; iptables -t mangle -S")).not.toContain(
      choice === "nftables" ? "WEAVE-NPC" : "weave-npc",
    );
    host.run(() => enforcer.remove());
    tidy("iptables");
  });

  test("is nothing where there was none, and costs no table", () => {
    const untouched = laboratory.namespace("untouched");
    expect(untouched.run(() => removeOriginalNpc("weave"))).toBe(false);
    untouched.run(removeIpsetPolicies);
    expect(untouched.run(() => Bun.spawnSync(["nft", "list", "tables"]).stdout.toString())).toBe(
      "",
    );
  });
});
