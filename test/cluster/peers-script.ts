import { errorCode } from "../../lib/base/errors.ts";
import type { World } from "../../lib/base/world.ts";
import { silentLog } from "../../lib/base/world.ts";
import { machineWorld } from "../../lib/host/machine-world.ts";
import { ApiClient } from "../../lib/kubernetes/api-client.ts";
import type { KubernetesApi } from "../../lib/kubernetes/kubernetes-api.ts";
import { Reflector } from "../../lib/kubernetes/list-watch.ts";
import { networkIsUp, setNetworkCondition } from "../../lib/kubernetes/node-condition.ts";
import { PeerListStore } from "../../lib/kubernetes/peer-list-store.ts";
import { register } from "../../lib/kubernetes/peer-registration.ts";
import { Reclaimer } from "../../lib/kubernetes/reclaimer.ts";
import { adminNetworkPolicies, configMaps, nodes } from "../../lib/kubernetes/resources.ts";
import { fixedToken } from "../../lib/kubernetes/token-file.ts";
import { type ApiAccess, ScriptClient } from "./script-client.ts";

export interface PeersAccess {
  /** Makes and removes nodes. */
  readonly admin: ApiAccess;
  /** The token of the service account of the manifest. */
  readonly account: string;
}

/** What came of it. */
export interface PeersAnswer {
  readonly objects: number;
  readonly absent: string;
  readonly forbidden: string;
  /** Whose ranges were taken, by whomever. */
  readonly taken: readonly string[];
  readonly left: readonly string[];
  readonly annotations: number;
  /** Nodes that were removed are known to be. */
  readonly known: number;
}

const names = ["n1", "n2", "n3", "n4", "n5"];
/** More nodes than are asked for at once. */
const others = 600;

/** Five agents, with the rights of the manifest, of which two lose their nodes. */
async function followPeers({ admin, account }: PeersAccess): Promise<PeersAnswer> {
  const world = machineWorld(silentLog);
  const client = new ScriptClient(admin);
  const api = new ApiClient({
    server: admin.url,
    token: fixedToken(account),
    tls: { current: () => ({ ca: admin.authority ?? "", rejectUnauthorized: true }) },
  });
  const make = (name: string) => client.ask("POST", "/api/v1/nodes", { metadata: { name } });
  for (const name of names) await make(name);
  for (let at = 0; at < others; at += 20) {
    await Promise.all(Array.from({ length: 20 }, (_, each) => make(`other-${at + each}`)));
  }
  const followed = new Reflector(world, api, nodes);
  const admins = new Reflector(world, api, adminNetworkPolicies);
  followed.start();
  admins.start();
  await until(() => followed.status().phase === "watching" && admins.status().synced);
  const objects = followed.all().length;
  const absent = admins.status().phase;
  await setNetworkCondition(api, "n1", networkIsUp, { sinceMs: world.now(), nowMs: world.now() });
  const list = new PeerListStore(world, api);
  const taken: string[] = [];
  const agents = names.map((nodeName) => agent(world, { api, followed, list, taken }, nodeName));
  await Promise.all(agents.map(({ self }) => register(list, self, new AbortController().signal)));
  for (const { reclaimer } of agents) reclaimer.start();
  const gone = ["n4", "n5"];
  await Promise.all([agents[3]!.reclaimer.stop(), agents[4]!.reclaimer.stop()]);
  for (const name of gone) await client.ask("DELETE", `/api/v1/nodes/${name}`);
  await until(async () => (await list.read()).peers.length === 3);
  await Promise.all(agents.map(({ reclaimer }) => reclaimer.stop()));
  const known = followed.all().length;
  await Promise.all([followed.stop(), admins.stop()]);
  const left = await list.read();
  return {
    ...{ objects, absent, known, taken: taken.sort() },
    left: left.peers.map(({ nodeName }) => nodeName).sort(),
    annotations: Object.keys(left.annotations).length,
    forbidden: await codeOf(
      api.create(configMaps, { metadata: { name: "x", namespace: "default" } }),
    ),
  };
}

function agent(
  world: World,
  parts: {
    readonly api: KubernetesApi;
    readonly followed: Reflector<ReturnType<typeof nodes.read>>;
    readonly list: PeerListStore;
    readonly taken: string[];
  },
  nodeName: string,
) {
  const { api, followed, list, taken } = parts;
  const self = { peerName: `peer-of-${nodeName}`, nodeName };
  const router = {
    reclaim: async (peerName: string) => {
      taken.push(peerName);
    },
  };
  return { self, reclaimer: new Reclaimer({ world, api, list, nodes: followed, router, self }) };
}

function codeOf(attempt: Promise<unknown>): Promise<string> {
  return attempt.then(() => "", errorCode);
}

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setImmediate(resolve));
}

if (import.meta.main) {
  const answer = await followPeers(await Bun.stdin.json());
  process.stdout.write(JSON.stringify(answer));
}
