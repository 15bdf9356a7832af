import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { DatapathBackend } from "../lib/host/datapath/backend.ts";
import { ebpfBackend } from "../lib/host/datapath/ebpf/ebpf-backend.ts";
import { ovsBackend } from "../lib/host/datapath/ovs/ovs-backend.ts";
import { type Container, type Host, Lab } from "../test/hosts/lab.ts";
import { must, run } from "../test/hosts/shell.ts";
import { DatapathLab, mtu, port } from "../test/kernels/inside/datapath-lab.ts";
import { median, shown } from "./measure.ts";
import { announced, inside } from "./overlay-pair.ts";

/**
 * What the kernel datapaths of this machine carry between containers of two hosts, beside a plain
 * VXLAN device in a bridge, which is the least that any of them can cost:
 *
 *   bun run bench fastdp
 *
 * Three measures, each in many short runs in turn: one TCP stream, datagrams of 64 octets as fast as
 * they go, round trips of a flood ping. Processor time is that of the whole machine, so it says
 * something only when nothing else runs. Ratios to plain VXLAN of the same round are what to compare.
 */
const rounds = 10;
const streamSeconds = 0.8;
const floodSeconds = 0.6;
const pings = 1500;
const plainVni = "7";

interface Pair {
  readonly name: string;
  readonly from: Host | Container;
  readonly to: Host | Container;
  readonly address: string;
}

interface Measure {
  readonly what: string;
  readonly unit: string;
  readonly digits: number;
  of(pair: Pair): Promise<number>;
}

const measures: readonly Measure[] = [
  { what: "TCP", unit: "Gbit/s", digits: 2, of: stream },
  { what: "64 octets", unit: "datagrams/s", digits: 0, of: flood },
  { what: "round trip", unit: "µs", digits: 1, of: roundTrip },
];

export async function benchFastdp(): Promise<void> {
  await must(["iperf3", "--version"]);
  await using stack = new AsyncDisposableStack();
  const pairs = [await vxlanPair(stack), await bridgePair(stack)];
  for (const backend of [ebpfBackend, ovsBackend]) {
    const refusal = backend.refusal();
    if (refusal === undefined) pairs.push(await datapathPair(stack, backend));
    else console.log(`${backend.name} cannot run here: ${refusal}`);
  }
  for (const { from, address } of pairs) await must(inside(from, ["ping", "-c", "2", address]));
  for (const measure of measures) await compare(pairs, measure);
}

/** The first round is a warm-up and does not count. */
async function compare(pairs: readonly Pair[], measure: Measure): Promise<void> {
  const values = new Map<Pair, number[]>(pairs.map((pair) => [pair, []]));
  const busy = new Map<Pair, number[]>(pairs.map((pair) => [pair, []]));
  for (let round = 0; round <= rounds; round++) {
    for (const pair of pairs) {
      const before = busySeconds();
      const value = await measure.of(pair);
      if (round === 0) continue;
      values.get(pair)!.push(value);
      busy.get(pair)!.push(busySeconds() - before);
    }
  }
  const plain = values.get(pairs[0]!)!;
  for (const pair of pairs) {
    const own = values.get(pair)!;
    // Of each round by itself: what the machine was at then was the same for both.
    const ratio = median(own.map((value, round) => value / plain[round]!));
    console.log(
      `${measure.what}, ${pair.name}: ${shown(own, measure.digits)} ${measure.unit}, ` +
        `${ratio.toFixed(2)} of plain VXLAN, ${shown(busy.get(pair)!, 2)} CPU seconds a run`,
    );
  }
}

async function datapathPair(stack: AsyncDisposableStack, backend: DatapathBackend): Promise<Pair> {
  const lab = stack.use(await DatapathLab.make(`f${backend.name[0]}`, 2, backend));
  lab.mesh();
  const [one, two] = lab.hosts;
  const { container: from } = one!;
  return { name: backend.name, from, to: two!.container, address: two!.containerIp };
}

/** What VXLAN itself costs: one VNI, one remote host, a bridge on either side. */
async function vxlanPair(stack: AsyncDisposableStack): Promise<Pair> {
  const lab = stack.use(await Lab.onSwitch("fv", 2));
  const ends: Container[] = [];
  for (const host of lab.hosts) {
    const other = lab.hosts[2 - host.number]!;
    const where = ["remote", other.ip, "local", host.ip, "dstport", String(port)];
    const kind = ["type", "vxlan", "id", plainVni, ...where];
    const outer = ["ttl", "64", "df", "set", "noudpcsum"];
    ends.push(await bridged(host));
    const ip = ["ip", "-n", host.namespace, "link"];
    await must([...ip, "add", "vxlan", "mtu", String(mtu), ...kind, ...outer]);
    await must([...ip, "set", "vxlan", "master", "weave", "up"]);
  }
  const [from, to] = ends as [Container, Container];
  return { name: "plain VXLAN", from, to, address: containerIp(2) };
}

/** No tunnel: the hosts' own cables are ports of the bridges. */
async function bridgePair(stack: AsyncDisposableStack): Promise<Pair> {
  const lab = stack.use(await Lab.onSwitch("fb", 2));
  const ends: Container[] = [];
  for (const host of lab.hosts) {
    ends.push(await bridged(host));
    await must(["ip", "-n", host.namespace, "link", "set", "eth0", "master", "weave"]);
  }
  const [from, to] = ends as [Container, Container];
  return { name: "bridges alone", from, to, address: containerIp(2) };
}

/** A bridge with a container. */
async function bridged(host: Host): Promise<Container> {
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

async function stream({ from, to, address }: Pair): Promise<number> {
  const serving = Bun.spawn(inside(to, ["iperf3", "-s", "-1", "--forceflush", "-B", address]), {
    stdout: "pipe",
    stderr: "ignore",
    timeout: 60_000,
  });
  await announced(serving.stdout, "Server listening");
  const client = ["iperf3", "-c", address, "-t", String(streamSeconds), "-J"];
  const { stdout } = await run(inside(from, client));
  serving.kill();
  return JSON.parse(stdout).end.sum_received.bits_per_second / 1e9;
}

async function flood({ from, to, address }: Pair): Promise<number> {
  const program = [process.execPath, join(import.meta.dir, "udp-flood.ts")];
  const end = [address, "7000", String(floodSeconds)];
  const sinkEnd = [address, "7000", String(floodSeconds + 0.4)];
  const sink = Bun.spawn(inside(to, [...program, "sink", ...sinkEnd]), { stdout: "pipe" });
  await announced(sink.stdout, "listening");
  await must(inside(from, [...program, "source", ...end, "64"]));
  return Number(await new Response(sink.stdout).text()) / floodSeconds;
}

async function roundTrip({ from, address }: Pair): Promise<number> {
  const text = await must(inside(from, ["ping", "-f", "-q", "-c", String(pings), address]));
  return Number(/= [\d.]+\/([\d.]+)\//.exec(text)![1]) * 1000;
}

/** Processor time that this machine has spent on anything, in seconds. */
function busySeconds(): number {
  const ticks = readFileSync("/proc/stat", "utf8")
    .split("\n")[0]!
    .split(/\s+/)
    .slice(1)
    .map(Number);
  const [idle, waiting] = [3, 4];
  return (
    ticks.reduce((sum, each, at) => (at === idle || at === waiting ? sum : sum + each), 0) / 100
  );
}
