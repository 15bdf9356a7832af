import { formatEndpoint } from "../base/endpoint.ts";
import { assert } from "../base/errors.ts";
import type { OverlayLink, OverlayLinkParameters } from "../base/overlay.ts";
import type { PeerName } from "../base/peer-name.ts";
import type { World } from "../base/world.ts";
import type { Connection } from "./connection.ts";
import type { TableEntry } from "./connection-table.ts";
import type { GossipNeighbour } from "./gossip-router.ts";
import { type GossipLink, GossipSender } from "./gossip-sender.ts";
import { LossMeter } from "./loss-meter.ts";
import { NeighbourClock } from "./neighbour-clock.ts";
import type { PeerLink } from "./peer-record.ts";
import type { ControlTag, OutgoingMessage } from "./protocol-message.ts";

/** An introduced connection with what rides on it: gossip and an overlay link. */
export class Neighbour implements TableEntry, GossipNeighbour {
  readonly connection: Connection;
  readonly sender: GossipSender;
  readonly clock: NeighbourClock;
  /** Missing until the overlay prepared it. */
  overlay: OverlayLink | undefined;
  /** Frames reach the peer over the overlay. */
  established = false;
  /** With a peer that measures as well, while frames reach it. */
  lossMeter: LossMeter | undefined;

  /** `sent` hears of all gossip that goes to it. */
  constructor(
    world: Pick<World, "now" | "monotonicMs">,
    connection: Connection,
    self: PeerName,
    sent: (message: OutgoingMessage) => void,
  ) {
    this.connection = connection;
    const link = watchedLink(connection, sent);
    const compares = connection.extensions.has("digests");
    this.sender = new GossipSender(link, self, compares ? world : undefined);
    this.clock = new NeighbourClock(world);
  }

  get name(): PeerName {
    return this.connection.remote.name;
  }

  get peerUid(): bigint {
    return this.connection.remote.uid;
  }

  get uid(): bigint {
    return this.connection.uid;
  }

  /** What our record claims of it. */
  get link(): PeerLink {
    const { remoteAddress, outbound } = this.connection;
    return { address: formatEndpoint(remoteAddress), outbound, established: this.established };
  }

  /** Begins to measure how many frames get lost between both, if the peer does so too. */
  measureLoss(world: World): void {
    const { connection, overlay } = this;
    if (overlay?.frameCounts === undefined || !connection.extensions.has("link-counts")) return;
    this.lossMeter = new LossMeter(world, {
      counts: () => overlay.frameCounts?.() ?? [],
      send: (body) => connection.send({ kind: "linkCounts", body }),
    });
  }

  /** What the overlay has to know. */
  overlayParameters(
    local: PeerName,
    passwordSet: boolean,
    events: Pick<OverlayLinkParameters, "now" | "established" | "failed">,
  ): OverlayLinkParameters {
    const { connection } = this;
    return {
      local,
      remote: this.name,
      connectionUid: this.uid,
      outbound: connection.outbound,
      localAddress: connection.localAddress,
      remoteAddress: connection.remoteAddress,
      sessionKey: connection.overlayKey,
      passwordSet,
      remoteFeatures: connection.remote.features,
      extensions: connection.extensions,
      send(tag, body) {
        assert(isControlTag(tag), `tag ${tag} belongs to overlays`);
        connection.send({ kind: "control", tag, body });
      },
      ...events,
    };
  }
}

function watchedLink(connection: Connection, sent: (message: OutgoingMessage) => void): GossipLink {
  return {
    get backlogBytes() {
      return connection.backlogBytes;
    },
    send(message) {
      const isSent = connection.send(message);
      if (isSent) sent(message);
      return isSent;
    },
  };
}

function isControlTag(tag: number): tag is ControlTag {
  return tag === 1 || tag === 2 || tag === 3 || tag === 7;
}
