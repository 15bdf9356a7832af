import { type Endpoint, formatEndpoint } from "../base/endpoint.ts";
import { WeaveError } from "../base/errors.ts";
import type { PeerName } from "../base/peer-name.ts";
import { shuffle } from "../base/random.ts";
import type { Cancel, World } from "../base/world.ts";
import type { ConnectionRoom } from "./connection-room.ts";
import { gaveWay } from "./connection-table.ts";
import { DirectPeers, parseDirectPeer } from "./direct-peers.ts";
import { NameLookups, type Resolve } from "./name-lookups.ts";
import type { PeerRecord } from "./peer-record.ts";
import { Redirects } from "./redirects.ts";
import { Target } from "./target.ts";
import { type WantedAddress, wantedAddresses } from "./wanted-addresses.ts";

/** Improvements of the topology within this time cost one search for new addresses. */
const discoveryDelayMs = 50;
/** While they go on, a search begins no earlier than this after the last. */
const discoveryPauseMs = 200;

/**
 * Two peers that hear of each other hear of it at about the same time. The one with the lower name
 * dials at once, the other gives it this long: else half of all connections would be made twice.
 */
export const courtesyDelayMs = 500;
/** In a large cluster the other end may have many to dial, and be busy with it. */
const courtesyPerPeerMs = 100;
export const courtesyMaxMs = 4_000;

/** How often it is asked whether who called us has said who it is; it has ten seconds for that. */
const callerCheckMs = 250;

/** How an attempt goes on. `ended` comes exactly once, at last; the others at most once. */
export interface AttemptEvents {
  /** The remote said who it is, whatever follows. */
  introduced(remote: PeerName): void;
  /** The remote has no room for us, and says where there may be some. */
  redirected(remote: PeerName, elsewhere: readonly Endpoint[]): void;
  connected(remote: PeerName): void;
  ended(error: WeaveError): void;
}

export interface ConnectionMakerPorts {
  /** `acceptUnknown`: whether the remote may be a peer nobody has heard of. */
  dial(to: Endpoint, acceptUnknown: boolean, events: AttemptEvents): void;
  readonly resolve: Resolve;
  /** Whether somebody at `host` called us and has not said yet who it is. */
  isCalledFrom(host: string): boolean;
  readonly room: Pick<ConnectionRoom, "connections" | "free" | "max" | "share">;
  readonly own: PeerRecord;
  records(): readonly PeerRecord[];
  /** The addresses as typed changed: keep them for the next start. @throws WeaveError when it cannot */
  save(texts: readonly string[]): void;
}

/** A target as status shows it. */
export interface TargetStatus {
  readonly address: string;
  readonly state: Target["state"];
  readonly error: WeaveError | undefined;
  /** Monotonic; `undefined` for never. */
  readonly dueAtMs: number | undefined;
}

/**
 * Keeps trying to be connected to every peer that a user named or that others are connected to
 * (mesh-protocol §11). {@link Target} holds the states of one address; here is decided which
 * addresses are wanted, and when each is tried.
 *
 * In a cluster larger than the connection limit every peer looks for as many others as is its share
 * ({@link ConnectionRoom.share}): the least connected first and of equals any, so that all become
 * about equally connected, and never more at a time than there is room for.
 */
export class ConnectionMaker {
  readonly #world: World;
  readonly #ports: ConnectionMakerPorts;
  readonly #options: { readonly discovery: boolean; readonly defaultPort: number };
  readonly #direct = new DirectPeers();
  /** By `ip:port`. */
  readonly #targets = new Map<string, Target>();
  readonly #lookups: NameLookups;
  readonly #redirects = new Redirects();
  #next: { readonly atMs: number; readonly cancel: Cancel } | undefined;
  #searchedAtMs = Number.NEGATIVE_INFINITY;
  #stopped = false;

  constructor(
    world: World,
    ports: ConnectionMakerPorts,
    options: { readonly discovery: boolean; readonly defaultPort: number },
  ) {
    this.#world = world;
    this.#ports = ports;
    this.#options = options;
    this.#lookups = new NameLookups(world, this.#direct, (host, done) => ports.resolve(host, done));
  }

  /** Addresses as typed. */
  get directTexts(): string[] {
    return this.#direct.texts;
  }

  /** Adds peers, or with `replace` exchanges all; tries them at once. Returns what was refused. */
  connect(texts: readonly string[], options: { readonly replace: boolean }): WeaveError[] {
    const refused: WeaveError[] = [];
    if (options.replace) this.#direct.clear();
    for (const text of texts) {
      try {
        this.#direct.add(parseDirectPeer(text, this.#options.defaultPort));
      } catch (error) {
        if (!(error instanceof WeaveError)) throw error;
        refused.push(error);
      }
    }
    this.#renew(new Set(texts));
    this.check();
    try {
      this.#ports.save(this.directTexts);
    } catch (error) {
      if (!(error instanceof WeaveError)) throw error;
      refused.push(error);
    }
    return refused;
  }

  /** Peers are no longer tried; connections to them stay. @throws WeaveError when that cannot be kept */
  forget(texts: readonly string[]): void {
    for (const text of texts) this.#direct.delete(text);
    this.check();
    this.#ports.save(this.directTexts);
  }

  /** Tries addresses that nobody may ask for, at once and once. */
  dialOnce(endpoints: readonly Endpoint[]): void {
    const direct = this.#directAddresses();
    const nothing = (): void => {};
    for (const endpoint of endpoints) {
      if (direct.has(formatEndpoint(endpoint)) || this.#ports.room.free() === 0) continue;
      const events = { introduced: nothing, redirected: nothing, connected: nothing };
      this.#ports.dial(endpoint, true, { ...events, ended: nothing });
    }
  }

  /** There is less or other to wish for, maybe for many reasons at once. */
  checkSoon(): void {
    const nowMs = this.#world.monotonicMs();
    this.#schedule(Math.max(nowMs + discoveryDelayMs, this.#searchedAtMs + discoveryPauseMs));
  }

  /** Connections or wishes changed. */
  check(): void {
    if (this.#stopped) return;
    this.#searchedAtMs = this.#world.monotonicMs();
    for (const atMs of this.#lookups.check(() => this.check())) this.#schedule(atMs);
    const wanted = this.#wanted();
    this.#reviseTargets(wanted);
    if (this.#ports.room.free() > 0) this.#attemptDue(wanted);
  }

  targets(): TargetStatus[] {
    const rows = [...this.#targets.values(), ...this.#lookups.pending];
    return rows.map(({ endpoint, state, error, dueAtMs }) => ({
      address: formatEndpoint(endpoint),
      state,
      error,
      dueAtMs,
    }));
  }

  stop(): void {
    this.#stopped = true;
    this.#next?.cancel();
    this.#lookups.stop();
  }

  #renew(texts: ReadonlySet<string>): void {
    const nowMs = this.#world.monotonicMs();
    for (const peer of this.#direct) {
      if (!texts.has(peer.text)) continue;
      this.#lookups.renew(peer.host);
      for (const endpoint of this.#direct.endpoints(peer)) {
        this.#targets.get(formatEndpoint(endpoint))?.renew(nowMs);
      }
    }
  }

  #wanted(): Map<string, WantedAddress> {
    const records = this.#ports.records();
    this.#redirects.forget(records);
    const { room, own } = this.#ports;
    const wanted = wantedAddresses({
      ...this.#options,
      discovery: this.#options.discovery && room.connections < room.share(this.#others),
      direct: this.#direct,
      elsewhere: this.#redirects.endpoints(),
      records,
      own,
      seemsInVain: (address) => this.#targets.get(address)?.seemsInVain === true,
    });
    // An address that led to a neighbour would only make a second connection to it, and one of the
    // two would have to go. `connect` makes us look again.
    for (const address of wanted.keys()) {
      const remote = this.#targets.get(address)?.remote;
      if (remote !== undefined && own.links.has(remote)) wanted.delete(address);
    }
    return wanted;
  }

  #reviseTargets(wanted: ReadonlyMap<string, WantedAddress>): void {
    const direct = this.#directAddresses();
    for (const [address, target] of this.#targets) {
      if (wanted.has(address)) {
        if (target.state === "suspended") target.state = "waiting";
      } else if (target.state === "waiting" || target.state === "suspended") {
        if (direct.has(address)) target.state = "suspended";
        else this.#targets.delete(address);
      }
    }
    const nowMs = this.#world.monotonicMs();
    const courtesyMs = this.#courtesyMs();
    for (const [address, { endpoint, remote }] of wanted) {
      if (this.#targets.has(address)) continue;
      const isTheirTurn = remote !== undefined && remote < this.#ports.own.name;
      const dueAtMs = nowMs + (isTheirTurn ? courtesyMs : 0);
      this.#targets.set(address, new Target(endpoint, dueAtMs));
    }
  }

  #attemptDue(wanted: ReadonlyMap<string, WantedAddress>): void {
    const nowMs = this.#world.monotonicMs();
    const { room } = this.#ports;
    const share = room.share(this.#others);
    for (const [address, { remote }] of this.#inOrder(wanted)) {
      const target = this.#targets.get(address);
      if (target?.state !== "waiting" || target.dueAtMs === undefined) continue;
      if (target.dueAtMs > nowMs) this.#schedule(target.dueAtMs);
      else if (remote !== undefined && this.#ports.isCalledFrom(target.endpoint.host)) {
        // Most likely it is the very peer, and busy: a second connection would have to go.
        this.#schedule(nowMs + callerCheckMs);
      }
      // Whoever finds no room here comes again when an attempt or a connection is over.
      else if (room.free(remote === undefined ? room.max : share) > 0) {
        this.#attempt(address, target);
      }
    }
  }

  /** Whom the user named comes first; of those who were found, if not all, the least connected. */
  #inOrder(wanted: ReadonlyMap<string, WantedAddress>): Iterable<readonly [string, WantedAddress]> {
    if (this.#others <= this.#ports.room.max) return wanted;
    const connections = new Map<PeerName, number>();
    for (const { name, links } of this.#ports.records()) connections.set(name, links.size);
    const rank = ({ remote }: WantedAddress): number =>
      remote === undefined ? -1 : (connections.get(remote) ?? 0);
    const entries = shuffle(this.#world.random, [...wanted]);
    return entries.sort(([, a], [, b]) => rank(a) - rank(b));
  }

  /** How long to wait for the other end to dial, which where there are many dials somebody else. */
  #courtesyMs(): number {
    const others = this.#others;
    if (others > this.#ports.room.max) return 0;
    return Math.min(courtesyDelayMs + courtesyPerPeerMs * (others - 1), courtesyMaxMs);
  }

  get #others(): number {
    return this.#ports.records().length - 1;
  }

  /** Dials, after resolving again the names that led to this address. */
  #attempt(address: string, target: Target): void {
    target.state = "attempting";
    const names = this.#direct.namesOf(target.endpoint);
    if (names.size === 0) {
      this.#dial(address, target);
      return;
    }
    this.#lookups.refresh(names, () => {
      target.state = "waiting";
      if (this.#wanted().has(address)) this.#dial(address, target);
      this.check();
    });
  }

  #dial(address: string, target: Target): void {
    target.state = "attempting";
    const known = this.#directAddresses().has(address) || this.#redirects.has(address);
    this.#world.log.info(`->[${address}] attempting connection`);
    this.#ports.dial(target.endpoint, known, {
      introduced: (remote) => {
        target.remote = remote;
      },
      redirected: (remote, elsewhere) => {
        if (this.#options.discovery) this.#redirects.add(remote, elsewhere);
      },
      connected: (remote) => {
        target.connected(remote);
      },
      ended: (error) => {
        if (target.state === "attempting") {
          this.#world.log.info(`->[${address}] error during connection attempt: ${error.message}`);
        }
        target.ended(error, this.#world.monotonicMs(), this.#world.random);
        // Another connection to that peer is about to be added, unless it is already.
        if (gaveWay(error)) this.checkSoon();
        else this.check();
      },
    });
  }

  #directAddresses(): Set<string> {
    const endpoints = [...this.#direct].flatMap((peer) => this.#direct.endpoints(peer));
    return new Set(endpoints.map(formatEndpoint));
  }

  #schedule(atMs: number): void {
    if (this.#stopped || (this.#next !== undefined && this.#next.atMs <= atMs)) return;
    this.#next?.cancel();
    const cancel = this.#world.after(atMs - this.#world.monotonicMs(), () => {
      this.#next = undefined;
      this.check();
    });
    this.#next = { atMs, cancel };
  }
}
