import type { LinkTraffic } from "../../base/overlay.ts";

/** What one link has done. Whole numbers that only grow; octets of frames count Ethernet headers. */
export interface LinkCounters {
  framesOut: number;
  frameOctetsOut: number;
  datagramsOut: number;
  datagramOctetsOut: number;
  framesIn: number;
  frameOctetsIn: number;
  datagramsIn: number;
  datagramOctetsIn: number;
  /** IPv4 fragments that we made of frames too big for the path. */
  fragmentsOut: number;
  /** Senders that we told their packets are too big. */
  tooBigReplies: number;
  /** Packets too big whose senders were not told, because too many were already. */
  dropTooBigSilently: number;

  /** Frames for a peer whose UDP address is not known yet. */
  dropNoAddress: number;
  /** Flooded frames with DF above the MTU. */
  dropBroadcastTooBig: number;
  /** Frames that no datagram holds. */
  dropOversized: number;
  /** Frames whose IP header lies about their length, or that cannot be divided. */
  dropIndivisible: number;
  /** Datagrams that the socket and then our backlog had no room for. */
  dropBacklogFull: number;
  /** Datagrams that the kernel refused as larger than the path MTU. */
  sendTooBig: number;
  /** Datagrams lost to any other send error. */
  sendErrors: number;

  /** Datagrams cut off before the records began, within one, or with octets left over. */
  datagramFaults: number;
  /** Datagrams that did not authenticate; normal while a connection is replaced. */
  decryptFailures: number;
  /** Datagrams under a key that is not expected now, as when an engine was started anew. */
  unknownEpochs: number;
  replays: number;
  /** Frames from or for a peer that the topology does not know. */
  dropUnknownPeer: number;
  /** Frames shorter than an Ethernet header. */
  dropRunt: number;
  /** Special frames that are not for this link, spoilt, or above the rate we answer. */
  specialIgnored: number;
}

export function newLinkCounters(): LinkCounters {
  return {
    framesOut: 0,
    frameOctetsOut: 0,
    datagramsOut: 0,
    datagramOctetsOut: 0,
    framesIn: 0,
    frameOctetsIn: 0,
    datagramsIn: 0,
    datagramOctetsIn: 0,
    fragmentsOut: 0,
    tooBigReplies: 0,
    dropTooBigSilently: 0,
    dropNoAddress: 0,
    dropBroadcastTooBig: 0,
    dropOversized: 0,
    dropIndivisible: 0,
    dropBacklogFull: 0,
    sendTooBig: 0,
    sendErrors: 0,
    datagramFaults: 0,
    decryptFailures: 0,
    unknownEpochs: 0,
    replays: 0,
    dropUnknownPeer: 0,
    dropRunt: 0,
    specialIgnored: 0,
  };
}

/** The frames of containers among them: heartbeats and tests of the path are not counted as frames. */
export function trafficOf(counters: LinkCounters): LinkTraffic {
  return {
    sentPackets: counters.framesOut,
    sentBytes: counters.frameOctetsOut,
    receivedPackets: counters.framesIn,
    receivedBytes: counters.frameOctetsIn,
  };
}

/** Adds every count of `more` to `total`. */
export function addLinkCounters(total: LinkCounters, more: LinkCounters): void {
  for (const name of Object.keys(more) as (keyof LinkCounters)[]) total[name] += more[name];
}

/** What the host as a whole has done, besides the sum of its links. */
export interface EngineCounters {
  framesCaptured: number;
  framesInjected: number;
  /** Captured frames shorter than an Ethernet header. */
  dropRunt: number;
  dropSpanningTree: number;
  dropMacConflict: number;
  /** Frames between two containers of this host. */
  dropDestinationLocal: number;
  dropNoRoute: number;
  /** Frames that a stale view of the topology would have sent back where they came from. */
  dropWouldReturn: number;
  /** Frames of a kernel datapath that does not say whose they are. */
  dropUnmarked: number;
  /** Frames from or for a peer that a kernel datapath cannot name. */
  dropNoShortId: number;
  /** Frames whose next hop has no sleeve link. */
  dropNoLink: number;
  /** Frames that came back to the peer that captured them. */
  ownFramesReceived: number;
  /** Datagrams from nobody we have a confirmed link with. */
  datagramsFromStrangers: number;
}

export function newEngineCounters(): EngineCounters {
  return {
    framesCaptured: 0,
    framesInjected: 0,
    dropRunt: 0,
    dropSpanningTree: 0,
    dropMacConflict: 0,
    dropDestinationLocal: 0,
    dropNoRoute: 0,
    dropWouldReturn: 0,
    dropUnmarked: 0,
    dropNoShortId: 0,
    dropNoLink: 0,
    ownFramesReceived: 0,
    datagramsFromStrangers: 0,
  };
}
