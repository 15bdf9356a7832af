import { errorCode } from "../../lib/base/errors.ts";
import type { KubernetesApi } from "../../lib/kubernetes/kubernetes-api.ts";
import { listAll } from "../../lib/kubernetes/list-all.ts";
import type { ListedPeer } from "../../lib/kubernetes/peer-list.ts";
import type { PeerListStore } from "../../lib/kubernetes/peer-list-store.ts";
import { nodes } from "../../lib/kubernetes/resources.ts";

export interface OriginalParts {
  readonly api: KubernetesApi;
  readonly list: PeerListStore;
  readonly self: ListedPeer;
  readonly reclaim: (peerName: string) => Promise<void>;
}

/** After so many rounds without a change it is done. */
const idleRoundsMax = 3;

/** How nodes of the original look after removed ones, once (kubernetes §5). */
export async function originalReclaim(parts: OriginalParts, signal: AbortSignal): Promise<void> {
  let idleRounds = 0;
  while (idleRounds < idleRoundsMax) {
    const there = new Set(
      (await listAll(parts.api, nodes, signal)).map(({ metadata }) => metadata.name),
    );
    const { peers } = await parts.list.read();
    const gone = peers.filter(
      ({ peerName, nodeName }) =>
        peerName !== parts.self.peerName &&
        (!there.has(nodeName) || nodeName === parts.self.nodeName),
    );
    if (gone.length === 0) return;
    let hasChanged = false;
    for (const { peerName } of gone) {
      if (await takeOver(parts, peerName, signal)) hasChanged = true;
    }
    idleRounds = hasChanged ? 0 : idleRounds + 1;
  }
}

async function takeOver(
  { list, self, reclaim }: OriginalParts,
  peerName: string,
  signal: AbortSignal,
): Promise<boolean> {
  const now = await list.read();
  const holder = now.holderOf(peerName);
  if (holder !== self.peerName) {
    if (holder !== undefined && now.has(holder)) return false;
    const locked = await list.tryUpdate((found) =>
      found.holderOf(peerName) === holder ? found.withLock(peerName, self.peerName) : found,
    );
    if (locked?.holderOf(peerName) !== self.peerName) return false;
  }
  try {
    if ((await list.read()).has(peerName)) await reclaim(peerName);
  } catch (error) {
    if (errorCode(error) !== "IPAM_PEER_ALIVE") throw error;
    return false;
  }
  await list.update((found) => found.withoutPeer(peerName), signal);
  return true;
}
