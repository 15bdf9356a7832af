import { peerNameFromNumber } from "../../base/peer-name.ts";
import { decodeGob, encodeGob, gob } from "../../wire/gob.ts";
import { isPlausible, type SharedRecord } from "./shared-record.ts";
import { countMax } from "./stamp.ts";

/**
 * The body of every message on channel `weave-policy`, a gob stream of its own:
 *
 *   Policy │ Records slice of
 *          └─▶ Record │ Kind string │ Scope string │ Name string
 *                     │ Wall uint   │ Count uint   │ Peer uint       when, and who says so
 *                     │ Dead bool   │ Content string                what it is now
 */
const recordType = gob.struct("Record", {
  Kind: gob.string,
  Scope: gob.string,
  Name: gob.string,
  Wall: gob.uint,
  Count: gob.uint,
  Peer: gob.uint,
  Dead: gob.bool,
  Content: gob.string,
});

const bodyType = gob.struct("Policy", { Records: gob.slice(recordType, { name: "Records" }) });

/** Octets of records in one message; a mesh message takes 10 MiB. */
const messageOctetsMax = 1 << 20;

/** Bound of a record's octets beside its texts: numbers, field deltas and lengths. */
const recordOverheadMax = 64;

/** Names of peers have 48 bits. */
const peerMax = 2 ** 48 - 1;

export interface RecordMessage {
  readonly records: readonly SharedRecord[];
  /** Those left out because no peer can have meant them. */
  readonly refused: number;
}

export function encodeRecords(records: Iterable<SharedRecord>): Uint8Array[] {
  const messages: Uint8Array[] = [];
  let batch: SharedRecord[] = [];
  let octets = 0;
  for (const record of records) {
    const { kind, scope, name, content = "" } = record;
    // Text of n UTF-16 units takes at most 3n octets.
    const texts = kind.length + scope.length + name.length + content.length;
    const size = recordOverheadMax + 3 * texts;
    if (batch.length > 0 && octets + size > messageOctetsMax) {
      messages.push(encodeMessage(batch));
      batch = [];
      octets = 0;
    }
    batch.push(record);
    octets += size;
  }
  if (batch.length > 0) messages.push(encodeMessage(batch));
  return messages;
}

/** @throws GobError */
export function decodeRecords(payload: Uint8Array): RecordMessage {
  const { Records } = decodeGob(bodyType, payload);
  const records: SharedRecord[] = [];
  for (const { Kind, Scope, Name, Wall, Count, Peer, Dead, Content } of Records) {
    if (Count > countMax || Peer > peerMax) continue;
    const stamp = { wallMs: Wall, count: Count, peer: peerNameFromNumber(Peer) };
    const content = Dead ? undefined : Content;
    const record = { kind: Kind, scope: Scope, name: Name, stamp, content };
    if (isPlausible(record)) records.push(record);
  }
  return { records, refused: Records.length - records.length };
}

function encodeMessage(records: readonly SharedRecord[]): Uint8Array {
  return encodeGob(bodyType, {
    Records: records.map(({ kind, scope, name, stamp, content }) => ({
      ...{ Kind: kind, Scope: scope, Name: name },
      ...{ Wall: stamp.wallMs, Count: stamp.count, Peer: stamp.peer },
      ...{ Dead: content === undefined, Content: content ?? "" },
    })),
  });
}
