import { pageApp } from "../../lib/api/page-app.ts";
import type { Report } from "../../lib/api/report.ts";
import { silentLog } from "../../lib/base/world.ts";
import { readPage } from "../../lib/ui/read-page.ts";
import { TestRouter } from "../api/test-router.ts";
import { SimCluster } from "../sim/cluster.ts";

export interface PretendedCluster extends AsyncDisposable {
  readonly url: string;
}

const token = "0".repeat(32);

/** The page of a cluster in which all hosts are linked, and every container has a name. */
export async function pretendCluster(hosts: number, containers: number): Promise<PretendedCluster> {
  const app = pageApp(new Pretended(hosts, containers), await readPage(), token, silentLog);
  const server = Bun.serve({ hostname: "127.0.0.1", port: 0, idleTimeout: 0, fetch: app.fetch });
  return {
    url: `http://127.0.0.1:${server.port}/?token=${token}`,
    [Symbol.asyncDispose]: () => server.stop(true),
  };
}

class Pretended extends TestRouter {
  readonly #hosts: number;
  readonly #containers: number;

  constructor(hosts: number, containers: number) {
    super(new SimCluster(1).start(1, []));
    this.#hosts = hosts;
    this.#containers = containers;
  }

  override async report(): Promise<Report> {
    const report = await super.report();
    const self = report.Router.Name;
    const names = [self, ...Array.from({ length: this.#hosts - 1 }, (_, at) => nameOf(at + 2))];
    const peers = names.map((Name, number) => ({
      ...{ Name, NickName: `host${number + 1}`, UID: 1n, ShortID: number, Version: 1 },
      Connections: names
        .filter((other) => other !== Name)
        .map((other) => ({
          ...{ Name: other, NickName: "", Address: `10.0.0.1:${names.indexOf(other)}` },
          ...{ Outbound: true, Established: true },
        })),
    }));
    return {
      ...report,
      Router: {
        ...report.Router,
        Peers: peers,
        UnicastRoutes: names.map((Dest) => ({ Dest, Via: Dest })),
      },
      DNS: { ...report.DNS!, Entries: this.#entries(names) },
    };
  }

  #entries(names: readonly string[]) {
    return Array.from({ length: this.#containers }, (_, at) => ({
      ...{ Hostname: `c${at}.weave.local.`, Origin: names[(at * 7) % names.length]! },
      ContainerID: at.toString(16).padStart(64, "0"),
      ...{ Address: `10.32.${at >> 8}.${at & 255}`, Version: 0, Tombstone: 0 },
    }));
  }
}

function nameOf(number: number): string {
  return `7a:00:00:00:00:${number.toString(16).padStart(2, "0")}`;
}
