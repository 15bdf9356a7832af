import { concatBytes, equalBytes, utf8 } from "../base/bytes.ts";
import { WeaveError } from "../base/errors.ts";

/**
 * The first octets of every connection, in each direction (mesh-protocol §4.1).
 *
 *    0   1   2   3   4   5         6
 *   ┌───┬───┬───┬───┬───┬─────────┬─────────┐
 *   │ w │ e │ a │ v │ e │ minimum │ maximum │
 *   └───┴───┴───┴───┴───┴─────────┴─────────┘
 */
const magic = utf8("weave");

export const headerSize = magic.length + 2;

export type ProtocolVersion = 1 | 2;

export const versionMax: ProtocolVersion = 2;

/** Versions that one side can speak. A remote's may be any two octets. */
export interface VersionRange {
  readonly min: number;
  readonly max: number;
}

export interface OwnVersionRange extends VersionRange {
  readonly min: ProtocolVersion;
  readonly max: ProtocolVersion;
}

export function encodeHeader(range: OwnVersionRange): Uint8Array {
  return concatBytes(magic, Uint8Array.of(range.min, range.max));
}

/** Reads the header at the start of `bytes`, which holds at least {@link headerSize} octets. */
export function decodeHeader(bytes: Uint8Array): VersionRange {
  refuseOtherProtocol(bytes);
  return { min: bytes[magic.length]!, max: bytes[magic.length + 1]! };
}

/**
 * Looks at as much of the header as has arrived, so that a stranger is refused as soon as it
 * cannot be a peer. @throws WeaveError `HEADER_UNKNOWN`
 */
export function refuseOtherProtocol(bytes: Uint8Array): void {
  if (bytes.length < magic.length || equalBytes(bytes.subarray(0, magic.length), magic)) return;
  const octets = bytes.subarray(0, magic.length).join(" ");
  throw new WeaveError("HEADER_UNKNOWN", `remote protocol header not recognised: [${octets}]`, {
    remedy: "this port is for peers: HTTP clients use the control port, and peers need no TLS",
  });
}

/** What to say when the connection ended with `received` octets of the header. */
export function incompleteHeader(received: Uint8Array, cause: WeaveError): WeaveError {
  const text =
    received.length === 0
      ? `failed to receive remote protocol header: ${cause.message}`
      : `received incomplete remote protocol header (${received.length} octets instead of ` +
        `${headerSize}): [${received.join(" ")}]; error: ${cause.message}`;
  return new WeaveError("HEADER_INCOMPLETE", text, {
    cause,
    remedy: "see that a peer, and nothing else, runs at that address and that no firewall cuts in",
  });
}

/**
 * The highest version that both ranges hold. Both sides come to the same result.
 *
 * @throws WeaveError `VERSION_INCOMPATIBLE`
 */
export function chooseVersion(ours: OwnVersionRange, theirs: VersionRange): ProtocolVersion {
  const lowest = Math.max(ours.min, theirs.min);
  const highest = Math.min(ours.max, theirs.max);
  if (highest >= lowest && (highest === 1 || highest === 2)) return highest;
  throw new WeaveError(
    "VERSION_INCOMPATIBLE",
    `remote version range [${theirs.min},${theirs.max}] is incompatible with ours ` +
      `[${ours.min},${ours.max}]`,
    { remedy: "give both peers the same --min-protocol-version, or upgrade the older one" },
  );
}
