import * as v from "valibot";
import { told, type Unchanged } from "../base/schema.ts";

/**
 * What one host knows of an incident, in one document: `weave report --bundle` writes it,
 * `weave simulate --bundle` and the playground read it. The file is this as JSON, compressed by gzip
 * (RFC 1952). Whoever reads passes over members that it does not know.
 */

/** The first member; its number grows when a member changes its meaning or goes. */
export const bundleSchemaName = "weave/incident/";
export const bundleVersion = 1;
export const bundleSchemaId = `${bundleSchemaName}${bundleVersion}`;

/** Octets of the document, without compression: what does not fit is left out. */
export const bundleBytesMax = 8 << 20;

/** What a reader takes of each list, whoever wrote it. */
const recordsMax = 32_768;
const peersMax = 4096;
const connectionsMax = 4096;
const namesMax = 262_144;

const at = told(v.string(), "RFC 3339, UTC");
const peer = told(v.string(), "a peer name");
const bounded = <Item extends v.GenericSchema>(item: Item, most: number) =>
  v.pipe(v.array(item), v.maxLength(most));
/** Go writes an empty list as `null`. */
const orNull = <Item extends v.GenericSchema>(item: Item, most: number) =>
  v.nullable(bounded(item, most));

const ringEntry = v.object({
  Token: v.string(),
  Size: v.number(),
  Peer: peer,
  Version: v.number(),
});

const nameEntry = v.object({
  ...{ Hostname: v.string(), Origin: peer, ContainerID: v.string(), Address: v.string() },
  Tombstone: v.number(),
});

const peerConnection = v.object({
  ...{ Name: peer, Address: v.string(), Outbound: v.boolean(), Established: v.boolean() },
});

/** The part of the report that readers rely on. */
const reportModel = v.object({
  Version: v.string(),
  Router: v.object({
    ...{ Name: peer, NickName: v.string(), PeerDiscovery: v.boolean() },
    Peers: orNull(
      v.object({
        ...{ Name: peer, NickName: v.string() },
        Connections: told(orNull(peerConnection, connectionsMax), "as that peer tells them"),
      }),
      peersMax,
    ),
  }),
  IPAM: v.exactOptional(
    v.object({ Range: v.string(), Entries: told(orNull(ringEntry, namesMax), "the ring") }),
  ),
  DNS: v.exactOptional(v.object({ Domain: v.string(), Entries: orNull(nameEntry, namesMax) })),
});

const eventModel = v.object({
  ...{ id: v.number(), at, kind: told(v.string(), "see docs/events.md") },
  details: told(v.record(v.string(), v.unknown()), "by the kind"),
});

const stamp = {
  sequence: told(v.number(), "grows by one from record to record, of whatever list"),
  at,
};

const gossipModel = v.object({
  ...stamp,
  direction: v.picklist(["in", "out"]),
  neighbour: told(v.string(), "the peer name of whose link it took"),
  kind: v.picklist(["gossip", "unicast", "broadcast", "digest", "inquiry"]),
  channel: v.string(),
  origin: told(v.nullable(v.string()), "who said it; null where the message names nobody"),
  bytes: told(v.number(), "of its payload, which is not kept"),
  refusal: v.exactOptional(told(v.string(), "the code, where it was not taken")),
});

const topologyModel = v.object({
  ...stamp,
  change: told(
    v.picklist(["linked", "parted", "unseen", "appeared", "gone"]),
    "unseen: a link of two peers that both went out of sight",
  ),
  peers: told(v.pipe(v.array(v.string()), v.maxLength(2)), "both of a link, or one"),
});

const ownerModel = v.object({
  ...stamp,
  ...{ first: told(v.string(), "address"), size: v.number() },
  from: told(v.nullable(v.string()), "whose these addresses were; null for nobody's"),
  to: told(v.nullable(v.string()), "whose they are"),
});

const historyModel = v.object({
  since: told(v.string(), "RFC 3339: when the router began to record"),
  gossip: bounded(gossipModel, recordsMax),
  topology: told(bounded(topologyModel, recordsMax), "as this host came to know of it"),
  owners: told(bounded(ownerModel, recordsMax), "of ranges of the ring"),
});

const countModel = v.object({ what: v.string(), count: v.number() });

const deviceModel = v.object({
  ...{ name: v.string(), kind: v.string(), mtu: v.number(), up: v.boolean() },
});

const platformModel = v.object({
  ...{ kernel: v.string(), machine: told(v.string(), "the processor") },
  ...{ runtime: told(v.string(), "of the program"), memoryBytes: v.number() },
  firewall: told(v.array(v.string()), "what holds the packet filter rules"),
  datapath: told(v.string(), "what of the kernel carries frames; empty for nothing"),
  devices: told(bounded(deviceModel, recordsMax), "of the host"),
});

const removedModel = v.object({
  secrets: told(bounded(countModel, 64), "texts that were taken out, by what they were"),
  redacted: told(v.array(v.string()), "`addresses`, `names`: replaced by pseudonyms"),
  leftOut: told(bounded(countModel, 64), "records that there was no room for"),
});

/** The members besides `schema`. */
export const bundleModel = v.object({
  madeAt: at,
  madeBy: told(v.string(), "version of weave"),
  removed: removedModel,
  platform: platformModel,
  report: told(reportModel, "all that `weave report` prints, of which this is a part"),
  events: told(bounded(eventModel, recordsMax), "oldest first"),
  history: historyModel,
  findings: told(v.array(v.record(v.string(), v.unknown())), "as those of `weave doctor`"),
  policies: told(
    v.array(v.object({ kind: v.string(), namespace: v.string(), name: v.string() })),
    "their names alone",
  ),
  metrics: told(v.string(), "text of Prometheus"),
  unexamined: told(
    bounded(v.object({ what: v.string(), why: v.string() }), 64),
    "what could not be looked at",
  ),
});

export type Bundle = Unchanged<v.InferOutput<typeof bundleModel>>;
export type BundleHistory = Bundle["history"];
