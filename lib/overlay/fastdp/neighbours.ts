import { errorText, WeaveError } from "../../base/errors.ts";
import { formatPeerName, type PeerName } from "../../base/peer-name.ts";
import type { Cancel, World } from "../../base/world.ts";
import type { EngineLinkEvents } from "../engine.ts";
import { graceMs } from "./grace.ts";
import { ownKindRules } from "./hearing.ts";
import type { FastdpLink } from "./link.ts";
import type { DatapathNeighbour, KernelDatapath, ShortId } from "./ports.ts";

/** A confirmed link, and where in the datapath it has its place. */
export interface PlacedLink {
  readonly remote: PeerName;
  readonly link: Pick<FastdpLink, "heard" | "confirm" | "stop" | "mtu">;
  readonly events: Pick<EngineLinkEvents, "failed">;
  /** As the peer introduced itself; what the topology says later counts more. */
  readonly announcedId: ShortId | undefined;
  readonly localIp: number;
  remoteIp: number;
  port: number;
  /** Its place; `undefined` as long as it has none. */
  shortId: ShortId | undefined;
  /** What packets could have on this path before the link, until it has found out itself. */
  formerMtu: number | undefined;
  /** Whether the chooser wants frames to take it. */
  carries: boolean;
  /** Ends its trial; `undefined` when it has none. */
  endTrial: Cancel | undefined;
  /** When its peer was heard at another address for the last time; monotonic. */
  movedMs: number;
  /** Whether its frames are encrypted: then there is no grace, in which they might not be. */
  readonly encrypted: boolean;
}

/** As long as a path may be silent before it is given up. */
const trialMs = ownKindRules.silenceMs;
/** For how long the other way must have stood: whoever carries frames by it has heard of it then. */
const linkedMs = 1000;

/**
 * Which neighbours a datapath knows: the confirmed links, each under the short id of its peer.
 *
 *   add ──▶ placed ──remove──▶ graced ──▶ gone      in its grace it carries as before: only the
 *             ▲                  │                  peer's router may be gone, not its datapath
 *             └─────── add ──────┘
 *
 * Those that an earlier process left have grace from the start.
 *
 * A link that takes the place of one which carried is on trial: it carries as that one did, also when another overlay of its connection is established sooner, for which there may be no
 * routes yet. The trial ends when the chooser takes this link, or when it had the time to and the
 * topology says that the other way stands.
 */
export interface NeighboursOptions {
  readonly world: Pick<World, "after" | "log">;
  readonly datapath: Pick<KernelDatapath, "adopted" | "setNeighbour" | "removeNeighbour">;
  idOf(peer: PeerName): ShortId | undefined;
  ownerOf(shortId: ShortId): PeerName | undefined;
  /** Whether both ends say that their connection carries frames, by whatever overlay. */
  isLinked(peer: PeerName): boolean;
  /** Other neighbours carry frames now. */
  changed(): void;
}

interface Grace {
  /** `undefined` for one that an earlier process left: its hops stand as adopted. */
  readonly remote: PeerName | undefined;
  carries: boolean;
  readonly mtu: number | undefined;
  readonly cancel: Cancel;
}

export class Neighbours {
  readonly #options: NeighboursOptions;
  readonly #byPeer = new Map<PeerName, PlacedLink>();
  readonly #byId = new Map<ShortId, PlacedLink>();
  readonly #graced = new Map<ShortId, Grace>();

  constructor(options: NeighboursOptions) {
    this.#options = options;
    const { neighbours = [], hops } = options.datapath.adopted ?? {};
    for (const { shortId, mtu } of neighbours) {
      const carries = hops?.get(shortId)?.kind === "tunnel";
      this.#grace(shortId, { remote: undefined, carries, mtu });
    }
  }

  /** The link that has its place under this id. */
  at(shortId: ShortId): PlacedLink | undefined {
    return this.#byId.get(shortId);
  }

  links(): PlacedLink[] {
    return [...this.#byPeer.values()];
  }

  /** The neighbours through which frames go, graced ones included. */
  carriers(): Map<PeerName, ShortId> {
    const carriers = new Map<PeerName, ShortId>();
    for (const [id, { remote, carries }] of this.#graced) {
      if (carries && remote !== undefined) carriers.set(remote, id);
    }
    for (const placed of this.#byPeer.values()) {
      const { remote, shortId } = placed;
      if (isUsed(placed) && shortId !== undefined) carriers.set(remote, shortId);
      else carriers.delete(remote);
    }
    return carriers;
  }

  /** Takes a link's frames; it replaces an earlier one to the same peer. False: it has failed. */
  add(placed: PlacedLink): boolean {
    const former = this.#byPeer.get(placed.remote);
    const carried = former !== undefined && isUsed(former) ? former.shortId : undefined;
    former?.endTrial?.();
    this.#byPeer.set(placed.remote, placed);
    const isPlaced = this.#place(placed);
    const isEncrypted = placed.encrypted || former?.encrypted;
    const follows = carried !== undefined && carried === placed.shortId && !isEncrypted;
    if (isPlaced && follows) this.#try(placed);
    this.#options.changed();
    return isPlaced;
  }

  carry(placed: PlacedLink, carries: boolean): void {
    placed.carries = carries;
    // From now on the chooser knows what it says.
    if (carries) placed.endTrial?.();
    if (!carries && placed.endTrial === undefined) this.endGrace(placed.remote);
    else if (this.#byPeer.get(placed.remote) === placed) this.#options.changed();
  }

  /** Nothing is to go to this peer in its grace, for there is a better way or it is forbidden. */
  endGrace(remote: PeerName): void {
    for (const grace of this.#graced.values()) if (grace.remote === remote) grace.carries = false;
    this.#options.changed();
  }

  /** Its peer is heard at another address. */
  move(placed: PlacedLink, remoteIp: number, port: number): void {
    placed.remoteIp = remoteIp;
    placed.port = port;
    this.#set(placed);
  }

  /** Other packets fit its path. */
  resize(placed: PlacedLink): void {
    if (this.#byPeer.get(placed.remote) === placed) this.#set(placed);
  }

  remove(placed: PlacedLink): void {
    if (this.#byPeer.get(placed.remote) !== placed) return;
    this.#byPeer.delete(placed.remote);
    const { shortId, remote, encrypted } = placed;
    const carries = isUsed(placed);
    placed.endTrial?.();
    const hasPlace = shortId !== undefined && this.#byId.get(shortId) === placed;
    if (hasPlace) this.#byId.delete(shortId);
    if (hasPlace && !encrypted) this.#grace(shortId, { remote, carries, mtu: mtuOf(placed) });
    this.#options.changed();
    if (hasPlace && encrypted) this.#options.datapath.removeNeighbour(shortId);
  }

  /** Moves whoever has another short id now. Who carries is asked after this. */
  identify(): void {
    for (const placed of this.#byPeer.values()) this.#place(placed);
  }

  stop(): void {
    for (const { cancel } of this.#graced.values()) cancel();
    for (const placed of this.#byPeer.values()) placed.endTrial?.();
  }

  /** False when the datapath cannot serve it. */
  #place(placed: PlacedLink): boolean {
    const former = placed.shortId;
    const id = this.#idFor(placed);
    if (id === former) return true;
    placed.shortId = id;
    if (former !== undefined && this.#byId.get(former) === placed) {
      this.#byId.delete(former);
      if (placed.encrypted) this.#options.datapath.removeNeighbour(former);
      else this.#grace(former, { remote: undefined, carries: false, mtu: undefined });
    }
    return this.#set(placed);
  }

  /** A peer that shares its id with a lower name has none, until it has found another. */
  #idFor({ remote, shortId, announcedId }: PlacedLink): ShortId | undefined {
    const known = this.#options.idOf(remote);
    if (known !== undefined) return known;
    const said = shortId ?? announcedId;
    const owner = said === undefined ? undefined : this.#options.ownerOf(said);
    return owner === undefined || owner === remote ? said : undefined;
  }

  #set(placed: PlacedLink): boolean {
    const { datapath, world } = this.#options;
    const { shortId, localIp, remoteIp, port, encrypted } = placed;
    if (shortId === undefined) return true;
    const grace = this.#graced.get(shortId);
    const isFollower = grace !== undefined && isFollowed(grace, placed);
    if (isFollower) placed.formerMtu = grace.mtu;
    const mtu = mtuOf(placed);
    try {
      const tunnel = { shortId, localIp, remoteIp, port, mtu, encrypted };
      datapath.setNeighbour(tunnel satisfies DatapathNeighbour);
    } catch (thrown) {
      placed.endTrial?.();
      world.log.warn(`fastdp: cannot serve ${formatPeerName(placed.remote)}: ${errorText(thrown)}`);
      placed.events.failed(
        thrown instanceof WeaveError
          ? thrown
          : new WeaveError("FASTDP_NEIGHBOUR", errorText(thrown), { cause: thrown }),
      );
      return false;
    }
    this.#byId.set(shortId, placed);
    grace?.cancel();
    this.#graced.delete(shortId);
    if (isFollower) this.#try(placed);
    return true;
  }

  #try(placed: PlacedLink): void {
    placed.endTrial?.();
    const { world, isLinked, changed } = this.#options;
    let wasLinked = false;
    const judge = (): void => {
      if (wasLinked) {
        placed.endTrial = undefined;
        changed();
        return;
      }
      wasLinked = isLinked(placed.remote);
      cancel = world.after(linkedMs, judge);
    };
    let cancel = world.after(trialMs - linkedMs, judge);
    placed.endTrial = () => {
      placed.endTrial = undefined;
      cancel();
    };
  }

  /** Removes it when its time is over; nothing leads to it then, for who carries is told before. */
  #grace(shortId: ShortId, kept: Omit<Grace, "cancel">): void {
    const cancel = this.#options.world.after(graceMs, () => {
      this.#graced.delete(shortId);
      this.#options.changed();
      this.#options.datapath.removeNeighbour(shortId);
    });
    this.#graced.set(shortId, { ...kept, cancel });
  }
}

/** Whether frames take it, for the chooser says so or it is on trial. */
function isUsed({ carries, endTrial }: PlacedLink): boolean {
  return carries || endTrial !== undefined;
}

/** Whether frames went where this link leads, and may go on doing so. */
function isFollowed({ remote, carries }: Grace, placed: PlacedLink): boolean {
  return carries && !placed.encrypted && (remote ?? placed.remote) === placed.remote;
}

function mtuOf({ link, formerMtu }: PlacedLink): number | undefined {
  return link.mtu.isFound ? link.mtu.limit : (formerMtu ?? link.mtu.limit);
}
