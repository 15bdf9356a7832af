import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { type IpFamily, parseIpv4 } from "../../../lib/base/ip.ts";
import type { NetworkNamespace } from "../../../lib/host/netns.ts";
import { BlockedPackets } from "../../../lib/host/policy/blocked-packets.ts";
import { IpsetEnforcer, removeIpsetPolicies } from "../../../lib/host/policy/ipset-enforcer.ts";
import type { Chain, Rule, RuleSet } from "../../../lib/policy/rule-set.ts";
import { deliver, Laboratory, recordingLog } from "../laboratory.ts";
import { changeBetween } from "./rule-set-change.ts";

const [a, b, c] = ["10.32.0.1", "10.32.0.2", "10.32.0.3"] as const;
const origin = "default/only-some";
const deny: Rule = { peer: { kind: "any" }, ports: "any", verdict: "deny", origin };
const allowed: Rule = {
  peer: { kind: "set", set: "some" },
  ports: "any",
  verdict: "allow",
  origin,
};
const onlySome: Chain = { tiers: [[allowed, deny]] };

/** Who may send to `a`; nobody else is judged. */
function onlyFrom(...senders: readonly string[]): RuleSet {
  return {
    sets: new Map([["some", new Set(senders.map(parseIpv4))]]),
    portSets: new Map(),
    chains: new Map([["only some", onlySome]]),
    targets: { ingress: new Map([[parseIpv4(a), "only some"]]), egress: new Map() },
  };
}

/**
 *   a 10.32.0.1 ─┐
 *   b 10.32.0.2 ─[ weave ] host
 *   c 10.32.0.3 ─┘
 */
describe("policies by iptables and sets", () => {
  const laboratory = new Laboratory("ipset-policy");
  let host: NetworkNamespace;
  const pods: NetworkNamespace[] = [];
  const run = (command: string): string =>
    host.run(() => {
      const { exitCode, stdout, stderr } = Bun.spawnSync(["sh", "-c", command]);
      if (exitCode !== 0) throw new Error(`${command}: ${stderr}`);
      return stdout.toString();
    });

  beforeAll(() => {
    host = laboratory.namespace("h");
    run("ip link add weave type bridge && ip link set weave up");
    for (const [at, address] of [a, b, c].entries()) {
      const pod = laboratory.namespace(`p${at}`);
      pods.push(pod);
      laboratory.cable(
        { in: host, name: `port${at}`, address: `192.0.2.${at}/32` },
        { in: pod, name: "eth0", address: `${address}/24` },
      );
      run(`ip link set port${at} master weave`);
    }
  });
  afterEach(() => host.run(removeIpsetPolicies));
  afterAll(() => laboratory.close());

  /** Whether a datagram comes from one pod to another; the first is sent when it may be lost anyway. */
  const reaches = (from: number, to: number, timeoutMs?: number): boolean =>
    deliver(
      pods[from]!,
      pods[to]!,
      [a, b, c][to]!,
      timeoutMs === undefined ? {} : { timeoutMs },
    ) !== undefined;
  const lostMs = 150;

  const kinds = [
    ["iptables", "ip6tables"],
    ["iptables-legacy", "ip6tables-legacy"],
  ] as const;
  describe.each(kinds)("of %s", (program, ipv6Program) => {
    const enforcer = (dropsCut = false): IpsetEnforcer =>
      host.run(() => {
        const programs = new Map<IpFamily, string>([
          [4, program],
          [6, ipv6Program],
        ]);
        const log = recordingLog();
        const options = { bridge: "weave", multicast: "allow", dropsCut, log } as const;
        return new IpsetEnforcer(options, programs);
      });

    test("let through who may send, also once somebody else may, and nobody else", () => {
      const policies = enforcer();
      host.run(() => policies.replace(onlyFrom(b)));
      expect(reaches(1, 0)).toBe(true);
      expect(reaches(2, 1)).toBe(true);
      expect(reaches(2, 0, lostMs)).toBe(false);
      const next = onlyFrom(c);
      host.run(() => policies.apply(changeBetween(onlyFrom(b), next), next));
      expect(reaches(2, 0)).toBe(true);
      expect(reaches(1, 0, lostMs)).toBe(false);
      expect(host.run(() => policies.isSpoilt())).toBe(false);
      const nobodyIsJudged = { ...next, targets: { ingress: new Map(), egress: new Map() } };
      host.run(() => policies.apply(changeBetween(next, nobodyIsJudged), nobodyIsJudged));
      expect(reaches(1, 0)).toBe(true);
    });

    test("tell of what they drop, and which policy says so", () => {
      const policies = enforcer();
      using blocked = host.run(() => {
        policies.replace(onlyFrom(b));
        return new BlockedPackets(policies.labels);
      });
      expect(reaches(2, 0, lostMs)).toBe(false);
      const [packet] = blocked.read();
      expect(packet).toMatchObject({
        ...{ direction: "ingress", origin, protocol: "UDP" },
        ...{ source: c, destination: a },
      });
    });

    test("drop what belongs to connections that were cut, before those that are known pass", () => {
      const policies = enforcer(true);
      const before = run(`${program} -t mangle -S`);
      host.run(() => policies.replace(onlyFrom(b)));
      const rules = run(`${program} -t mangle -S`).split("\n");
      expect(rules.filter((rule) => rule.startsWith("-A WEAVE-NPC ")).slice(0, 2)).toEqual([
        "-A WEAVE-NPC -m connmark --mark 0x40000000/0x40000000 -j WEAVE-NPC-CUT",
        "-A WEAVE-NPC -m conntrack --ctstate RELATED,ESTABLISHED -j RETURN",
      ]);
      expect(rules.filter((rule) => rule.startsWith("-A WEAVE-NPC-CUT "))).toEqual([
        "-A WEAVE-NPC-CUT -i weave -j DROP",
        "-A WEAVE-NPC-CUT -o weave -j DROP",
      ]);
      expect(host.run(() => policies.isSpoilt())).toBe(false);
      host.run(() => policies.remove());
      expect(run(`${program} -t mangle -S`)).toBe(before);
      run(`${program} -t mangle -F`);
    });

    test.each([
      ["flushes the table", `${program} -t mangle -F`],
      ["deletes the jump", `${program} -t mangle -D FORWARD -j WEAVE-NPC`],
      ["puts a rule in front", `${program} -t mangle -I FORWARD -j ACCEPT`],
      ["puts a rule in between", `${program} -t mangle -I WEAVE-NPC -j RETURN`],
      ["empties the sets", "ipset flush"],
      ["hides the bridge from filters", "ip link set weave type bridge nf_call_iptables 0"],
    ])("are found spoilt when somebody %s, and mended", (_, command) => {
      const policies = enforcer();
      host.run(() => policies.replace(onlyFrom(b)));
      expect(host.run(() => policies.isSpoilt())).toBe(false);
      run(command);
      expect(host.run(() => policies.isSpoilt())).toBe(true);
      host.run(() => policies.replace(onlyFrom(b)));
      expect(host.run(() => policies.isSpoilt())).toBe(false);
      run(`${program} -t mangle -F && ${program} -t mangle -X`);
    });

    test("are found spoilt also when the next change comes before anybody has looked", () => {
      const policies = enforcer();
      host.run(() => policies.replace(onlyFrom(b)));
      run(`${program} -t mangle -I FORWARD -j ACCEPT`);
      const next: RuleSet = {
        ...onlyFrom(b),
        targets: { ingress: new Map([[parseIpv4(c), "only some"]]), egress: new Map() },
        chains: new Map([["only some", { tiers: [[deny]] }]]),
      };
      host.run(() => policies.apply(changeBetween(onlyFrom(b), next), next));
      expect(host.run(() => policies.isSpoilt())).toBe(true);
      host.run(() => policies.replace(next));
      expect(host.run(() => policies.isSpoilt())).toBe(false);
      run(`${program} -t mangle -F && ${program} -t mangle -X`);
    });

    test("are taken over from a process that left them, and go without a trace", () => {
      const foreign = "ipset create weave-of-somebody hash:ip && ipset create weave hash:net";
      const rules = `${program} -t mangle -S; ipset save`;
      run(`${foreign} && ${program} -t mangle -A FORWARD -m set --match-set weave src -j ACCEPT`);
      const before = run(rules);
      host.run(() => enforcer().replace(onlyFrom(b)));
      const policies = enforcer();
      host.run(() => policies.replace(onlyFrom(c)));
      expect(reaches(2, 0)).toBe(true);
      expect(reaches(1, 0, lostMs)).toBe(false);
      expect(run("ipset list -n | sort").split("\n")).toHaveLength(
        policies.size().sets + "weave, weave-of-somebody".split(", ").length + 1,
      );
      host.run(() => policies.remove());
      expect(run(rules)).toBe(before);
      run(`${program} -t mangle -F; ipset destroy`);
    });

    test("are mended by the change after one that failed", () => {
      const policies = enforcer();
      host.run(() => policies.replace(onlyFrom(b)));
      run(`${program} -t mangle -F; ${ipv6Program} -t mangle -F`);
      run("until ipset destroy 2>/dev/null; do sleep 0.01; done");
      const next = onlyFrom(c);
      const change = () => host.run(() => policies.apply(changeBetween(onlyFrom(b), next), next));
      expect(change).toThrow();
      expect(host.run(() => policies.isSpoilt())).toBe(true);
      change();
      expect(host.run(() => policies.isSpoilt())).toBe(false);
      expect(reaches(1, 0, lostMs)).toBe(false);
    });
  });
});
