import { type Endpoint, formatEndpoint } from "../base/endpoint.ts";
import { WeaveError } from "../base/errors.ts";
import type { Overlay } from "../base/overlay.ts";
import { formatPeerName, type PeerName } from "../base/peer-name.ts";
import type { Cancel, World } from "../base/world.ts";
import { Admission } from "./admission.ts";
import {
  Connection,
  type ConnectionConfig,
  type ConnectionEvents,
  type DeliveredMessage,
} from "./connection.ts";
import type { AttemptEvents } from "./connection-maker.ts";
import { ConnectionRoom } from "./connection-room.ts";
import { ConnectionTable, limitReachedCode } from "./connection-table.ts";
import { GossipTally } from "./gossip-tally.ts";
import { HalfOpen } from "./half-open.ts";
import { Neighbour } from "./neighbour.ts";
import { newRecord } from "./peer-record.ts";
import type { Peers } from "./peers.ts";
import type { OutgoingMessage } from "./protocol-message.ts";
import { dialable, parseRedirect, remoteFull } from "./redirect.ts";
import type { ByteStream, Transport } from "./transport.ts";

/** What the mesh does about its links. */
export interface LinkEvents {
  /** Registered and ready to send, before any message of it is delivered. */
  added(neighbour: Neighbour, restarted: boolean): void;
  established(neighbour: Neighbour): void;
  /** A registered link is gone. */
  removed(neighbour: Neighbour, error: WeaveError): void;
  /** Somebody introduced itself and was refused: nothing may lead to it. */
  refused(): void;
  message(neighbour: Neighbour, message: DeliveredMessage): void;
  /** Gossip goes on its way to a neighbour. */
  sent(to: PeerName, message: OutgoingMessage): void;
}

export interface LinksPorts {
  readonly transport: Transport;
  readonly overlay: Overlay;
  readonly peers: Peers;
  readonly passwordSet: boolean;
  readonly connectionLimit: number;
  /** Where peers listen unless an address says otherwise. */
  readonly defaultPort: number;
  /** As it is to be announced on a connection that begins now. */
  config(): ConnectionConfig;
}

/**
 * Every TCP connection of this peer, from dialling or accepting to its end (mesh-protocol §7.1).
 *
 *   dialled, accepted ──▶ introducing ──▶ judged ──▶ neighbour ──▶ established
 *           └─────────────────┴──────────────┴───────────┴─────────────┴──▶ closed
 */
export class Links {
  readonly table: ConnectionTable<Neighbour>;
  readonly room: ConnectionRoom;
  readonly tally = new GossipTally();
  readonly #world: World;
  readonly #ports: LinksPorts;
  readonly #events: LinkEvents;
  readonly #admission: Admission;
  readonly #halfOpen = new HalfOpen();
  readonly #dials = new Set<Cancel>();
  /** Connections that are open, with what an attempt of ours wants to know of them. */
  readonly #open = new Map<Connection, OpenConnection>();
  #terminations = 0;
  /** Set when another process takes our place. */
  #deserted: (() => void) | undefined;

  constructor(world: World, ports: LinksPorts, events: LinkEvents) {
    this.#world = world;
    this.#ports = ports;
    this.#events = events;
    this.table = new ConnectionTable(ports.connectionLimit);
    this.room = new ConnectionRoom(ports.connectionLimit, () => this.table.size);
    this.#admission = new Admission(world, { ...ports, table: this.table, room: this.room });
  }

  /** Connections that ended since the start, those to ourselves not counted. */
  get terminations(): number {
    return this.#terminations;
  }

  dial(to: Endpoint, acceptUnknown: boolean, attempt: AttemptEvents): void {
    const release = this.room.reserve(to.host);
    const cancel = this.#ports.transport.dial(to, {
      opened: (stream) => {
        this.#dials.delete(cancel);
        this.#start(stream, true, { acceptUnknown, attempt, release });
      },
      failed: (error) => {
        this.#dials.delete(cancel);
        release();
        attempt.ended(error);
      },
    });
    this.#dials.add(cancel);
  }

  accepted(stream: ByteStream): void {
    this.#world.log.info(`->[${formatEndpoint(stream.remote)}] connection accepted`);
    this.#halfOpen.add(this.#start(stream, false, { acceptUnknown: true }));
  }

  /** How many have called us and not said yet who they are. */
  get callers(): number {
    return this.#halfOpen.size;
  }

  /** Whether somebody at `host` called us and has not said yet who it is. */
  isCalledFrom(host: string): boolean {
    return this.#halfOpen.hasFrom(host);
  }

  /**
   * From now on connections that end tell nobody: a process that comes after this one has new ones.
   * Peers that would take those for rivals are left at once. `deserted` is called when none is open.
   */
  suspend(deserted: () => void): void {
    this.#deserted = deserted;
    for (const cancel of this.#dials) cancel();
    this.#dials.clear();
    for (const { connection, lossMeter } of [...this.table]) {
      lossMeter?.stop();
      if (connection.extensions.size === 0) connection.close(handedOver());
    }
    if (this.#open.size === 0) deserted();
  }

  /** Where the neighbours listen, as far as this end can know. */
  get addresses(): Endpoint[] {
    const places = [...this.table].map(({ link }) => dialable(link, this.#ports.defaultPort));
    return places.filter((place) => place !== undefined);
  }

  /** Closes everything after flushing it; after {@link suspend} that is for the peers to do. */
  stop(error: WeaveError): void {
    if (this.#deserted !== undefined) return;
    for (const cancel of this.#dials) cancel();
    this.#dials.clear();
    for (const connection of [...this.#open.keys()]) connection.close(error);
  }

  #start(stream: ByteStream, outbound: boolean, open: OpenConnection): Connection {
    const events: ConnectionEvents = {
      introduced: (connection) => this.#introduced(connection, open),
      message: (_, message) => {
        if (open.neighbour === undefined) return;
        this.tally.received(message);
        this.#events.message(open.neighbour, message);
      },
      drained: () => open.neighbour?.sender.pump(),
      closed: (connection, error) => this.#closed(connection, open, error),
    };
    const config = { ...this.#ports.config(), ...(!outbound && this.#judging(stream)) };
    const connection = new Connection(this.#world, stream, outbound, config, events);
    this.#open.set(connection, open);
    connection.start();
    return connection;
  }

  /** Judges a remote before it hears who we are, where there may be no room for it by then. */
  #judging({ remote: { host } }: ByteStream): Pick<ConnectionConfig, "admission"> {
    if (this.#open.size + this.#dials.size < this.room.max) return {};
    return { admission: (remote) => this.#admission.turnAway(remote, host) };
  }

  #introduced(connection: Connection, open: OpenConnection): void {
    this.#halfOpen.remove(connection);
    open.attempt?.introduced(connection.remote.name);
    if (this.#turnedAway(connection, open)) return;
    const { name } = connection.remote;
    const neighbour = new Neighbour(
      this.#world,
      connection,
      this.#ports.config().self,
      (message) => {
        this.tally.sent(message);
        this.#events.sent(name, message);
      },
    );
    try {
      const restarted = this.#meet(neighbour, open);
      this.#prepareOverlay(neighbour);
      if (!this.#open.has(connection)) return;
      this.#compete(neighbour);
      this.#add(neighbour, open, restarted);
    } catch (error) {
      if (!(error instanceof WeaveError)) throw error;
      connection.close(error);
    }
  }

  /** Whether the remote has no room for us, and says so; then it closes as we do. */
  #turnedAway(connection: Connection, { attempt }: OpenConnection): boolean {
    if (attempt === undefined || !connection.extensions.has("redirects")) return false;
    const redirect = parseRedirect(connection.remote.features);
    if (redirect === undefined) return false;
    attempt.redirected(connection.remote.name, redirect.elsewhere);
    connection.close(remoteFull(redirect));
    return true;
  }

  /** Finds or makes the peer's record; true when it is of a former incarnation. */
  #meet(neighbour: Neighbour, open: OpenConnection): boolean {
    const { peers } = this.#ports;
    const { name, uid, shortId, nickname } = neighbour.connection.remote;
    const known = peers.get(name);
    if (known === undefined && !open.acceptUnknown) {
      const address = formatEndpoint(neighbour.connection.remoteAddress);
      throw new WeaveError(
        "REMOTE_UNKNOWN",
        `Found unknown remote name: ${formatPeerName(name)} at ${address}`,
      );
    }
    peers.introduce(newRecord({ name, nickname, uid, shortId }));
    peers.pin(name);
    open.neighbour = neighbour;
    return known !== undefined && known.uid !== uid;
  }

  #prepareOverlay(neighbour: Neighbour): void {
    const { overlay, passwordSet } = this.#ports;
    const self = this.#ports.config().self;
    const parameters = neighbour.overlayParameters(self, passwordSet, {
      now: () => this.#world.now(),
      established: () => this.#established(neighbour),
      failed: (error) => neighbour.connection.close(error),
    });
    neighbour.overlay = overlay.prepare(parameters);
    // It may have failed at once, and then nobody else stops it.
    if (!this.#open.has(neighbour.connection)) neighbour.overlay.stop();
  }

  /** One connection for each peer: this one, or the one that we have. */
  #compete(neighbour: Neighbour): void {
    const { refused, closes } = this.table.judge(neighbour);
    closes?.entry.connection.close(closes.error);
    if (refused === undefined) return;
    const { name, connection } = neighbour;
    const isForLimit = refused.code === limitReachedCode && !connection.outbound;
    const dispensable = isForLimit
      ? this.#admission.dispensable(name, connection.extensions.has("redirects"))
      : undefined;
    if (dispensable === undefined) throw refused;
    dispensable.connection.close(madeRoom(name));
  }

  #add(neighbour: Neighbour, open: OpenConnection, restarted: boolean): void {
    const { connection } = neighbour;
    this.table.add(neighbour);
    open.release?.();
    open.attempt?.connected(neighbour.name);
    const isNew = this.#ports.peers.get(neighbour.name)?.version === 0n;
    const note = restarted ? " (restarted peer)" : isNew ? " (new peer)" : "";
    this.#world.log.info(`${connection.label} connection added${note}`);
    this.#events.added(neighbour, restarted);
    if (this.#open.has(connection)) neighbour.overlay?.confirm();
    if (this.#open.has(connection)) connection.accept();
  }

  #established(neighbour: Neighbour): void {
    if (this.table.get(neighbour.name) !== neighbour || neighbour.established) return;
    neighbour.established = true;
    neighbour.measureLoss(this.#world);
    this.#world.log.info(`${neighbour.connection.label} connection fully established`);
    this.#events.established(neighbour);
  }

  #closed(connection: Connection, open: OpenConnection, error: WeaveError): void {
    const { neighbour, attempt, release } = open;
    this.#open.delete(connection);
    if (this.#deserted !== undefined) {
      if (this.#open.size === 0) this.#deserted();
      return;
    }
    release?.();
    this.#halfOpen.remove(connection);
    if (error.code !== "CONNECT_SELF") this.#terminations++;
    if (neighbour !== undefined) this.#leave(neighbour, error);
    attempt?.ended(error);
  }

  #leave(neighbour: Neighbour, error: WeaveError): void {
    this.#ports.peers.unpin(neighbour.name);
    neighbour.overlay?.stop();
    neighbour.lossMeter?.stop();
    if (!this.table.remove(neighbour)) {
      this.#events.refused();
      return;
    }
    this.#world.log.info(`${neighbour.connection.label} connection deleted`);
    this.#events.removed(neighbour, error);
  }
}

/** An open connection on its way. */
interface OpenConnection {
  /** Whether the remote may be a peer nobody has heard of. */
  readonly acceptUnknown: boolean;
  /** Missing for an accepted connection. */
  readonly attempt?: AttemptEvents;
  /** Gives up the place that was kept for the attempt; harmless when it is taken already. */
  readonly release?: Cancel;
  /** Set once the remote is known and its record pinned. */
  neighbour?: Neighbour;
}

function handedOver(): WeaveError {
  return new WeaveError("HANDED_OVER", "another process of this peer takes over");
}

function madeRoom(name: PeerName): WeaveError {
  const text = `connection given up for ${formatPeerName(name)}, which has fewer`;
  return new WeaveError("MADE_ROOM", text);
}
