import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Container, type Host, Lab } from "../test/hosts/lab.ts";
import { must, run } from "../test/hosts/shell.ts";

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

/** Something to compare with others, that is set up when its turn comes. */
export interface Candidate {
  readonly name: string;
  /** `prefix`: how its namespaces may begin. What it starts ends with `stack`. */
  open(stack: AsyncDisposableStack, prefix: string): Promise<Pair>;
}

/** The two hosts themselves, with nothing in between. */
export const rawVeth: Candidate = {
  name: "raw veth",
  async open(stack, prefix) {
    const lab = stack.use(await Lab.onSwitch(prefix, 2));
    const [from, to] = lab.hosts as [Host, Host];
    return { name: this.name, from, to, address: to.ip, routers: [] };
  },
};

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

/** @throws Error when there is no iperf3 on this machine, with what to do about it */
export function needIperf3(): void {
  if (Bun.which("iperf3") === null) throw new Error("iperf3 is missing: apt-get install iperf3");
}

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
export async function datagramCost(
  pair: Pair,
  octets: number,
  seconds: number,
  sink: "sink" | "answer" = "sink",
): Promise<number> {
  return (await flooded(pair, "cost", octets, seconds, sink)).said;
}

async function flooded(
  { from, to, address }: Pair,
  role: "source" | "cost",
  octets: number,
  seconds: number,
  sinkRole: "sink" | "answer" = "sink",
): Promise<{ said: number; arrived: number }> {
  const program = [process.execPath, join(import.meta.dir, "udp-flood.ts")];
  const port = "7000";
  const sinkSeconds = String(seconds + 1);
  const sink = Bun.spawn(inside(to, [...program, sinkRole, address, port, sinkSeconds]), {
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
