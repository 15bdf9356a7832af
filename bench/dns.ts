/**
 * Answers a second of the name server.
 *
 *   bun bench/dns.ts            the responder alone, then over loopback with dnsperf if installed
 *   bun bench/dns.ts --serve    only serves on 127.0.0.1:5353, for measuring from outside
 */
import { rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { noPeer, parsePeerName } from "../lib/base/peer-name.ts";
import { silentLog } from "../lib/base/world.ts";
import { NameTable } from "../lib/dns/name-table.ts";
import { DnsResponder } from "../lib/dns/responder.ts";
import { DnsServer } from "../lib/host/dns-server.ts";
import { machineWorld } from "../lib/host/machine-world.ts";
import { ResolvConfFile } from "../lib/host/resolv-conf-file.ts";
import { encodeName } from "../lib/wire/dns-name.ts";

const port = 5353;
const names = 10_000;
const write = (line: string): void => void process.stdout.write(`${line}\n`);

const world = machineWorld(silentLog);
const table = new NameTable(world, {
  self: parsePeerName("01:00:00:00:00:01"),
  domain: "weave.local",
  isKnownPeer: (peer) => peer !== noPeer,
});
for (let number = 0; number < names; number++) {
  table.add(`c${number}.weave.local`, `container${number}`, {
    family: 4,
    value: 0x0a200000 + number,
  });
}
const responder = new DnsResponder(table, { ttlS: 1, random: world.random });

function query(name: string): Uint8Array {
  const header = [0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
  return new Uint8Array([...header, ...encodeName(name)!, 0, 1, 0, 1]);
}

function measureResponder(): void {
  const queries = Array.from({ length: names }, (_, number) => query(`c${number}.weave.local`));
  for (const seconds of [1, 3]) {
    const endMs = performance.now() + seconds * 1000;
    let answered = 0;
    while (performance.now() < endMs) {
      for (const each of queries) responder.handle(each, "udp");
      answered += names;
    }
    if (seconds > 1) write(`responder alone: ${Math.round(answered / seconds)} answers/s`);
  }
}

async function serve(): Promise<DnsServer> {
  return await DnsServer.listen({
    address: "127.0.0.1",
    port,
    responder,
    upstreams: new ResolvConfFile("", { exclude: "" }),
    fallbackTimeoutMs: 5000,
    log: silentLog,
  });
}

async function measureLoopback(): Promise<void> {
  if (Bun.which("dnsperf") === null) return write("over loopback: dnsperf is not installed");
  const list = join(tmpdir(), `weave-dns-bench-${process.pid}`);
  writeFileSync(
    list,
    Array.from({ length: names }, (_, number) => `c${number}.weave.local A\n`).join(""),
  );
  const load = ["dnsperf", "-s", "127.0.0.1", "-p", `${port}`, "-d", list, "-l", "10", "-c", "4"];
  const run = Bun.spawn([...load, "-q", "200"], { stdout: "pipe" });
  const report = await new Response(run.stdout).text();
  rmSync(list);
  for (const line of report.split("\n")) {
    if (/Queries per second|Queries lost|Average Latency/.test(line)) {
      write(`over loopback: ${line.trim().replace(/\s+/g, " ")}`);
    }
  }
}

if (process.argv.includes("--serve")) {
  await serve();
  write(`serving ${names} names on 127.0.0.1:${port}`);
} else {
  measureResponder();
  const server = await serve();
  await measureLoopback();
  await server.close();
  table.stop();
}
