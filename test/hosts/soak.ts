import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { type Container, type Host, Lab } from "./lab.ts";
import { eventually, must } from "./shell.ts";
import { linesOf } from "./traffic.ts";

/**
 * Hours of traffic over sleeve whose data planes die all the while:
 *
 *   left ─ [ host 1 ]════[ host 2 ]════[ host 3 ] ─ right      TCP, UDP and a ping every 10 ms
 *
 *   bun run build && bun test/hosts/soak.ts [--minutes 60] [--mbits 50] [--clear]
 *
 * Every minute the data-plane worker of each host is ended, one host 20 s after the other. A line a
 * minute tells of memory, pings and traffic. It fails when pings stay out for longer than a second,
 * when a router's resident memory is not flat after the warm-up of ten minutes, or half of the time,
 * when a stream ends, or when a worker was not ended and replaced as planned.
 *
 * Memory goes up and down with what the collector and the allocator have yet to give back. It is
 * flat when no reading is more than a tenth above their mean, and the mean of the last third no
 * more than a tenth above that of the first: the former would not see slow growth, the latter no leap.
 *
 * On a machine that is busy otherwise `ping` itself may not get to send for a while. So pings stay
 * out for as long as it would have taken to send those in a row that were not answered.
 */
const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "60" },
    mbits: { type: "string", default: "50" },
    clear: { type: "boolean", default: false },
  },
});
const minutes = Number(values.minutes);
const warmUpMinutes = Math.min(10, Math.ceil(minutes / 2));
const gapMaxSeconds = 1;
const unevennessMax = 0.1;
const pingSeconds = 0.01;
const hosts = 3;

const executable = join(import.meta.dir, "../../dist/weave");
if (process.env.WEAVE_BINARY === undefined && existsSync(executable)) {
  process.env.WEAVE_BINARY = executable;
}

/** What pings have told since it was last asked. */
class Pings {
  #lastSeconds: number | undefined;
  #lastAnswered = 0;
  #sequence = 0;
  #since = 0;
  #received = 0;
  #longestGap = 0;
  #mostMissing = 0;

  /** Takes a line of `ping -D -O`; gives the time it tells, in seconds. */
  take(line: string): number | undefined {
    const [, time, what, sequence] = /^\[([\d.]+)\] (.*?)icmp_seq=(\d+)/.exec(line) ?? [];
    if (time === undefined) return undefined;
    const seconds = Number(time);
    // Sequence numbers are 16 bits wide, and a late answer tells an earlier one.
    const ahead = ((Number(sequence) - this.#sequence) << 16) >> 16;
    this.#sequence += Math.max(0, ahead);
    if (what!.startsWith("no answer")) return seconds;
    this.#received++;
    this.#mostMissing = Math.max(this.#mostMissing, this.#sequence - this.#lastAnswered - 1);
    this.#longestGap = Math.max(this.#longestGap, seconds - (this.#lastSeconds ?? seconds));
    this.#lastSeconds = seconds;
    this.#lastAnswered = this.#sequence;
    return seconds;
  }

  summary(): PingSummary {
    const seen = {
      received: this.#received,
      sent: this.#sequence - this.#since,
      longestGap: this.#longestGap,
      mostMissing: this.#mostMissing,
    };
    this.#since = this.#sequence;
    this.#received = 0;
    this.#longestGap = 0;
    this.#mostMissing = 0;
    return seen;
  }
}

interface PingSummary {
  readonly received: number;
  readonly sent: number;
  /** Between two answers, in seconds. */
  readonly longestGap: number;
  /** In a row. */
  readonly mostMissing: number;
}

interface Reading {
  readonly minute: number;
  /** Of each router, in MB. */
  readonly memory: readonly number[];
  /** For how long pings stayed out, in seconds. */
  readonly outage: number;
}

class Soak {
  readonly #lab: Lab;
  readonly #left: Container;
  readonly #right: Container;
  readonly #address: string;
  readonly #pids: readonly number[];
  readonly #streams: Bun.Subprocess[] = [];
  readonly #readings: Reading[] = [];
  readonly #pings = new Pings();
  #ended = 0;
  #octets = 0;

  constructor(lab: Lab, left: Container, right: Container, address: string, pids: number[]) {
    this.#lab = lab;
    this.#left = left;
    this.#right = right;
    this.#address = address;
    this.#pids = pids;
  }

  /** Goes by the lines of ping, which come in time whatever the network does. */
  async run(): Promise<string[]> {
    await this.#startStream("5201", []);
    await this.#startStream("5202", ["-u", "-l", "1200"]);
    this.#octets = this.#arrived();
    const every = ["-i", String(pingSeconds)];
    const ping = this.#spawn(this.#left, [
      ...["stdbuf", "-oL", "ping", "-D", "-O", ...every, this.#address],
    ]);
    let startSeconds: number | undefined;
    let steps = 0;
    for await (const line of linesOf(ping.stdout)) {
      const seconds = this.#pings.take(line);
      if (seconds === undefined) continue;
      startSeconds ??= seconds;
      const next = (60 / hosts) * (steps + 1);
      if (seconds - startSeconds < next) continue;
      steps++;
      if (steps % hosts === 0) this.#tell(steps / hosts);
      if (steps === minutes * hosts) break;
      process.kill(this.#pids[steps % hosts]!, "SIGUSR2");
      this.#ended++;
    }
    const faults = await this.#faults();
    for (const child of [ping, ...this.#streams]) child.kill("SIGKILL");
    return faults;
  }

  #spawn(where: Container, command: readonly string[]) {
    return Bun.spawn(where.command(command), { stdout: "pipe", stderr: "inherit" });
  }

  /** Half of the traffic each, for longer than the soak lasts. */
  async #startStream(port: string, more: readonly string[]): Promise<void> {
    const server = this.#spawn(this.#right, [
      ...["iperf3", "-s", "-1", "-i", "0", "-p", port, "--forceflush", "-B", this.#address],
    ]);
    for await (const line of linesOf(server.stdout)) if (/Server listening/.test(line)) break;
    const rate = ["-b", `${Number(values.mbits) / 2}M`, "-t", String(60 * (minutes + 2))];
    const command = ["iperf3", "-c", this.#address, "-p", port, "-i", "0", ...rate, ...more];
    this.#streams.push(server, this.#spawn(this.#left, command));
  }

  /** Octets that have come to the right end. */
  #arrived(): number {
    const table = Bun.spawnSync(this.#right.command(["cat", "/proc/net/dev"])).stdout.toString();
    return Number(/ethwe:\s*(\d+)/.exec(table)?.[1]);
  }

  #tell(minute: number): void {
    const memory = this.#pids.map(residentMegabytes);
    const { received, sent, longestGap, mostMissing } = this.#pings.summary();
    const octets = this.#arrived();
    const mbits = ((octets - this.#octets) * 8) / 60e6;
    this.#octets = octets;
    this.#readings.push({ minute, memory, outage: (mostMissing * 60) / sent });
    const megabytes = memory.map((each) => each.toFixed(1)).join(" ");
    const gap = longestGap.toFixed(2);
    console.log(
      `minute ${minute}: ${megabytes} MB; ${received} of ${sent} pings, longest gap ${gap} s, at most ${mostMissing} in a row unanswered; ${mbits.toFixed(1)} Mbit/s arrive; ${this.#ended} workers ended`,
    );
  }

  async #faults(): Promise<string[]> {
    const faults: string[] = [];
    for (const { minute, outage } of this.#readings) {
      if (outage <= gapMaxSeconds) continue;
      faults.push(`no ping was answered for ${outage.toFixed(2)} s in minute ${minute}`);
    }
    for (const host of this.#pids.keys()) {
      const { highest, growth } = unevennessOf(this.#readings.map(({ memory }) => memory[host]!));
      const inPercent = (part: number) => `${(100 * part).toFixed(1)} %`;
      const told = `memory of router ${host + 1} after ${warmUpMinutes} minutes: at most ${inPercent(highest)} above its mean, in its last third ${inPercent(growth)} more than in its first`;
      console.log(told);
      if (Math.max(highest, growth) > unevennessMax) faults.push(`not flat: ${told}`);
    }
    if (this.#streams.some(({ exitCode }) => exitCode !== null)) faults.push("a stream ended");
    const restarts = await Promise.all(this.#lab.hosts.map(workerRestarts));
    const replaced = restarts.reduce((sum, each) => sum + each, 0);
    if (replaced !== this.#ended) {
      faults.push(`${this.#ended} workers were ended, and ${replaced} replaced`);
    }
    return faults;
  }
}

/** As parts of the whole, of what was read after the warm-up. */
function unevennessOf(readings: readonly number[]): { highest: number; growth: number } {
  const counted = readings.slice(warmUpMinutes - 1);
  const all = mean(counted);
  const third = Math.ceil(counted.length / 3);
  return {
    highest: Math.max(...counted) / all - 1,
    growth: mean(counted.slice(-third)) / mean(counted.slice(0, third)) - 1,
  };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, each) => sum + each, 0) / values.length;
}

function residentMegabytes(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return (Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]) * 1024) / 1e6;
}

async function workerRestarts(host: Host): Promise<number> {
  const { stdout } = await host.exec(["curl", "-sf", "-m", "5", "http://127.0.0.1:6782/metrics"]);
  return Number(/^weave_dataplane_restarts_total (\d+)/m.exec(stdout)?.[1]);
}

async function launched(lab: Lab): Promise<Soak> {
  const env: Record<string, string> = {
    BUN_OPTIONS: `--preload ${join(import.meta.dir, "mortal-worker.ts")}`,
    ...(values.clear ? {} : { WEAVE_PASSWORD: "a password for the soak" }),
  };
  const [one, two, three] = lab.hosts as [Host, Host, Host];
  await one.launch([], { env });
  await two.launch(["192.168.1.1"], { env });
  await three.launch(["192.168.2.1"], { env });
  for (const host of lab.hosts) await host.reaches(2);
  const [left, right] = [await one.container("left"), await three.container("right")];
  await one.mustWeave(["attach", left.reference]);
  const address = await three.mustWeave(["attach", right.reference]);
  await left.pings(address);
  for (const host of lab.hosts) await pathsMeasured(host);
  return new Soak(lab, left, right, address, await Promise.all(lab.hosts.map(pidOf)));
}

/** Until a path is measured, a sender may be told too small a size and keeps to it for minutes. */
async function pathsMeasured(host: Host): Promise<void> {
  await eventually(
    `measured paths at ${host.namespace}`,
    () => host.mustWeave(["status", "connections"]),
    (text) => {
      const links = text.split("\n").filter((line) => / established /.test(line));
      return links.every((line) => /mtu=14\d\d/.test(line));
    },
  );
}

const pidOf = (host: Host): Promise<number> => host.routerPid();

await must(["iperf3", "--version"]);
await using lab = await Lab.inLine("so", hosts);
const soak = await launched(lab);
const faults = await soak.run();
for (const fault of faults) console.log(fault);
const verdict = faults.length === 0 ? "held" : "did not hold";
console.log(
  `${verdict}: ${minutes} minutes ${values.clear ? "in clear" : "encrypted"}, memory flat within a tenth after ${warmUpMinutes} minutes, no gap over ${gapMaxSeconds} s`,
);
process.exitCode = faults.length === 0 ? 0 : 1;
