import { sha256 } from "@noble/hashes/sha2.js";
import { emptyBytes, equalBytes, fromHex, toHex } from "../../base/bytes.ts";
import { WeaveError } from "../../base/errors.ts";
import type { GossipData, StateComparison } from "../../base/gossip.ts";
import type { PeerName } from "../../base/peer-name.ts";
import { RecordNews } from "./record-news.ts";
import type { RecordTable } from "./record-table.ts";
import { fingerprint, fingerprintBytes, type SharedRecord } from "./shared-record.ts";

/**
 * How two peers find out who knows what of policy (docs/protocol.md). What each has is a list of the
 * fingerprints of its records, 16 octets each, in ascending order of octets. The digest is the
 * beginning of the SHA-256 of those of records that are not removed, because every peer forgets
 * removed ones by its own clock; the inquiry is the list of all.
 */
const digestBytes = 16;

/** Entries of an inquiry; who has more asks for everything. */
export const inquiryMaxEntries = 65_536;

/** Everything that is told, at one moment. */
interface Listed {
  readonly changes: number;
  /** Of those that are not removed. */
  readonly digest: Uint8Array;
  readonly byFingerprint: ReadonlyMap<string, SharedRecord>;
}

export class RecordComparison implements StateComparison {
  readonly #table: RecordTable;
  readonly #isTold: (record: SharedRecord) => boolean;
  readonly #fingerprints = new WeakMap<SharedRecord, string>();
  #listed: Listed = { changes: -1, digest: emptyBytes, byFingerprint: new Map() };

  /** @param isTold whether a record is told to others */
  constructor(table: RecordTable, isTold: (record: SharedRecord) => boolean) {
    this.#table = table;
    this.#isTold = isTold;
  }

  digest(): Uint8Array | undefined {
    const { byFingerprint, digest } = this.#list();
    return byFingerprint.size === 0 ? undefined : digest;
  }

  inquire(_from: PeerName, digest: Uint8Array): Uint8Array | undefined {
    const { digest: own, byFingerprint } = this.#list();
    if (equalBytes(digest, own)) return undefined;
    if (byFingerprint.size > inquiryMaxEntries) return emptyBytes;
    return fromHex([...byFingerprint.keys()].sort().join(""));
  }

  /** @throws WeaveError `POLICY_INQUIRY` */
  answer(inquiry: Uint8Array): GossipData | undefined {
    const theirs = readList(inquiry);
    const missing = [...this.#list().byFingerprint].flatMap(([print, record]) =>
      theirs.has(print) ? [] : record,
    );
    return missing.length === 0 ? undefined : new RecordNews(this.#table, missing);
  }

  #list(): Listed {
    const { changes } = this.#table;
    if (this.#listed.changes === changes) return this.#listed;
    const byFingerprint = new Map<string, SharedRecord>();
    const live: string[] = [];
    for (const record of this.#table.all()) {
      if (!this.#isTold(record)) continue;
      const print = this.#fingerprint(record);
      byFingerprint.set(print, record);
      if (record.content !== undefined) live.push(print);
    }
    this.#listed = { changes, digest: digestOf(live.sort()), byFingerprint };
    return this.#listed;
  }

  #fingerprint(record: SharedRecord): string {
    const known = this.#fingerprints.get(record);
    if (known !== undefined) return known;
    const made = toHex(fingerprint(record));
    this.#fingerprints.set(record, made);
    return made;
  }
}

/** @param prints in ascending order */
function digestOf(prints: readonly string[]): Uint8Array {
  return sha256(fromHex(prints.join(""))).subarray(0, digestBytes);
}

function readList(list: Uint8Array): Set<string> {
  if (list.length % fingerprintBytes !== 0 || list.length > inquiryMaxEntries * fingerprintBytes) {
    throw new WeaveError("POLICY_INQUIRY", `${list.length} octets are no list of fingerprints`);
  }
  const prints = new Set<string>();
  for (let at = 0; at < list.length; at += fingerprintBytes) {
    prints.add(toHex(list.subarray(at, at + fingerprintBytes)));
  }
  return prints;
}
