import { formatIpv4 } from "../lib/base/ip.ts";
import { silentLog } from "../lib/base/world.ts";
import { NftablesEnforcer } from "../lib/host/policy/nft-enforcer.ts";
import { PolicyCompiler } from "../lib/policy/compiler.ts";
import { namespaceOf } from "../lib/policy/labels.ts";
import type { NetworkPolicy, Pod } from "../lib/policy/objects.ts";
import type { RuleSet } from "../lib/policy/rule-set.ts";
import { Container } from "../test/hosts/lab.ts";
import { type LabPod, PodLab, podBridge } from "../test/hosts/pod-lab.ts";
import { inTurn, median, shown } from "./measure.ts";
import { datagramCost, type Pair, stream } from "./overlay-pair.ts";

/**
 * What policies cost packets (kubernetes.md §13): between two pods of one bridge, whose policies
 * allow it, with all others of 1000 policies and 1000 pods on the same node, against a packet filter
 * with no rules for any pod.
 *
 *   bun run bench policy-packets
 *
 * Of a stream and of a conversation only the first packet is judged; of datagrams that nobody answers
 * each is, for each is the first of its connection.
 */
const count = 1000;
const podsPerNamespace = 20;
const rounds = 5;
const seconds = 2;

function rulesOf(labPods: readonly LabPod[]): RuleSet {
  const compiler = new PolicyCompiler();
  for (let at = 0; at < count / podsPerNamespace; at++) {
    compiler.putNamespace(namespaceOf(`namespace-${at}`));
  }
  for (let at = 0; at < count; at++) {
    compiler.putPod(podAt(at, labPods[at]));
    compiler.putNetworkPolicy(policyAt(at));
  }
  compiler.commit();
  return compiler.rules;
}

function podAt(at: number, labPod: LabPod | undefined): Pod {
  const labels = new Map([["app", `app-${at % podsPerNamespace}`]]);
  return {
    ...{ id: `${at}`, namespace: namespaceAt(at), name: `pod-${at}`, labels, ports: [] },
    addresses: [labPod?.ipv4 ?? 0x0a21_0000 + at],
    ...{ isLocal: true, sinceMs: 0 },
  };
}

/** Each pod has one of its own that lets all of its namespace in and out. */
function policyAt(at: number): NetworkPolicy {
  const peers = [{ kind: "pods", namespaces: "own", pods: [] }] as const;
  const allow = [{ peers, ports: "any" }] as const;
  return {
    ...{ namespace: namespaceAt(at), name: `policy-${at}`, ingress: allow, egress: allow },
    podSelector: [{ key: "app", operator: "In", values: [`app-${at % podsPerNamespace}`] }],
  };
}

function namespaceAt(at: number): string {
  return `namespace-${Math.floor(at / podsPerNamespace)}`;
}

export async function benchPolicyPackets(): Promise<void> {
  using lab = new PodLab("bnp", 1);
  const [host] = lab.hosts;
  const pods = [1, 2].map((number) => lab.pod(host!, number));
  const [from, to] = pods.map(({ namespace }) => new Container(namespace.path.split("/").at(-1)!));
  const address = formatIpv4(pods[1]!.ipv4);
  const pair: Pair = { name: "policies", from: from!, to: to!, address, routers: [] };
  const all = rulesOf(pods);
  const none = new PolicyCompiler().rules;
  const enforcer = new NftablesEnforcer({ bridge: podBridge, multicast: "allow", log: silentLog });
  const under = (rules: RuleSet, measure: () => Promise<number>) => () => {
    host!.run(() => enforcer.replace(rules));
    return measure();
  };
  host!.run(() => enforcer.replace(all));
  const { chains, rules, targets } = enforcer.size();
  console.log(`${count} policies: ${chains} chains, ${rules} rules, ${targets} targets`);
  const measures = {
    "TCP stream, Gbit/s": () => stream(pair, seconds),
    "datagram of a conversation, ns": () => datagramCost(pair, 64, seconds, "answer"),
    "datagram that is judged, ns": () => datagramCost(pair, 64, seconds),
  };
  for (const [what, measure] of Object.entries(measures)) {
    const candidates = { without: under(none, measure), with: under(all, measure) };
    const results = await inTurn(candidates, rounds);
    const ratio = median(results.with.map((value, round) => value / results.without[round]!));
    const [without, withAll] = [results.without, results.with].map((each) => shown(each, 2));
    console.log(`${what}: ${without} without, ${withAll} with; ratio ${ratio.toFixed(3)}`);
  }
  host!.run(() => enforcer.remove());
}
