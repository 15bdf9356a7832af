import { MeshCluster, type MeshPeerOptions } from "../test/sim/mesh-peer.ts";

/**
 * Large meshes in one process: the production code of every peer, on a virtual clock and a network
 * in memory.
 *
 *   bun run bench mesh-scale              the table of docs/performance.md
 *   bun bench/mesh-scale.ts 200 0         peers and connection limit (0: full mesh)
 *   bun bench/mesh-scale.ts 200 0 plain   the same without the extensions of our own
 *
 * All peers start at once and know the first three. Time is the simulation's, CPU is this machine's.
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
  const targets = [1, 2, 3].map((n) => `10.0.0.${n}`);
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
    for (let n = 1; n <= peers; n++) {
      cluster.start(
        n,
        targets.filter((target) => target !== cluster.ipOf(n)),
      );
    }
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

/** Until all see all links, or with a limit until all reach all; virtual milliseconds. */
function settle(cluster: MeshCluster, full: boolean): number {
  const startMs = cluster.clock.nowMs;
  while (!(full ? cluster.isFullMesh() : cluster.isConnected())) {
    cluster.clock.run(250);
    if (cluster.clock.nowMs - startMs > coldMaxMs) return Number.NaN;
  }
  return cluster.clock.nowMs - startMs;
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
const scenarios = ["25 0", "50 0", "100 0", "25 0 plain", "50 0 plain"];

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
