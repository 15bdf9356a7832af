import { equalBytes } from "../base/bytes.ts";
import { WeaveError } from "../base/errors.ts";
import type { GossipData, Gossiper } from "../base/gossip.ts";
import { formatPeerName, type PeerName } from "../base/peer-name.ts";
import type { PeerRecord } from "./peer-record.ts";
import type { AppliedUpdate, Peers } from "./peers.ts";
import { decodeTopology, encodeTopologyPayloads } from "./topology-codec.ts";
import { TopologyComparison } from "./topology-comparison.ts";

/** The channel on which the mesh itself talks. */
export const topologyChannel = "topology";

/** From so many records on it is worth to ask first what a neighbour lacks of them. */
export const bulkyRecordsMin = 8;

/** The owner of channel `topology`: keeps the records of all peers in step (mesh-protocol §8). */
export class TopologyChannel implements Gossiper {
  readonly comparison: TopologyComparison;
  readonly #peers: Peers;
  readonly #applied: (update: AppliedUpdate, from: PeerName) => void;
  readonly #encoder: RecordEncoder;

  /** `applied` hears of every update that decodes, with the peer that sent it. */
  constructor(peers: Peers, applied: (update: AppliedUpdate, from: PeerName) => void) {
    this.#peers = peers;
    this.#applied = applied;
    this.#encoder = new RecordEncoder(peers);
    this.comparison = new TopologyComparison(peers, (names) => this.records(names));
  }

  onUnicast(from: PeerName): void {
    const text = `unexpected topology unicast from ${formatPeerName(from)}`;
    throw new WeaveError("TOPOLOGY_UNICAST", text);
  }

  /** Passes on everything that was described, as it is known now. */
  onBroadcast(origin: PeerName, payload: Uint8Array): GossipData | undefined {
    return this.records(this.#apply(origin, payload).mentioned);
  }

  /** Passes on what was new. */
  onGossip(from: PeerName, payload: Uint8Array): GossipData | undefined {
    // At rest all peers say the same, and most of the periodic gossip need not be decoded.
    if (this.#encoder.holds(payload)) return undefined;
    return this.records(this.#apply(from, payload).improved);
  }

  full(): GossipData {
    return new RecordsOf(this.#encoder, "all");
  }

  /** The records of `names` as they will be when sent; `undefined` for none. */
  records(names: ReadonlySet<PeerName>): GossipData | undefined {
    return names.size === 0 ? undefined : new RecordsOf(this.#encoder, names);
  }

  #apply(from: PeerName, payload: Uint8Array): AppliedUpdate {
    const { records, skipped } = decodeTopology(payload);
    const update = this.#peers.apply(records);
    const refusals =
      skipped === 0
        ? update.refusals
        : [...update.refusals, `${skipped} names that do not have six octets`];
    this.#applied({ ...update, refusals }, from);
    return update;
  }
}

interface Encoded {
  readonly generation: number;
  readonly payloads: readonly Uint8Array[];
}

/** Encodes records as they are now; the whole topology, which goes to many, once for each change. */
class RecordEncoder {
  readonly #peers: Peers;
  #whole: Encoded | undefined;

  constructor(peers: Peers) {
    this.#peers = peers;
  }

  /** Whether what was encoded is still what would be encoded. */
  isFresh(encoded: Encoded | undefined): encoded is Encoded {
    return encoded?.generation === this.#peers.generation;
  }

  /** Whether `payload` is what we would say ourselves, as far as that is encoded already. */
  holds(payload: Uint8Array): boolean {
    const whole = this.#whole;
    return this.isFresh(whole) && whole.payloads.some((ours) => equalBytes(ours, payload));
  }

  some(names: ReadonlySet<PeerName>): Encoded {
    const records: PeerRecord[] = [];
    for (const name of names) {
      const record = this.#peers.get(name);
      if (record !== undefined) records.push(record);
    }
    return this.#encode(records);
  }

  all(): Encoded {
    if (!this.isFresh(this.#whole)) this.#whole = this.#encode(this.#peers.records());
    return this.#whole;
  }

  #encode(records: readonly PeerRecord[]): Encoded {
    return { generation: this.#peers.generation, payloads: encodeTopologyPayloads(records) };
  }
}

/** Which records to send; what they say is looked up when they are sent. */
class RecordsOf implements GossipData {
  readonly #encoder: RecordEncoder;
  readonly #names: ReadonlySet<PeerName> | "all";
  /** One round of gossip goes to many neighbours at the same moment. */
  #encoded: Encoded | undefined;

  constructor(encoder: RecordEncoder, names: ReadonlySet<PeerName> | "all") {
    this.#encoder = encoder;
    this.#names = names;
  }

  get isBulky(): boolean {
    return this.#names === "all" || this.#names.size >= bulkyRecordsMin;
  }

  encode(): Uint8Array[] {
    const encoder = this.#encoder;
    if (!encoder.isFresh(this.#encoded)) {
      this.#encoded = this.#names === "all" ? encoder.all() : encoder.some(this.#names);
    }
    return [...this.#encoded.payloads];
  }

  merge(newer: GossipData): GossipData {
    if (!(newer instanceof RecordsOf) || this.#names === "all") return this;
    if (newer.#names === "all") return newer;
    return new RecordsOf(this.#encoder, new Set([...this.#names, ...newer.#names]));
  }
}
