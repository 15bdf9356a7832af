import { WeaveError } from "../base/errors.ts";
import type { GossipData, Gossiper } from "../base/gossip.ts";
import { formatPeerName, type PeerName } from "../base/peer-name.ts";
import type { PeerRecord } from "./peer-record.ts";
import type { AppliedUpdate, Peers } from "./peers.ts";
import { decodeTopology, encodeTopologyPayloads } from "./topology-codec.ts";

/** The channel on which the mesh itself talks. */
export const topologyChannel = "topology";

/** The owner of channel `topology`: keeps the records of all peers in step (mesh-protocol §8). */
export class TopologyChannel implements Gossiper {
  readonly #peers: Peers;
  readonly #applied: (update: AppliedUpdate, from: PeerName) => void;
  readonly #encoder: RecordEncoder;

  /** `applied` hears of every update that decodes, with the peer that sent it. */
  constructor(peers: Peers, applied: (update: AppliedUpdate, from: PeerName) => void) {
    this.#peers = peers;
    this.#applied = applied;
    this.#encoder = new RecordEncoder(peers);
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

/** Encodes records; the whole topology, which goes to many neighbours, once for each change. */
class RecordEncoder {
  readonly #peers: Peers;
  #whole: { readonly generation: number; readonly payloads: Uint8Array[] } | undefined;

  constructor(peers: Peers) {
    this.#peers = peers;
  }

  some(names: ReadonlySet<PeerName>): Uint8Array[] {
    const records: PeerRecord[] = [];
    for (const name of names) {
      const record = this.#peers.get(name);
      if (record !== undefined) records.push(record);
    }
    return encodeTopologyPayloads(records);
  }

  all(): Uint8Array[] {
    const { generation } = this.#peers;
    if (this.#whole?.generation !== generation) {
      this.#whole = { generation, payloads: encodeTopologyPayloads(this.#peers.records()) };
    }
    return [...this.#whole.payloads];
  }
}

/** Which records to send; what they say is looked up when they are sent. */
class RecordsOf implements GossipData {
  readonly #encoder: RecordEncoder;
  readonly #names: ReadonlySet<PeerName> | "all";

  constructor(encoder: RecordEncoder, names: ReadonlySet<PeerName> | "all") {
    this.#encoder = encoder;
    this.#names = names;
  }

  encode(): Uint8Array[] {
    return this.#names === "all" ? this.#encoder.all() : this.#encoder.some(this.#names);
  }

  merge(newer: GossipData): GossipData {
    if (!(newer instanceof RecordsOf) || this.#names === "all") return this;
    if (newer.#names === "all") return newer;
    return new RecordsOf(this.#encoder, new Set([...this.#names, ...newer.#names]));
  }
}
