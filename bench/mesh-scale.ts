import type { PeerName } from "../lib/base/peer-name.ts";
import { randomBelow, seededRandom } from "../lib/base/random.ts";
import type { RoutesSnapshot } from "../lib/base/routes-snapshot.ts";
import { MeshCluster, type MeshPeerOptions } from "../test/sim/mesh-peer.ts";

/**
 * Large meshes in one process: the production code of every peer, on a virtual clock and a network
 * in memory.
 *
 *   bun run bench mesh-scale              the table of docs/performance.md
 *   bun bench/mesh-scale.ts 200 0         peers and connection limit (0: full mesh)
 *   bun bench/mesh-scale.ts 200 0 plain   the same without the extensions of our own
 *
 * All peers start at once. In a full mesh they know the first three, with a connection limit each
 * knows three of those before it: the same three would be at their limit and busy sending others
 * away. Time is the simulation's, CPU is this machine's.
 */
const restMs = 120_000;
const coldMaxMs = 600_000;

export interface Scenario {
  readonly peers: number;
  /** 0 for a full mesh. */
  readonly connectionLimit: number;
  readonly plain: boolean;
}

/** What one phase cost each peer. */
interface Cost {
  readonly virtualSeconds: number;
  readonly messages: number;
  readonly kilobytes: number;
  readonly cpuMs: number;
}

export interface Outcome {
  readonly cold: Cost;
  /** For each minute. */
  readonly rest: Cost;
  readonly heapMegabytes: number;
}

const write = (line: string): void => void process.stdout.write(`${line}\n`);

/** Runs one scenario from a common start until nothing changes any more, and then at rest. */
export function measure({ peers, connectionLimit, plain }: Scenario): Outcome {
  const options: MeshPeerOptions = { connectionLimit, ...(plain ? { extensions: [] } : {}) };
  const heapBefore = heapMegabytes();
  const cluster = new MeshCluster(1, options);
  const phase = (run: () => number): Cost => {
    const before = cluster.network.traffic();
    const cpuBefore = process.cpuUsage();
    const virtualMs = run();
    const cpu = process.cpuUsage(cpuBefore);
    const after = cluster.network.traffic();
    return {
      virtualSeconds: virtualMs / 1000,
      messages: (after.writes - before.writes) / peers,
      kilobytes: (after.bytes - before.bytes) / peers / 1000,
      cpuMs: (cpu.user + cpu.system) / 1000 / peers,
    };
  };
  const cold = phase(() => {
    const known = connectionLimit === 0 ? firstThree : randomThree();
    for (let n = 1; n <= peers; n++) cluster.start(n, known(n).map(cluster.ipOf));
    return settle(cluster, connectionLimit === 0);
  });
  // What follows the last link, announcements and relays, is not yet rest.
  cluster.clock.run(60_000);
  const rest = phase(() => {
    cluster.clock.run(restMs);
    return 60_000;
  });
  const scale = 60_000 / restMs;
  const heap = (heapMegabytes() - heapBefore) / peers;
  for (const { mesh } of cluster.peers) mesh.stop();
  return {
    cold,
    rest: {
      virtualSeconds: rest.virtualSeconds,
      messages: rest.messages * scale,
      kilobytes: rest.kilobytes * scale,
      cpuMs: rest.cpuMs * scale,
    },
    heapMegabytes: heap,
  };
}

function firstThree(n: number): number[] {
  return [1, 2, 3].filter((other) => other !== n);
}

/** For each peer three of those before it, or all. */
function randomThree(): (n: number) => number[] {
  const random = seededRandom(1);
  return (n) => {
    const others = new Set<number>();
    while (others.size < Math.min(3, n - 1)) others.add(1 + randomBelow(random, n - 1));
    return [...others];
  };
}

/** Until all see all links, or with a limit until all reach all; virtual milliseconds. */
function settle(cluster: MeshCluster, full: boolean): number {
  const startMs = cluster.clock.nowMs;
  const reachAll = () => cluster.peers.every(({ routes }) => leadsTo(routes, cluster.peers.length));
  while (!(full ? cluster.isFullMesh() : reachAll())) {
    cluster.clock.run(250);
    if (cluster.clock.nowMs - startMs > coldMaxMs) return Number.NaN;
  }
  return cluster.clock.nowMs - startMs;
}

/** Whether so many peers are known, and established links lead to each of them. */
function leadsTo(routes: RoutesSnapshot | undefined, size: number): boolean {
  if (routes?.peers.length !== size) return false;
  const ends = new Map(routes.peers.map(({ name }) => [name, [] as PeerName[]]));
  for (const [one, other] of routes.links) {
    ends.get(one)?.push(other);
    ends.get(other)?.push(one);
  }
  const reached = new Set<PeerName>([routes.peers[0]!.name]);
  // The set grows while it is walked.
  for (const name of reached) for (const next of ends.get(name) ?? []) reached.add(next);
  return reached.size === size;
}

function heapMegabytes(): number {
  Bun.gc(true);
  return process.memoryUsage().heapUsed / 1e6;
}

export function row(scenario: Scenario, { cold, rest, heapMegabytes: heap }: Outcome): string {
  const { peers, connectionLimit, plain } = scenario;
  const kind = `${connectionLimit === 0 ? "full mesh" : `limit ${connectionLimit}`}${plain ? ", plain" : ""}`;
  const cells = [
    `${peers}, ${kind}`,
    cold.virtualSeconds.toFixed(1),
    cold.messages.toFixed(0),
    cold.kilobytes.toFixed(0),
    cold.cpuMs.toFixed(0),
    rest.messages.toFixed(0),
    rest.kilobytes.toFixed(1),
    rest.cpuMs.toFixed(1),
    heap.toFixed(1),
  ];
  return `| ${cells.join(" | ")} |`;
}

/** Those that take minutes; larger ones by hand. */
const scenarios = ["25 0", "50 0", "100 0", "25 0 plain", "50 0 plain", "100 30"];

/** Each in a process of its own, so that none inherits the memory of another. */
export async function benchMeshScale(): Promise<void> {
  for (const scenario of scenarios) {
    const command = [process.execPath, import.meta.path, ...scenario.split(" ")];
    await Bun.spawn(command, { stdout: "inherit", stderr: "inherit" }).exited;
  }
}

if (import.meta.main) {
  const [peers = "50", limit = "0", plain] = process.argv.slice(2);
  const scenario = {
    peers: Number(peers),
    connectionLimit: Number(limit),
    plain: plain === "plain",
  };
  write(row(scenario, measure(scenario)));
}
