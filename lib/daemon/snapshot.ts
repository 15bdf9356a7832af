import { createHash } from "node:crypto";
import * as v from "valibot";
import { errorText, WeaveError } from "../base/errors.ts";
import { formatIpv4Cidr, parseIpv4Cidr } from "../base/ip.ts";
import { formatPeerName, type PeerName, parsePeerName } from "../base/peer-name.ts";
import { productVersion } from "../base/product-version.ts";
import type { HeldAddress } from "../ipam/held-addresses.ts";
import type { RingState } from "../ipam/ring-entry.ts";
import { ringJson, ringSchema } from "./allocator-store.ts";
import type { StoredExposure, StoredName } from "./settings-store.ts";

/**
 * The state of a router as a file that outlives its disk, JSON that a person can read:
 *
 *   { "weaveSnapshot": 1, "product": …, "savedAt": …, "checksum": sha256 of the state, "state": { … } }
 *
 * The checksum is that of the state as JSON without blanks, so that a file may be indented or not.
 *
 * What a peer promised to the others (docs/ipam.md, reclaim) is not in it: promises must not be set
 * back, so whoever is restored comes to the council as another member.
 */
const format = 1;

const peer = v.pipe(v.string(), v.transform(parsePeerName));

const stateSchema = v.strictObject({
  peerName: v.optional(peer),
  targets: v.array(v.string()),
  exposed: v.array(v.strictObject({ cidr: v.string(), masquerade: v.boolean() })),
  names: v.array(v.strictObject({ fqdn: v.string(), ident: v.string(), address: v.string() })),
  /** Absent when the router never allocated anything. */
  allocations: v.optional(
    v.strictObject({
      owner: peer,
      held: v.array(
        v.strictObject({
          ident: v.string(),
          cidr: v.pipe(v.string(), v.transform(parseIpv4Cidr)),
          isContainer: v.boolean(),
        }),
      ),
      /** Who owns which addresses, as this router knew it; absent before there was a ring. */
      ring: v.optional(ringSchema),
    }),
  ),
});

export interface SnapshotState {
  readonly peerName?: PeerName | undefined;
  readonly targets: readonly string[];
  readonly exposed: readonly StoredExposure[];
  readonly names: readonly StoredName[];
  readonly allocations?: SnapshotAllocations | undefined;
}

export interface SnapshotAllocations {
  readonly owner: PeerName;
  readonly held: readonly HeldAddress[];
  readonly ring?: RingState | undefined;
}

const documentSchema = v.object({
  weaveSnapshot: v.number(),
  savedAt: v.string(),
  checksum: v.string(),
  state: v.unknown(),
});

export interface Snapshot {
  /** ISO 8601, UTC. */
  readonly savedAt: string;
  readonly state: SnapshotState;
}

export function formatSnapshot({ savedAt, state }: Snapshot): string {
  const { peerName, allocations, ...rest } = state;
  const json = {
    peerName: peerName === undefined ? undefined : formatPeerName(peerName),
    ...rest,
    allocations: allocations && {
      owner: formatPeerName(allocations.owner),
      held: allocations.held.map((each) => ({ ...each, cidr: formatIpv4Cidr(each.cidr) })),
      ring: allocations.ring && ringJson(allocations.ring),
    },
  };
  const document = {
    weaveSnapshot: format,
    product: productVersion,
    savedAt,
    checksum: checksumOf(json),
    state: json,
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}

/** @throws WeaveError `SNAPSHOT_UNREADABLE`, `SNAPSHOT_NEWER`, `SNAPSHOT_DAMAGED` */
export function parseSnapshot(text: string): Snapshot {
  const document = readable(() => v.parse(documentSchema, JSON.parse(text)));
  if (document.weaveSnapshot > format) {
    throw new WeaveError("SNAPSHOT_NEWER", "the snapshot was written by a newer weave", {
      remedy: "restore it with that version",
    });
  }
  if (checksumOf(document.state) !== document.checksum) {
    throw new WeaveError(
      "SNAPSHOT_DAMAGED",
      "the snapshot is not what was saved: its checksum is wrong",
      {
        remedy: "take another one; nothing was changed",
      },
    );
  }
  return { savedAt: document.savedAt, state: readable(() => v.parse(stateSchema, document.state)) };
}

/** How much there is of what, for telling people. */
export interface SnapshotExtent {
  readonly addresses: number;
  readonly names: number;
  readonly targets: number;
  readonly exposed: number;
}

export function extentOf({ allocations, names, targets, exposed }: SnapshotState): SnapshotExtent {
  return {
    addresses: allocations?.held.length ?? 0,
    names: names.length,
    targets: targets.length,
    exposed: exposed.length,
  };
}

function checksumOf(state: unknown): string {
  return createHash("sha256").update(JSON.stringify(state)).digest("hex");
}

function readable<T>(read: () => T): T {
  try {
    return read();
  } catch (cause) {
    throw new WeaveError("SNAPSHOT_UNREADABLE", `this is no snapshot: ${errorText(cause)}`, {
      remedy: "give a file that 'weave snapshot save' wrote; nothing was changed",
      cause,
    });
  }
}
