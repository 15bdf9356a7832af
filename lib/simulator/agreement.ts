import { formatIpv4 } from "../base/ip.ts";
import type { MeshStatus } from "../mesh/mesh-status.ts";
import { ringView, type SimCluster } from "./cluster.ts";
import type { Breach } from "./happening.ts";
import type { Holdings } from "./holdings.ts";

/** Longer than any link takes that is not slowed. */
const deliveryMaxMs = 1000;

type Fault = Omit<Breach, "atMs">;

/**
 * What all peers must agree on when nothing has happened for a while; the first that they do not.
 * `holdings` is missing where peers may lose what they hold by being away.
 */
export function disagreement(
  cluster: SimCluster,
  holdings: Holdings | undefined,
): Fault | undefined {
  return (
    ringFault(cluster) ??
    namesFault(cluster) ??
    (holdings && holdingsFault(cluster, holdings)) ??
    topologyFault(cluster) ??
    deliveryFault(cluster)
  );
}

/** Rings are equal, cover everything, and belong to peers that are there. */
export function ringFault(cluster: SimCluster): Fault | undefined {
  const names = new Set(cluster.peers.map(({ name }) => name));
  let first: { number: number; view: string } | undefined;
  for (const peer of cluster.peers) {
    const allocator = cluster.allocatorOf(peer);
    const { ranges = [], universeSize, pendingPrimes } = allocator.status();
    if (pendingPrimes > 0) {
      return fault("whoever waits for a ring is told", `${pendingPrimes} wait`, [peer.number]);
    }
    const covered = ranges.reduce((sum, { size }) => sum + size, 0);
    const stranded = ranges.find(({ peer: owner }) => !names.has(owner));
    const view = ringView(allocator);
    first ??= { number: peer.number, view };
    if (ranges.length === 0) return fault("every peer has a ring", "it has none", [peer.number]);
    if (covered !== universeSize) {
      const found = `the ranges of ${covered} of ${universeSize} addresses`;
      return fault("every address has an owner", found, [peer.number]);
    }
    if (stranded !== undefined) {
      const found = `${formatIpv4(stranded.token)}+${stranded.size} is owned by a peer that is gone`;
      return fault("every address has an owner", found, [peer.number]);
    }
    if (view !== first.view) {
      const found = `${first.number}: ${first.view}\n${peer.number}: ${view}`;
      return fault("all rings are equal", found, [first.number, peer.number]);
    }
  }
  return undefined;
}

function namesFault(cluster: SimCluster): Fault | undefined {
  const registered = cluster.registeredNames();
  for (const [index, view] of cluster.nameViews().entries()) {
    if (view === registered) continue;
    const { number } = cluster.peers[index]!;
    const found = `registered: ${registered}\n${number}: ${view}`;
    return fault("all peers know the registered names and no others", found, [number]);
  }
  return undefined;
}

/** What users hold is what allocators say they hold: none forgotten, none invented. */
function holdingsFault(cluster: SimCluster, holdings: Holdings): Fault | undefined {
  for (const peer of cluster.peers) {
    const given = holdings.of(peer.number).join(", ");
    const held = cluster
      .allocatorOf(peer)
      .list()
      .flatMap(({ ident, cidrs }) => cidrs.map(({ address }) => `${formatIpv4(address)} ${ident}`))
      .sort()
      .join(", ");
    if (given === held) continue;
    const found = `given: ${given}\nheld: ${held}`;
    return fault("allocators know what was given to users", found, [peer.number]);
  }
  return undefined;
}

/** All links work, and all peers know all of them. */
function topologyFault(cluster: SimCluster): Fault | undefined {
  let first: string | undefined;
  for (const { number, plane } of cluster.peers) {
    const { connections } = plane.mesh.status();
    const open = connections.find(({ state }) => state !== "established");
    if (open !== undefined) {
      const found = `${open.state} ${open.address} ${open.info}`;
      return fault("all connections are established", found, [number]);
    }
    const view = topologyText(plane.mesh.status());
    first ??= view;
    if (view !== first) {
      return fault("all topologies are equal", `${first}\n${number}: ${view}`, [number]);
    }
  }
  return undefined;
}

/** Who is linked to whom in the eyes of one peer. */
export function topologyText({ peers }: MeshStatus): string {
  return peers
    .map(({ name, connections: links }) => {
      const states = links.map((link) => `${link.name} ${link.established}`);
      return `${name}: ${states.sort().join(", ")}`;
    })
    .join("; ");
}

/** Nothing is left of what waited while a line was slow. */
function deliveryFault(cluster: SimCluster): Fault | undefined {
  for (const { local, remote, backlogBytes, arrivedInMs } of cluster.network.openStreams()) {
    if (backlogBytes === 0 && arrivedInMs <= deliveryMaxMs) continue;
    const found = `from ${local.host} to ${remote.host} ${backlogBytes} octets wait, the others arrive in ${arrivedInMs} ms`;
    return fault("what was sent arrives", found, []);
  }
  return undefined;
}

function fault(invariant: string, found: string, peers: readonly number[]): Fault {
  return { invariant, found, peers };
}
