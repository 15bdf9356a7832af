import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type Host, Lab } from "../test/hosts/lab.ts";
import { median } from "./measure.ts";

/**
 * A full mesh of routers on one machine, each in a network namespace of its own:
 *
 *   bun run build && bun run bench thirty-peers
 *
 * All are started together and told of the first one only. Measured are the time until every link
 * works at both ends, and what the routers cost at rest. `WEAVE_BINARY` names another executable,
 * `BENCH_PEERS` another number, `BENCH_REST_S` for how long to look at the cluster at rest; 0 leaves
 * that out.
 */
const peers = Number(process.env.BENCH_PEERS ?? 30);
const restSeconds = Number(process.env.BENCH_REST_S ?? 60);
/** From the last link to the beginning of the measurement at rest. */
const settleSeconds = 20;
const waitSeconds = 120;

const clockTicksPerSecond = 100;
const write = (line: string): void => void process.stdout.write(`${line}\n`);

export async function benchThirtyPeers(): Promise<void> {
  const executable = process.env.WEAVE_BINARY ?? join(import.meta.dir, "../dist/weave");
  if (!existsSync(executable)) throw new Error("no dist/weave: run 'bun run build' first");
  process.env.WEAVE_BINARY = executable;
  await using lab = await Lab.onSwitch("wm", peers);
  for (const host of lab.hosts) host.restarts = true;
  const startMs = Date.now();
  const first = lab.hosts[0]!.ip;
  await Promise.all(
    lab.hosts.map((host) => host.launch(host.number === 1 ? [] : [first], { waitMs: 60_000 })),
  );
  const launchedMs = Date.now();
  write(`${peers} routers answer after ${seconds(launchedMs - startMs)}`);
  await reportMesh(lab.hosts, startMs);
  const pids = await Promise.all(lab.hosts.map((host) => host.routerPid()));
  const spent = sum(pids.map(cpuSeconds));
  write(`CPU until then: ${spent.toFixed(1)} s in sum, ${(spent / peers).toFixed(2)} s each`);
  if (restSeconds === 0) return;
  await Bun.sleep(settleSeconds * 1000);
  await reportRest(pids);
}

/** Waits for all links, then reads from the routers' own logs when each came to work. */
async function reportMesh(hosts: readonly Host[], startMs: number): Promise<void> {
  const deadlineMs = Date.now() + waitSeconds * 1000;
  for (;;) {
    const times = establishedAt(hosts);
    const all = hosts.length * (hosts.length - 1);
    if (times.length === all || Date.now() > deadlineMs) {
      const at = (part: number): string =>
        seconds((times[Math.ceil(part * all) - 1] ?? Number.NaN) - startMs);
      write(
        `links: half after ${at(0.5)}, nine tenths after ${at(0.9)}, last of ${all / 2} after ${at(1)}`,
      );
      return;
    }
    await Bun.sleep(500);
  }
}

/** When each end of a link that is up now came to work, ascending; by the wall clock. */
function establishedAt(hosts: readonly Host[]): number[] {
  const times: number[] = [];
  for (const host of hosts) {
    const up = new Map<string, number>();
    for (const line of readFileSync(join(host.env.WEAVE_RUN_DIR!, "weave.log"), "utf8").split(
      "\n",
    )) {
      const [, address, event] =
        /->\[([^|\]]+)[^\]]*\]: connection (fully established|deleted)/.exec(line) ?? [];
      if (address === undefined) continue;
      if (event === "deleted") up.delete(address);
      else up.set(address, timeOf(line));
    }
    times.push(...up.values());
  }
  return times.sort((a, b) => a - b);
}

function timeOf(line: string): number {
  const [, day, time] = /(\d{4}\/\d\d\/\d\d) (\d\d:\d\d:\d\d\.\d{3})/.exec(line) ?? [];
  return Date.parse(`${day?.replaceAll("/", "-")}T${time}Z`);
}

async function reportRest(pids: readonly number[]): Promise<void> {
  const before = pids.map((pid) => ({ cpu: cpuSeconds(pid), sent: sentBytes(pid) }));
  const startMs = performance.now();
  await Bun.sleep(restSeconds * 1000);
  const elapsed = (performance.now() - startMs) / 1000;
  const cpu = pids.map((pid, at) => ((cpuSeconds(pid) - before[at]!.cpu) / elapsed) * 100);
  const sent = sum(pids.map((pid, at) => sentBytes(pid) - before[at]!.sent)) / elapsed;
  write(`at rest, over ${elapsed.toFixed(0)} s:`);
  write(
    `  CPU of each: ${median(cpu).toFixed(2)} % of a core (at most ${Math.max(...cpu).toFixed(2)})`,
  );
  write(`  traffic in sum: ${(sent / 1000).toFixed(1)} kB/s`);
  const resident = pids.map((pid) => memory(pid, "status", "VmRSS"));
  const own = pids.map((pid) => memory(pid, "smaps_rollup", "Pss"));
  write(
    `  resident memory of each: ${median(resident).toFixed(0)} MB, its proportional share ${median(own).toFixed(0)} MB`,
  );
}

/** User and system time of a process so far. */
function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
    .replace(/^.*\) /, "")
    .split(" ");
  return (Number(fields[11]) + Number(fields[12])) / clockTicksPerSecond;
}

/** Octets that left the host of a process by its cable, Ethernet headers included. */
function sentBytes(pid: number): number {
  const line = /eth0:(.*)/.exec(readFileSync(`/proc/${pid}/net/dev`, "utf8"))![1]!;
  return Number(line.trim().split(/\s+/)[8]);
}

function memory(pid: number, file: string, field: string): number {
  const text = readFileSync(`/proc/${pid}/${file}`, "utf8");
  return (Number(new RegExp(`^${field}:\\s+(\\d+) kB`, "m").exec(text)?.[1]) * 1024) / 1e6;
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

if (import.meta.main) await benchThirtyPeers();
