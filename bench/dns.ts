import { existsSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { formatIpv4 } from "../lib/base/ip.ts";
import { noPeer, parsePeerName } from "../lib/base/peer-name.ts";
import { silentLog } from "../lib/base/world.ts";
import { NameTable } from "../lib/dns/name-table.ts";
import { DnsResponder } from "../lib/dns/responder.ts";
import { machineWorld } from "../lib/host/machine-world.ts";
import { encodeName } from "../lib/wire/dns-name.ts";
import { type Host, Lab } from "../test/hosts/lab.ts";
import { median, shown } from "./measure.ts";

/**
 * Answers a second of the responder alone, and of a live router over loopback with dnsperf:
 *
 *   bun run build && bun run bench dns
 *
 * `WEAVE_BINARY` names another executable.
 */
const singles = 10_000;
const groups = 50;
const groupAddresses = 50;
const rounds = 3;
const loadSeconds = 5;
/** The rate at which answer times are taken. */
const steadyRate = 5_000;
const server = "127.0.0.1";

const write = (line: string): void => void process.stdout.write(`${line}\n`);
const single = (number: number): string => `c${number}.weave.local`;
const group = (number: number): string => `g${number}.weave.local`;
const addressOf = (number: number): number => 0x0a200000 + number;

export async function benchDns(): Promise<void> {
  measureResponder();
  if (Bun.which("dnsperf") === null) return write("live: dnsperf is not installed");
  process.env.WEAVE_BINARY ??= join(import.meta.dir, "../dist/weave");
  if (!existsSync(process.env.WEAVE_BINARY)) throw new Error("run 'bun run build' first");
  await using lab = await Lab.onSwitch("wdb", 1);
  const host = lab.hosts[0]!;
  await host.launch(["--dns-listen-address", `${server}:53`]);
  await addNames(host);
  await measureLive(host);
}

/** The responder without sockets. */
function measureResponder(): void {
  const world = machineWorld(silentLog);
  const table = new NameTable(world, {
    self: parsePeerName("01:00:00:00:00:01"),
    domain: "weave.local",
    isKnownPeer: (peer) => peer !== noPeer,
  });
  for (let number = 0; number < singles; number++) {
    table.add(single(number), `container${number}`, { family: 4, value: addressOf(number) });
  }
  const responder = new DnsResponder(table, { ttlS: 1, random: world.random });
  const queries = Array.from({ length: singles }, (_, number) => query(single(number)));
  for (const seconds of [1, 3]) {
    const endMs = performance.now() + seconds * 1000;
    let answered = 0;
    while (performance.now() < endMs) {
      for (const each of queries) responder.handle(each, "udp");
      answered += singles;
    }
    if (seconds > 1) write(`responder alone: ${Math.round(answered / seconds)} answers/s`);
  }
  table.stop();
}

function query(name: string): Uint8Array {
  const header = [0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
  return new Uint8Array([...header, ...encodeName(name)!, 0, 1, 0, 1]);
}

/** Registers names with one address each, and names with many. */
async function addNames(host: Host): Promise<void> {
  const wanted: Array<readonly [string, number]> = [];
  for (let at = 0; at < singles; at++) wanted.push([single(at), addressOf(at)]);
  for (let at = 0; at < groups * groupAddresses; at++) {
    wanted.push([group(at % groups), addressOf(singles + at)]);
  }
  const unix = join(host.env.WEAVE_RUN_DIR!, "control.sock");
  for (const [fqdn, address] of wanted) {
    const url = `http://localhost/name/weave:extern/${formatIpv4(address)}`;
    const answer = await fetch(url, { method: "PUT", unix, body: new URLSearchParams({ fqdn }) });
    if (!answer.ok) throw new Error(`${fqdn}: ${answer.status} ${await answer.text()}`);
  }
}

async function measureLive(host: Host): Promise<void> {
  const each = (count: number, line: (at: number) => string): string[] =>
    Array.from({ length: count }, (_, at) => line(at));
  const reversed = (address: number): string => formatIpv4(address).split(".").reverse().join(".");
  const loads = {
    "names with one address": each(singles, (at) => `${single(at)} A`),
    [`${groups} names with ${groupAddresses} addresses`]: each(groups, (at) => `${group(at)} A`),
    "unknown names": each(singles, (at) => `u${at}.weave.local A`),
    "addresses to names": each(singles, (at) => `${reversed(addressOf(at))}.in-addr.arpa PTR`),
  };
  const list = join(tmpdir(), `weave-dns-bench-${process.pid}`);
  try {
    for (const [name, lines] of Object.entries(loads)) {
      writeFileSync(list, `${lines.join("\n")}\n`);
      await load(host, list, ["-q", "200"]);
      const rates: number[] = [];
      const halves: number[] = [];
      const slow: number[] = [];
      let lost = 0;
      for (let round = 0; round < rounds; round++) {
        const full = await load(host, list, ["-q", "200"]);
        const steady = await load(host, list, ["-Q", `${steadyRate}`, "-v"]);
        rates.push(rateOf(full));
        lost += lostIn(full) + lostIn(steady);
        const times = timesOf(steady);
        halves.push(times[Math.floor(times.length / 2)]!);
        slow.push(times[Math.floor(times.length * 0.99)]!);
      }
      write(
        `${name}: ${shown(rates, 0)} answers/s; at ${steadyRate}/s p50 ${median(halves).toFixed(2)} ms, p99 ${shown(slow, 2)} ms; ${lost} lost`,
      );
    }
  } finally {
    rmSync(list, { force: true });
  }
}

/** What dnsperf says. */
async function load(host: Host, list: string, more: readonly string[]): Promise<string> {
  const command = ["dnsperf", "-s", server, "-d", list, "-l", `${loadSeconds}`, "-c", "4"];
  const { stdout } = await host.exec([...command, ...more], { waitMs: 60_000 });
  return stdout;
}

function lostIn(report: string): number {
  return Number(/Queries lost: +(\d+)/.exec(report)?.[1]);
}

function rateOf(report: string): number {
  return Number(/Queries per second: +([\d.]+)/.exec(report)?.[1]);
}

/** Milliseconds from question to answer, ascending. */
function timesOf(report: string): number[] {
  const times = [...report.matchAll(/^> \S+ \S+ \S+ ([\d.]+)$/gm)].map(([, s]) => Number(s) * 1000);
  return times.sort((a, b) => a - b);
}
