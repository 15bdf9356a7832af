import type { DatapathBackend } from "../lib/host/datapath/backend.ts";
import { ebpfBackend } from "../lib/host/datapath/ebpf/ebpf-backend.ts";
import { ovsBackend } from "../lib/host/datapath/ovs/ovs-backend.ts";
import { DatapathLab, mtu, port } from "../test/host/datapath/datapath-lab.ts";
import { type Container, type Host, Lab } from "../test/hosts/lab.ts";
import { must } from "../test/hosts/shell.ts";
import { median, shown } from "./measure.ts";
import { datagramCost, flood, inside, needIperf3, type Pair, stream } from "./overlay-pair.ts";

/**
 * What the kernel datapaths of this machine carry between containers of two hosts, beside a plain
 * VXLAN device in a bridge, which is the least that any of them can cost:
 *
 *   bun run bench fastdp
 *
 * Each measure is taken in many short runs in turn; ratios to plain VXLAN in the same round are what
 * to compare.
 */
const rounds = 7;
const streamSeconds = 1;
const floodSeconds = 0.6;
const pings = 1500;
const plainVni = "7";

export interface Measure {
  readonly what: string;
  readonly unit: string;
  readonly digits: number;
  of(pair: Pair): Promise<number>;
}

const measures: readonly Measure[] = [
  { what: "TCP", unit: "Gbit/s", digits: 2, of: (pair) => stream(pair, streamSeconds) },
  { what: "64 octets", unit: "datagrams/s", digits: 0, of: datagrams },
  { what: "64 octets", unit: "ns of processor time", digits: 0, of: cost },
  { what: "round trip", unit: "µs", digits: 1, of: roundTrip },
];

export async function benchFastdp(): Promise<void> {
  needIperf3();
  await using stack = new AsyncDisposableStack();
  const pairs = [await vxlanPair(stack, "fv", { underlay: 1500, mtu }), await bridgePair(stack)];
  for (const backend of [ebpfBackend, ovsBackend]) {
    const refusal = backend.refusal();
    if (refusal === undefined) pairs.push(await datapathPair(stack, backend));
    else console.log(`${backend.name} cannot run here: ${refusal}`);
  }
  for (const { from, address } of pairs) await must(inside(from, ["ping", "-c", "2", address]));
  for (const measure of measures) await compare(pairs, measure, rounds);
}

/** With the first of the pairs; the first round is a warm-up and does not count. */
export async function compare(
  pairs: readonly Pair[],
  measure: Measure,
  rounds: number,
): Promise<void> {
  const values = new Map<Pair, number[]>(pairs.map((pair) => [pair, []]));
  for (let round = 0; round <= rounds; round++) {
    for (const pair of pairs) {
      const value = await measure.of(pair);
      if (round > 0) values.get(pair)!.push(value);
    }
  }
  const plain = values.get(pairs[0]!)!;
  for (const pair of pairs) {
    const own = values.get(pair)!;
    // Of each round by itself: what the machine was at then was the same for both.
    const ratio = median(own.map((value, round) => value / plain[round]!));
    console.log(
      `${measure.what}, ${pair.name}: ${shown(own, measure.digits)} ${measure.unit}, ` +
        `${ratio.toFixed(2)} of plain VXLAN`,
    );
  }
}

async function datapathPair(stack: AsyncDisposableStack, backend: DatapathBackend): Promise<Pair> {
  const lab = stack.use(await DatapathLab.make(`f${backend.name[0]}`, 2, backend));
  lab.mesh();
  const [one, two] = lab.hosts;
  const { container: from } = one!;
  return { name: backend.name, from, to: two!.container, address: two!.containerIp, routers: [] };
}

/**
 * What VXLAN itself costs: one VNI, one remote host, a bridge on either side.
 *
 * @param mtu of containers, which get as much as `underlay` leaves
 */
export async function vxlanPair(
  stack: AsyncDisposableStack,
  prefix: string,
  { underlay, mtu }: { readonly underlay: number; readonly mtu: number },
): Promise<Pair> {
  const lab = stack.use(await Lab.onSwitch(prefix, 2, underlay));
  const ends: Container[] = [];
  for (const host of lab.hosts) {
    const other = lab.hosts[2 - host.number]!;
    const where = ["remote", other.ip, "local", host.ip, "dstport", String(port)];
    const kind = ["type", "vxlan", "id", plainVni, ...where];
    const outer = ["ttl", "64", "df", "set", "noudpcsum"];
    ends.push(await bridged(host, mtu));
    const ip = ["ip", "-n", host.namespace, "link"];
    await must([...ip, "add", "vxlan", "mtu", String(mtu), ...kind, ...outer]);
    await must([...ip, "set", "vxlan", "master", "weave", "up"]);
  }
  const [from, to] = ends as [Container, Container];
  return { name: "plain VXLAN", from, to, address: containerIp(2), routers: [] };
}

/** No tunnel: the hosts' own cables are ports of the bridges. */
async function bridgePair(stack: AsyncDisposableStack): Promise<Pair> {
  const lab = stack.use(await Lab.onSwitch("fb", 2));
  const ends: Container[] = [];
  for (const host of lab.hosts) {
    ends.push(await bridged(host, mtu));
    await must(["ip", "-n", host.namespace, "link", "set", "eth0", "master", "weave"]);
  }
  const [from, to] = ends as [Container, Container];
  return { name: "bridges alone", from, to, address: containerIp(2), routers: [] };
}

/** A bridge with a container. */
async function bridged(host: Host, mtu: number): Promise<Container> {
  const container = await host.container(`c${host.number}`);
  const ip = ["ip", "-n", host.namespace, "link"];
  await must([...ip, "add", "weave", "mtu", String(mtu), "type", "bridge"]);
  await must([...ip, "set", "weave", "up"]);
  const peer = ["peer", "name", "eth0", "mtu", String(mtu), "netns", container.namespace];
  await must([...ip, "add", "c", "mtu", String(mtu), "type", "veth", ...peer]);
  await must([...ip, "set", "c", "master", "weave", "up"]);
  const own = ["ip", "-n", container.namespace];
  await must([...own, "addr", "add", `${containerIp(host.number)}/24`, "dev", "eth0"]);
  await must([...own, "link", "set", "eth0", "up"]);
  return container;
}

function containerIp(number: number): string {
  return `10.32.0.${number}`;
}

async function datagrams(pair: Pair): Promise<number> {
  return (await flood(pair, 64, floodSeconds)).perSecond;
}

function cost(pair: Pair): Promise<number> {
  return datagramCost(pair, 64, floodSeconds);
}

async function roundTrip({ from, address }: Pair): Promise<number> {
  const text = await must(inside(from, ["ping", "-f", "-q", "-c", String(pings), address]));
  return Number(/= [\d.]+\/([\d.]+)\//.exec(text)![1]) * 1000;
}
