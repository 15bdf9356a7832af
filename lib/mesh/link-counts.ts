import {
  concatBytes,
  fromUtf8,
  readUint32,
  readUint64,
  utf8,
  writeUint32,
  writeUint64,
} from "../base/bytes.ts";
import type { FrameCounts } from "../base/overlay.ts";

/**
 * What neighbours say about frames on the link between them, in messages with tag 66
 * (docs/protocol.md):
 *
 *   question   0       1        5
 *              │   0   │ number │
 *
 *   counts     0       1        5
 *              │   1   │ number │ length: 1 │ overlay │ sent: 8 │ received: 8 │ length: 1 │ …
 *                                 └──────────────── of each overlay ──────────┘
 *
 * All numbers are big-endian. Counts carry the number of the question that they answer.
 */
export type LinkCountsMessage =
  | { readonly kind: "question"; readonly number: number }
  | { readonly kind: "counts"; readonly number: number; readonly counts: readonly FrameCounts[] };

/** More than there will ever be. */
export const countedOverlaysMax = 8;

const headBytes = 5;
const countBytes = 8;
const kinds = ["question", "counts"] as const;

export function encodeLinkCounts(message: LinkCountsMessage): Uint8Array {
  const head = new Uint8Array(headBytes);
  head[0] = kinds.indexOf(message.kind);
  writeUint32(head, 1, message.number);
  if (message.kind === "question") return head;
  return concatBytes(head, ...message.counts.slice(0, countedOverlaysMax).map(encodeCounts));
}

function encodeCounts({ overlay, sent, received }: FrameCounts): Uint8Array {
  const name = utf8(overlay);
  const numbers = new Uint8Array(2 * countBytes);
  writeUint64(numbers, 0, BigInt(sent));
  writeUint64(numbers, countBytes, BigInt(received));
  return concatBytes(Uint8Array.of(name.length), name, numbers);
}

/** `undefined` for what makes no sense: it is ignored, and the link stays. */
export function decodeLinkCounts(body: Uint8Array): LinkCountsMessage | undefined {
  if (body.length < headBytes) return undefined;
  const number = readUint32(body, 1);
  const kind = kinds[body[0]!];
  if (kind === "question") return { kind, number };
  const counts = kind === undefined ? undefined : decodeCounts(body.subarray(headBytes));
  return kind === undefined || counts === undefined ? undefined : { kind, number, counts };
}

function decodeCounts(bytes: Uint8Array): FrameCounts[] | undefined {
  const counts: FrameCounts[] = [];
  for (let at = 0; at < bytes.length; ) {
    const numbersAt = at + 1 + bytes[at]!;
    const end = numbersAt + 2 * countBytes;
    if (end > bytes.length || counts.length === countedOverlaysMax) return undefined;
    const overlay = fromUtf8(bytes.subarray(at + 1, numbersAt));
    const sent = Number(readUint64(bytes, numbersAt));
    const received = Number(readUint64(bytes, numbersAt + countBytes));
    if (!Number.isSafeInteger(sent) || !Number.isSafeInteger(received)) return undefined;
    counts.push({ overlay, sent, received });
    at = end;
  }
  return counts;
}
