import type { EventSink } from "../../base/network-event.ts";
import { formatPeerName, type PeerName } from "../../base/peer-name.ts";
import { keyOf, type RecordName, type SharedRecord } from "../../policy/gossip/shared-record.ts";
import { askedByNobody } from "../events/asked-by.ts";
import { isDocumentKind } from "./policy-document.ts";

/**
 * Tells of documents that operators apply and delete, on whichever host: each change once, with the
 * peer at which it was said. Who asked is known of this host alone.
 */
export class SharedNews {
  readonly #emit: EventSink;
  readonly #self: PeerName;
  readonly #nickname: (peer: PeerName) => string;
  /** Documents that there are. */
  readonly #known = new Set<string>();

  constructor(emit: EventSink, self: PeerName, nickname: (peer: PeerName) => string) {
    this.#emit = emit;
    this.#self = self;
    this.#nickname = nickname;
  }

  /** What was known before is no news. */
  begin(known: readonly RecordName[]): void {
    for (const each of known) if (isDocumentKind(each.kind)) this.#known.add(keyOf(each));
  }

  /** @param content what there is of a name now; `undefined` for nothing */
  tell(changed: readonly SharedRecord[], content: (name: RecordName) => string | undefined): void {
    for (const record of changed) {
      if (!isDocumentKind(record.kind)) continue;
      const isThere = content(record) !== undefined;
      if (record.stamp.peer === this.#self) this.#tell(record, isThere);
      else askedByNobody(() => this.#tell(record, isThere));
    }
  }

  #tell(record: SharedRecord, isThere: boolean): void {
    const key = keyOf(record);
    const wasThere = this.#known.has(key);
    const { kind, scope: namespace, name, stamp } = record;
    const where = { peer: formatPeerName(stamp.peer), nickname: this.#nickname(stamp.peer) };
    const policy = { kind, namespace, name, ...where };
    if (isThere) {
      this.#known.add(key);
      this.#emit("policy.applied", { ...policy, change: wasThere ? "changed" : "created" });
    } else if (this.#known.delete(key)) {
      this.#emit("policy.deleted", policy);
    }
  }
}
