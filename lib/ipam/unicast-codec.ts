import { concatBytes } from "../base/bytes.ts";
import { WeaveError } from "../base/errors.ts";
import { decodeGob, encodeGob, gob } from "../wire/gob.ts";
import type { AddressRange } from "./range.ts";
import { type AllocatorMessage, decodeState, encodeState } from "./state-codec.ts";

/**
 * What one peer says to another (ipam §6).
 *
 *   ┌─────┬──────────────────────────┐
 *   │ tag │ gob: Range or state      │   0 space request, 1 ring update, 2 space request denied
 *   └─────┴──────────────────────────┘
 *
 * Nothing else may ever be sent: older peers block on an unknown tag and die of an empty message.
 */
export type UnicastMessage =
  | { readonly kind: "space-request"; readonly range: AddressRange }
  | { readonly kind: "ring-update"; readonly state: AllocatorMessage }
  | { readonly kind: "space-denied"; readonly range: AddressRange };

const tags = { spaceRequest: 0, ringUpdate: 1, spaceDenied: 2 } as const;

const addressMax = 2 ** 32 - 1;

const rangeType = gob.struct("Range", { Start: gob.uintBits(32), End: gob.uintBits(32) });

export function encodeUnicast(message: UnicastMessage): Uint8Array {
  switch (message.kind) {
    case "space-request":
      return tagged(tags.spaceRequest, encodeRange(message.range));
    case "ring-update":
      return tagged(tags.ringUpdate, encodeState(message.state));
    case "space-denied":
      return tagged(tags.spaceDenied, encodeRange(message.range));
  }
}

/**
 * Returns `undefined` for an empty message or an unknown tag, which are to be ignored.
 *
 * @throws GobError, WeaveError `IPAM_RANGE` for a range that ends before it starts
 */
export function decodeUnicast(payload: Uint8Array): UnicastMessage | undefined {
  const body = payload.subarray(1);
  switch (payload[0]) {
    case tags.spaceRequest:
      return { kind: "space-request", range: decodeRange(body) };
    case tags.ringUpdate:
      return { kind: "ring-update", state: decodeState(body) };
    case tags.spaceDenied:
      return { kind: "space-denied", range: decodeRange(body) };
    default:
      return undefined;
  }
}

function tagged(tag: number, body: Uint8Array): Uint8Array {
  return concatBytes(new Uint8Array([tag]), body);
}

function encodeRange(range: AddressRange): Uint8Array {
  // One past 255.255.255.255 does not fit; the address that this leaves out is never free.
  return encodeGob(rangeType, { Start: range.start, End: Math.min(range.end, addressMax) });
}

function decodeRange(body: Uint8Array): AddressRange {
  const { Start, End } = decodeGob(rangeType, body);
  if (End < Start) {
    throw new WeaveError("IPAM_RANGE", `range from ${Start} to ${End} ends before it starts`);
  }
  return { start: Start, end: End };
}
