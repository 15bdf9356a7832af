import { formatIpv4 } from "../lib/base/ip.ts";
import { silentLog } from "../lib/base/world.ts";
import { NftablesEnforcer } from "../lib/host/policy/nft-enforcer.ts";
import { PolicyCompiler } from "../lib/policy/compiler.ts";
import { namespaceOf } from "../lib/policy/labels.ts";
import type { NetworkPolicy, Pod } from "../lib/policy/objects.ts";
import type { RuleSet } from "../lib/policy/rule-set.ts";
import { Container } from "../test/hosts/lab.ts";
import { type LabPod, PodLab, podBridge } from "../test/hosts/pod-lab.ts";
import { DatagramSender } from "./datagram-sender.ts";
import { median, shown } from "./measure.ts";
import { announced, inside, needIperf3, type Pair, stream } from "./overlay-pair.ts";

/**
 * What policies cost packets (kubernetes.md §13): between two pods of one bridge, whose policies
 * allow it, with all others of 1000 policies and 1000 pods on the same node, against a packet filter
 * with no rules for any pod.
 *
 *   bun run bench policy-packets
 *
 * Of a stream and of a conversation only the first packet is judged; of datagrams that nobody answers
 * each is, for each is the first of its connection.
 *
 * There are two hosts, one with the rules and one without, which take turns in slices of milliseconds:
 * so other work on the machine treats both alike. After half of the slices they change places, since
 * one may lie better in memory than the other.
 */
const count = 1000;
const podsPerNamespace = 20;
const slices = 400;
const sliceMs = 10;
const octets = 64;
const streams = 6;
const streamSeconds = 2;
/** Longer than all slices of a measure take. */
const sinkSeconds = 120;

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

/** Two pods of a host, and its packet filter. */
class Place implements Disposable {
  readonly pods: readonly [LabPod, LabPod];
  readonly pair: Pair;
  readonly #lab: PodLab;
  readonly #enforcer = new NftablesEnforcer({
    ...{ bridge: podBridge, multicast: "allow", log: silentLog },
  });

  constructor(tag: string) {
    this.#lab = new PodLab(tag, 1);
    const pods = [1, 2].map((number) => this.#lab.pod(this.#lab.hosts[0]!, number));
    this.pods = pods as [LabPod, LabPod];
    const [from, to] = pods.map(
      ({ namespace }) => new Container(namespace.path.split("/").at(-1)!),
    ) as [Container, Container];
    const address = formatIpv4(this.pods[1].ipv4);
    this.pair = { name: "policies", from, to, address, routers: [] };
  }

  enforce(rules: RuleSet): NftablesEnforcer {
    this.#lab.hosts[0]!.run(() => this.#enforcer.replace(rules));
    return this.#enforcer;
  }

  [Symbol.dispose](): void {
    this.#lab.hosts[0]!.run(() => this.#enforcer.remove());
    this.#lab[Symbol.dispose]();
  }
}

/** One place without rules and one with them, and the other way round. */
interface Seats {
  readonly without: Place;
  readonly with: Place;
}

type Costs = Record<keyof Seats, number[]>;

/** What `measure` says of both, one soon after the other, `times` over. */
async function compare(
  seats: readonly Seats[],
  rules: Record<keyof Seats, RuleSet>,
  times: number,
  measure: (place: Place) => number | Promise<number>,
): Promise<Costs> {
  const costs: Costs = { without: [], with: [] };
  for (const seat of seats) {
    for (const role of ["without", "with"] as const) {
      seat[role].enforce(rules[role]);
      await measure(seat[role]);
    }
    for (let time = 0; time < times / seats.length; time++) {
      const turn = ["without", "with"] as const;
      for (const role of time % 2 === 0 ? turn : turn.toReversed()) {
        costs[role].push(await measure(seat[role]));
      }
    }
  }
  return costs;
}

/** Starts what hears datagrams in the place, and returns what sends them. */
async function datagrams(
  { pair, pods: [from, to] }: Place,
  sinkRole: "sink" | "answer",
  stack: AsyncDisposableStack,
): Promise<DatagramSender> {
  const port = sinkRole === "sink" ? 7000 : 7001;
  const program = [process.execPath, `${import.meta.dir}/udp-flood.ts`, sinkRole];
  const words = [...program, pair.address, `${port}`, `${sinkSeconds}`];
  const sink = Bun.spawn(inside(pair.to, words), { stdout: "pipe" });
  stack.defer(async () => {
    sink.kill();
    await sink.exited;
  });
  await announced(sink.stdout, "listening");
  return from.namespace.run(() => new DatagramSender(to.ipv4, port, octets));
}

function tell(what: string, digits: number, costs: Costs): void {
  const ratio = median(costs.with.map((value, index) => value / costs.without[index]!));
  const [without, withAll] = [costs.without, costs.with].map((each) => shown(each, digits));
  console.log(`${what}: ${without} without, ${withAll} with; ratio ${ratio.toFixed(3)}`);
}

export async function benchPolicyPackets(): Promise<void> {
  needIperf3();
  await using stack = new AsyncDisposableStack();
  const [a, b] = ["bnp1", "bnp2"].map((tag) => stack.use(new Place(tag))) as [Place, Place];
  const rules = { without: new PolicyCompiler().rules, with: rulesOf(a.pods) };
  const { chains, rules: total, targets } = a.enforce(rules.with).size();
  console.log(`${count} policies: ${chains} chains, ${total} rules, ${targets} targets`);
  const seats = [
    { without: a, with: b },
    { without: b, with: a },
  ];
  for (const [what, role] of [
    ["datagram that is judged, ns", "sink"],
    ["datagram of a conversation, ns", "answer"],
  ] as const) {
    const senders = new Map<Place, DatagramSender>();
    for (const place of [a, b]) senders.set(place, await datagrams(place, role, stack));
    const cost = (place: Place): number => senders.get(place)!.cost(sliceMs);
    tell(what, 0, await compare(seats, rules, slices, cost));
  }
  const speed = ({ pair }: Place): Promise<number> => stream(pair, streamSeconds);
  tell("TCP stream, Gbit/s", 1, await compare(seats, rules, streams, speed));
}
