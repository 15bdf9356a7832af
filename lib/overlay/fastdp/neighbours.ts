import { errorText, WeaveError } from "../../base/errors.ts";
import { formatPeerName, type PeerName } from "../../base/peer-name.ts";
import type { Cancel, World } from "../../base/world.ts";
import type { EngineLinkEvents } from "../engine.ts";
import { graceMs } from "./grace.ts";
import type { FastdpLink } from "./link.ts";
import type { DatapathNeighbour, KernelDatapath, ShortId } from "./ports.ts";

/** A confirmed link, and where in the datapath it has its place. */
export interface PlacedLink {
  readonly remote: PeerName;
  readonly link: Pick<FastdpLink, "heard" | "confirm" | "stop">;
  readonly events: Pick<EngineLinkEvents, "failed">;
  /** As the peer introduced itself; what the topology says later counts more. */
  readonly announcedId: ShortId | undefined;
  readonly localIp: number;
  remoteIp: number;
  port: number;
  /** Its place; `undefined` as long as it has none. */
  shortId: ShortId | undefined;
  /** Whether the chooser wants frames to take it. */
  carries: boolean;
  /** Whether its frames are encrypted: then there is no grace, in which they might not be. */
  readonly encrypted: boolean;
}

/**
 * Which neighbours a datapath knows: the confirmed links, each under the short id of its peer.
 *
 *   add ──▶ placed ──remove──▶ graced ──▶ gone      in its grace it carries as before: only the
 *             ▲                  │                  peer's router may be gone, not its datapath
 *             └─────── add ──────┘
 *
 * Those that an earlier process left have grace from the start.
 */
export interface NeighboursOptions {
  readonly world: Pick<World, "after" | "log">;
  readonly datapath: Pick<KernelDatapath, "adopted" | "setNeighbour" | "removeNeighbour">;
  idOf(peer: PeerName): ShortId | undefined;
  ownerOf(shortId: ShortId): PeerName | undefined;
  /** Other neighbours carry frames now. */
  changed(): void;
}

interface Grace {
  /** `undefined` for one that an earlier process left. */
  readonly remote: PeerName | undefined;
  carries: boolean;
  readonly cancel: Cancel;
}

export class Neighbours {
  readonly #options: NeighboursOptions;
  readonly #byPeer = new Map<PeerName, PlacedLink>();
  readonly #byId = new Map<ShortId, PlacedLink>();
  readonly #graced = new Map<ShortId, Grace>();

  constructor(options: NeighboursOptions) {
    this.#options = options;
    for (const { shortId } of options.datapath.adopted?.neighbours ?? []) {
      this.#grace(shortId, undefined, false);
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
    for (const { remote, shortId, carries } of this.#byPeer.values()) {
      if (carries && shortId !== undefined) carriers.set(remote, shortId);
      else carriers.delete(remote);
    }
    return carriers;
  }

  /** Takes a link's frames; it replaces an earlier one to the same peer. False: it has failed. */
  add(placed: PlacedLink): boolean {
    this.#byPeer.set(placed.remote, placed);
    const isPlaced = this.#place(placed);
    this.#options.changed();
    return isPlaced;
  }

  carry(placed: PlacedLink, carries: boolean): void {
    placed.carries = carries;
    if (!carries) this.endGrace(placed.remote);
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

  remove(placed: PlacedLink): void {
    if (this.#byPeer.get(placed.remote) !== placed) return;
    this.#byPeer.delete(placed.remote);
    const { shortId, remote, carries, encrypted } = placed;
    const hasPlace = shortId !== undefined && this.#byId.get(shortId) === placed;
    if (hasPlace) this.#byId.delete(shortId);
    if (hasPlace && !encrypted) this.#grace(shortId, remote, carries);
    this.#options.changed();
    if (hasPlace && encrypted) this.#options.datapath.removeNeighbour(shortId);
  }

  /** Moves whoever has another short id now. Who carries is asked after this. */
  identify(): void {
    for (const placed of this.#byPeer.values()) this.#place(placed);
  }

  stop(): void {
    for (const { cancel } of this.#graced.values()) cancel();
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
      else this.#grace(former, undefined, false);
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
    const { shortId, localIp, remoteIp, port } = placed;
    if (shortId === undefined) return true;
    try {
      datapath.setNeighbour({ shortId, localIp, remoteIp, port } satisfies DatapathNeighbour);
    } catch (thrown) {
      world.log.warn(`fastdp: cannot serve ${formatPeerName(placed.remote)}: ${errorText(thrown)}`);
      placed.events.failed(
        thrown instanceof WeaveError
          ? thrown
          : new WeaveError("FASTDP_NEIGHBOUR", errorText(thrown), { cause: thrown }),
      );
      return false;
    }
    this.#byId.set(shortId, placed);
    this.#graced.get(shortId)?.cancel();
    this.#graced.delete(shortId);
    return true;
  }

  /** Removes it when its time is over; nothing leads to it then, for who carries is told before. */
  #grace(shortId: ShortId, remote: PeerName | undefined, carries: boolean): void {
    const cancel = this.#options.world.after(graceMs, () => {
      this.#graced.delete(shortId);
      this.#options.changed();
      this.#options.datapath.removeNeighbour(shortId);
    });
    this.#graced.set(shortId, { remote, carries, cancel });
  }
}
