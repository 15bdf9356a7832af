import { concatBytes, fromHex } from "../../lib/base/bytes.ts";
import { type PeerName, readPeerName } from "../../lib/base/peer-name.ts";

/** Octets in a vector file: hex, or pieces in which long runs of zeros are a number. */
export type VectorBytes = string | ({ hex: string } | { zeros: number })[];

export function vectorBytes(value: VectorBytes): Uint8Array<ArrayBuffer> {
  if (typeof value === "string") return fromHex(value).slice();
  return concatBytes(
    ...value.map((piece) => ("hex" in piece ? fromHex(piece.hex) : new Uint8Array(piece.zeros))),
  ).slice();
}

/** A peer name written as twelve hex digits, with or without colons. */
export function vectorPeer(text: string): PeerName {
  return readPeerName(fromHex(text.replaceAll(":", "")));
}
