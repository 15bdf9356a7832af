import type { FrameOffload } from "../../wire/virtio-net-header.ts";
import { PieceHead, type PieceOfSuperFrame } from "./piece-head.ts";

/** More pieces than this are refused: TCP's smallest segments make 1365 of 64 KiB. */
export const piecesMax = 2048;

/** Takes one piece, a frame fit for the wire; false when it wants no more of this super-frame. */
export type PieceTaker = (bytes: Uint8Array, at: number, length: number) => boolean;

/**
 * Cuts super-frames into the frames that a network card would have made of them, where they lie:
 *
 *   [head][ payload of several segments .................... ]
 *   [head][ segment 1 ]                                         taken, then written over its end:
 *               [head'][ segment 2 ]                            taken, then written over its end:
 *                            [head''][ segment 3 ]              …
 *
 * A head differs from the first in its lengths, the IPv4 identification, the TCP sequence number
 * and flags (CWR stays with the first piece, FIN and PSH with the last), and in its checksums. No
 * payload is copied, and the super-frame is spoilt afterwards.
 */
export class Segmenter {
  readonly #head = new PieceHead();
  readonly #piece: { -readonly [Field in keyof PieceOfSuperFrame]: PieceOfSuperFrame[Field] } = {
    piece: 0,
    offset: 0,
    payload: 0,
    isLast: false,
  };

  /**
   * Returns how many pieces were taken: 0 when the super-frame contradicts its description. Every
   * octet of it may be overwritten, none outside of it is.
   */
  cut(
    bytes: Uint8Array,
    at: number,
    length: number,
    offload: FrameOffload,
    take: PieceTaker,
  ): number {
    const head = this.#head;
    if (!head.read(bytes, at, length, offload)) return 0;
    const { segmentSize } = offload;
    const payload = length - head.size;
    if (segmentSize === 0 || payload === 0 || payload > segmentSize * piecesMax) return 0;
    const piece = this.#piece;
    piece.piece = 0;
    for (let offset = 0; offset < payload; offset += segmentSize) {
      piece.offset = offset;
      piece.payload = Math.min(segmentSize, payload - offset);
      piece.isLast = offset + segmentSize >= payload;
      head.write(bytes, at + offset, piece);
      piece.piece++;
      if (!take(bytes, at + offset, head.size + piece.payload)) break;
    }
    return piece.piece;
  }
}
