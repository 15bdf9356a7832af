import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Host, Lab } from "../test/hosts/lab.ts";
import { must } from "../test/hosts/shell.ts";
import { ReferenceRouter, referenceBinary } from "../test/interop/reference-router.ts";
import { shown } from "./measure.ts";

/**
 * Allocations over HTTP against a real router, empty and with 10,000 addresses held, and its start
 * with them:
 *
 *   bun run build && WEAVE_BINARY=dist/weave bun run bench ipam
 *
 * With `WEAVE_REFERENCE_ROUTER` the original takes its turns in the same run.
 */
const rounds = 3;
const batch = 500;
const heldAtEnd = 10_000;

interface Figures {
  /** Allocations per second: one after the other, and 16 at a time. */
  readonly first: number;
  readonly parallel: number;
  /** One after the other, when 10,000 are held. */
  readonly last: number;
  readonly startMs: number;
  /** Processor time of the router for one of the first and of the last allocations, µs. */
  readonly firstCpuUs: number;
  readonly lastCpuUs: number;
}

async function rate(host: Host, first: number, count: number, parallel: number): Promise<number> {
  const script = join(import.meta.dir, "ipam-client.ts");
  const numbers = [first, count, parallel].map(String);
  const { code, stdout, stderr } = await host.exec([process.execPath, script, ...numbers], {
    waitMs: 180_000,
  });
  if (code !== 0) throw new Error(stderr);
  return Number(stdout);
}

interface Router {
  pid(): Promise<number>;
  start(): Promise<unknown>;
  stop(): Promise<unknown>;
}

async function measure(host: Host, router: Router): Promise<Figures> {
  await router.start();
  // The ring is made, and the code is warm.
  await rate(host, 0, batch, 1);
  const pid = await router.pid();
  const beforeFirstUs = processorUs(pid);
  const first = await rate(host, batch, batch, 1);
  const firstCpuUs = (processorUs(pid) - beforeFirstUs) / batch;
  const parallel = await rate(host, 2 * batch, 2 * batch, 16);
  await rate(host, 4 * batch, heldAtEnd - 5 * batch, 16);
  const beforeLastUs = processorUs(pid);
  const last = await rate(host, heldAtEnd - batch, batch, 1);
  const lastCpuUs = (processorUs(pid) - beforeLastUs) / batch;
  await router.stop();
  const startedMs = performance.now();
  await router.start();
  const startMs = performance.now() - startedMs;
  await router.stop();
  return { first, parallel, last, startMs, firstCpuUs, lastCpuUs };
}

/** User and system time of a process; the kernel counts in hundredths of a second. */
function processorUs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]!.split(" ");
  return (Number(fields[11]) + Number(fields[12])) * 10_000;
}

async function ours(): Promise<Figures> {
  await using lab = await Lab.onSwitch("bipam", 1);
  const host = lab.hosts[0]!;
  return await measure(host, {
    pid: () => host.routerPid(),
    start: () => host.launch(["--ipalloc-init", "consensus=1"]),
    stop: () => host.mustWeave(["stop"]),
  });
}

async function original(): Promise<Figures> {
  await using lab = await Lab.onSwitch("bipam", 1);
  const host = lab.hosts[0]!;
  await using router = new ReferenceRouter(host);
  return await measure(host, {
    pid: () => referencePid(host),
    start: () => router.start({ flags: ["--ipalloc-init", "consensus=1"] }),
    stop: () => router.stop("SIGTERM"),
  });
}

/** The router is the child of the process that holds its process ids, and the last to start. */
async function referencePid(host: Host): Promise<number> {
  const pids = await must(["ip", "netns", "pids", host.namespace]);
  return Math.max(...pids.trim().split("\n").map(Number));
}

function show(name: string, all: readonly Figures[]): void {
  const of = (key: keyof Figures): number[] => all.map((figures) => figures[key]);
  const cost = all.map(({ firstCpuUs, lastCpuUs }) => lastCpuUs / firstCpuUs);
  console.log(`${name}: ${shown(of("first"), 0)}/s one after the other`);
  console.log(`${name}: ${shown(of("parallel"), 0)}/s 16 at a time`);
  console.log(`${name}: ${shown(of("last"), 0)}/s one after the other with 10,000 held`);
  console.log(`${name}: ${shown(of("firstCpuUs"), 0)} µs of processor time each`);
  console.log(`${name}: the 10,000th costs ${shown(cost, 2)}× the 1,000th of it`);
  console.log(`${name}: starts with 10,000 held in ${shown(of("startMs"), 0)} ms`);
}

export async function benchIpam(): Promise<void> {
  const candidates = referenceBinary === undefined ? { ours } : { ours, original };
  const results: Record<string, Figures[]> = {};
  for (let round = 0; round < rounds; round++) {
    for (const [name, candidate] of Object.entries(candidates)) {
      results[name] = [...(results[name] ?? []), await candidate()];
    }
  }
  for (const [name, figures] of Object.entries(results)) show(name, figures);
}
