import { pageApp } from "../../lib/api/page-app.ts";
import { PictureLog } from "../../lib/api/picture-log.ts";
import type { Report } from "../../lib/api/report.ts";
import type { ToldContainer } from "../../lib/api/router-control.ts";
import type { EventSink } from "../../lib/base/network-event.ts";
import type { LinkTraffic } from "../../lib/base/overlay.ts";
import { formatPeerName, parsePeerName } from "../../lib/base/peer-name.ts";
import { silentLog } from "../../lib/base/world.ts";
import { PolicyRequests } from "../../lib/daemon/policy/policy-requests.ts";
import type { Finding } from "../../lib/diagnosis/finding.ts";
import { machineWorld } from "../../lib/host/machine-world.ts";
import { tellPeriodMs } from "../../lib/links/audience.ts";
import type { ToldSummary } from "../../lib/links/told-links.ts";
import { readPage } from "../../lib/ui/read-page.ts";
import { TestRouter } from "../api/test-router.ts";
import { SimCluster } from "../sim/cluster.ts";

export interface PretendedCluster extends AsyncDisposable {
  readonly url: string;
  /** Has something happen on the host that serves the page. */
  readonly emit: EventSink;
  /** Closes all connections, as when a tunnel breaks; new ones are accepted. */
  breakConnections(): Promise<void>;
}

const token = "0".repeat(32);

export interface Pretence {
  /** Of the doctor. */
  readonly findings?: readonly Finding[];
  /** How far clocks are ahead of that of the host that serves the page, by number of the host. */
  readonly clockOffsetsMs?: ReadonlyMap<number, number>;
}

/** The page of a cluster in which all hosts are linked, and every container has a name and labels. */
export async function pretendCluster(
  hosts: number,
  containers: number,
  { findings = [], clockOffsetsMs = new Map() }: Pretence = {},
): Promise<PretendedCluster> {
  const router = new Pretended(hosts, containers, clockOffsetsMs);
  const { doctor } = router.diagnosis;
  router.diagnosis.doctor = async () => ({ ...(await doctor()), findings });
  const pictures = new PictureLog(machineWorld(silentLog));
  const app = pageApp(router, await readPage(), { token, pictures, log: silentLog });
  const serve = (port: number) =>
    Bun.serve({ hostname: "127.0.0.1", port, idleTimeout: 0, fetch: app.fetch });
  let server = serve(0);
  const port = server.port!;
  return {
    url: `http://127.0.0.1:${port}/#token=${token}`,
    emit: router.events.emit,
    async breakConnections() {
      await server.stop(true);
      server = serve(port);
    },
    async [Symbol.asyncDispose]() {
      await server.stop(true);
      pictures.forget();
    },
  };
}

const tiers = ["web", "api", "cache", "queue", "db", "batch"];

/** Every container has labels. */
class LabelledContainers extends PolicyRequests {
  readonly #entries: () => readonly NameEntry[];

  constructor(router: TestRouter, entries: () => readonly NameEntry[]) {
    super(router.policyService, router.peer.plane.policies);
    this.#entries = entries;
  }

  override containers(): ToldContainer[] {
    return this.#entries().map(({ ContainerID, Origin, Address }, at) => ({
      ...{ container: ContainerID, host: Origin, addresses: [Address] },
      ...{ namespace: "default", name: `c${at}` },
      labels: new Map([
        ["tier", tiers[at % tiers.length]!],
        ["team", `team-${at % 17}`],
      ]),
    }));
  }
}

type NameEntry = NonNullable<NonNullable<Report["DNS"]>["Entries"]>[number];

class Pretended extends TestRouter {
  readonly #hosts: number;
  readonly #containers: number;
  readonly #clockOffsetsMs: NonNullable<Pretence["clockOffsetsMs"]>;
  readonly #latest = new Map<string, { readonly turn: number; readonly told: ToldSummary }>();
  override readonly policy = new LabelledContainers(this, () => this.#entries(this.#names()));

  override readonly links = {
    look: () => {},
    lookOnce: async () => {},
    told: () => this.#told(),
  };

  constructor(
    hosts: number,
    containers: number,
    clockOffsetsMs: NonNullable<Pretence["clockOffsetsMs"]>,
  ) {
    super(new SimCluster(1).start(1, []));
    this.#clockOffsetsMs = clockOffsetsMs;
    this.#hosts = hosts;
    this.#containers = containers;
  }

  /** Every host but this one tells of its links as hosts do: now and then, each in its turn. */
  #told(): ToldSummary[] {
    const [, ...others] = this.#names();
    const round = performance.now() / tellPeriodMs(this.#hosts);
    return others.map((name, at) => {
      const turn = Math.floor(round + at / others.length);
      const known = this.#latest.get(name);
      if (known?.turn === turn) return known.told;
      const told = this.#summaryOf(name, turn);
      this.#latest.set(name, { turn, told });
      return told;
    });
  }

  /** One of the hosts has no fast datapath. */
  #summaryOf(name: string, turn: number): ToldSummary {
    const nowMs = performance.now();
    return {
      ...{ peer: parsePeerName(name), atMs: Date.now(), countedMs: nowMs },
      links: this.#names()
        .filter((other) => other !== name)
        .map((other, at) => ({
          ...{ peer: parsePeerName(other), isEstablished: true, isEncrypted: false },
          overlay: [name, other].includes(slowHost) ? "sleeve" : "fastdp",
          ...{ mtu: 1376, roundTripMs: 0.3 + ((at + 13 * turn) % 100) / 1000 },
          ...{ traffic: carriedBetween(name, other, nowMs), loss: undefined },
        })),
    };
  }

  override async report(): Promise<Report> {
    const report = await super.report();
    const names = this.#names();
    const peers = names.map((Name, number) => ({
      ...{ Name, NickName: `host${number + 1}`, UID: 1n, ShortID: number, Version: 1 },
      Connections: names
        .filter((other) => other !== Name)
        .map((other) => ({
          ...{ Name: other, NickName: "", Address: `10.0.0.1:${names.indexOf(other)}` },
          ...{ Outbound: true, Established: !isSilent(Name, other) },
        })),
    }));
    return {
      ...report,
      Router: {
        ...report.Router,
        Peers: peers,
        Connections: [...this.#clockOffsetsMs].map(([number, ClockOffsetMs]) => ({
          ...{ Address: `10.0.0.1:${number - 1}`, Outbound: true, State: "established" },
          ...{ Info: "fastdp", Attrs: { name: "fastdp", mtu: 1376 }, ClockOffsetMs },
        })),
        UnicastRoutes: names.map((Dest) => ({ Dest, Via: Dest })),
      },
      DNS: { ...report.DNS!, Entries: this.#entries(names) },
    };
  }

  #names(): string[] {
    const self = formatPeerName(this.peer.name);
    return [self, ...Array.from({ length: this.#hosts - 1 }, (_, at) => nameOf(at + 2))];
  }

  #entries(names: readonly string[]): NameEntry[] {
    return Array.from({ length: this.#containers }, (_, at) => ({
      ...{ Hostname: `c${at}.weave.local.`, Origin: names[(at * 7) % names.length]! },
      ContainerID: at.toString(16).padStart(64, "0"),
      ...{ Address: `10.32.${at >> 8}.${at & 255}`, Version: 0, Tombstone: 0 },
    }));
  }
}

const slowHost = nameOf(12);

/** A megabit a second between a few, and too little to be shown between others. */
function carriedBetween(from: string, to: string, nowMs: number): LinkTraffic {
  const isBusy = [from, to].every((name) => parsePeerName(name) % 40 === 0);
  const packets = Math.floor(nowMs / (isBusy ? 10 : 1000));
  const octets = (isBusy ? 1250 : 20) * packets;
  return {
    ...{ sentPackets: packets, sentBytes: octets },
    ...{ receivedPackets: packets, receivedBytes: octets },
  };
}

/** Of two pairs of hosts, one does not hear the other. */
function isSilent(from: string, to: string): boolean {
  const pairs = [
    [40, 150],
    [77, 78],
  ] as const;
  return pairs.some(([one, other]) => from === nameOf(one) && to === nameOf(other));
}

/** Peer names of all but the host that serves the page. */
export function nameOf(number: number): string {
  return `7a:00:00:00:00:${number.toString(16).padStart(2, "0")}`;
}
