import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Container, type Host, Lab } from "../test/hosts/lab.ts";
import { must, run } from "../test/hosts/shell.ts";
import { referenceBinary } from "../test/interop/reference-router.ts";
import { type Kind, routerOn } from "../test/interop/routers.ts";

/** Two ends between which something is measured, and the routers in between. */
export interface Pair {
  readonly name: string;
  readonly from: Host | Container;
  readonly to: Host | Container;
  /** Of the second end. */
  readonly address: string;
  /** Process ids of the routers. */
  readonly routers: readonly number[];
}

const password = "a password for the benchmark";

/** All pairs that are to be compared, ready; dispose of the stack to end them. */
export async function openPairs(stack: AsyncDisposableStack): Promise<Pair[]> {
  const pairs: Pair[] = [];
  const kinds: Kind[] = referenceBinary === undefined ? ["ours"] : ["ours", "original"];
  for (const kind of kinds) {
    pairs.push(await openPair(stack, `${kind}, clear`, `b${kind[1]}c`, kind));
    pairs.push(await openPair(stack, `${kind}, encrypted`, `b${kind[1]}e`, kind, password));
  }
  const lab = stack.use(await Lab.onSwitch("braw", 2));
  const [from, to] = [lab.hosts[0]!, lab.hosts[1]!];
  return [{ name: "raw veth", from, to, address: to.ip, routers: [] }, ...pairs];
}

async function openPair(
  stack: AsyncDisposableStack,
  name: string,
  prefix: string,
  kind: Kind,
  password?: string,
): Promise<Pair> {
  const lab = stack.use(await Lab.onSwitch(prefix, 2));
  const [one, two] = [lab.hosts[0]!, lab.hosts[1]!];
  const routers = [stack.use(routerOn(one, kind)), stack.use(routerOn(two, kind))] as const;
  const key = password === undefined ? {} : { password };
  await routers[0].start(key);
  await routers[1].start({ peers: [one.ip], ...key });
  const from = await routers[0].container("c1");
  const to = await routers[1].container("c2");
  await from.container.pings(to.ip);
  const pids = await Promise.all([one, two].map((host) => routerPid(host, kind)));
  return { name, from: from.container, to: to.container, address: to.ip, routers: pids };
}

/** The original is the child of the process that holds its process ids, and the last to start. */
async function routerPid(host: Host, kind: Kind): Promise<number> {
  if (kind === "ours") return await host.routerPid();
  const pids = await must(["ip", "netns", "pids", host.namespace]);
  return Math.max(...pids.trim().split("\n").map(Number));
}

/** Seconds of processor time, own and the kernel's, that the routers have used so far. */
export function processorSeconds({ routers }: Pair): number {
  let ticks = 0;
  for (const pid of routers) {
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]!.split(" ");
    ticks += Number(fields[11]) + Number(fields[12]);
  }
  // The kernel counts in hundredths of a second.
  return ticks / 100;
}

export function inside(where: Host | Container, command: readonly string[]): string[] {
  return ["nsenter", `--net=/run/netns/${where.namespace}`, ...command];
}

/** A run that the tool itself could not finish is made again, so many times. */
const triesMax = 3;

/** Gbit/s of one TCP stream by iperf3. */
export async function stream(pair: Pair, seconds: number, more: string[] = []): Promise<number> {
  const { from, to, address } = pair;
  for (let left = triesMax; left > 0; left--) {
    const serving = Bun.spawn(inside(to, ["iperf3", "-s", "-1", "--forceflush", "-B", address]), {
      stdout: "pipe",
      stderr: "ignore",
      timeout: 60_000,
    });
    await announced(serving.stdout, "Server listening");
    const client = ["iperf3", "-c", address, "-t", String(seconds), "-J", ...more];
    const { stdout } = await run(inside(from, client));
    serving.kill();
    const { end } = JSON.parse(stdout) as { end?: { sum_received?: { bits_per_second: number } } };
    if (end?.sum_received !== undefined) return end.sum_received.bits_per_second / 1e9;
  }
  throw new Error(`iperf3 over ${pair.name} failed ${triesMax} times`);
}

/** Datagrams that arrive per second, and how many of those that were sent. */
export async function flood(
  pair: Pair,
  octets: number,
  seconds: number,
): Promise<{ perSecond: number; part: number }> {
  const { said, arrived } = await flooded(pair, "source", octets, seconds);
  return { perSecond: arrived / seconds, part: arrived / said };
}

/** Nanoseconds of processor time that a datagram costs on its way (see udp-flood.ts). */
export async function datagramCost(pair: Pair, octets: number, seconds: number): Promise<number> {
  return (await flooded(pair, "cost", octets, seconds)).said;
}

async function flooded(
  { from, to, address }: Pair,
  role: "source" | "cost",
  octets: number,
  seconds: number,
): Promise<{ said: number; arrived: number }> {
  const program = [process.execPath, join(import.meta.dir, "udp-flood.ts")];
  const port = "7000";
  const sinkSeconds = String(seconds + 1);
  const sink = Bun.spawn(inside(to, [...program, "sink", address, port, sinkSeconds]), {
    stdout: "pipe",
  });
  await announced(sink.stdout, "listening");
  const end = [role, address, port, String(seconds), String(octets)];
  const said = Number(await must(inside(from, [...program, ...end])));
  let received = "";
  for await (const chunk of sink.stdout) received += new TextDecoder().decode(chunk);
  return { said, arrived: Number(received) };
}

/** Waits until a program has printed `text`; what it prints after that may be read then. */
export async function announced(output: ReadableStream<Uint8Array>, text: string): Promise<void> {
  const reader = output.getReader();
  let printed = "";
  while (!printed.includes(text)) {
    const { value, done } = await reader.read();
    if (done) throw new Error(`never said "${text}": ${printed}`);
    printed += new TextDecoder().decode(value);
  }
  reader.releaseLock();
}
