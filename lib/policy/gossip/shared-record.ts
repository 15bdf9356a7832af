import { sha256 } from "@noble/hashes/sha2.js";
import { utf8 } from "../../base/bytes.ts";
import { type PeerName, parsePeerName } from "../../base/peer-name.ts";
import { compareStamps, type Stamp } from "./stamp.ts";

/**
 * One thing that peers tell each other about policy. What was said last of a name holds:
 *
 *   kind            scope                     name
 *   NetworkPolicy   namespace                 its own       ┐ said by whoever an operator tells;
 *   Namespace …     empty                     its own       ┘ content: the document as JSON
 *   Pod             peer on whose host it is  container     ┐ said by that peer alone
 *   Host            peer whose host it is     empty         ┘
 *
 * Records of kinds that a peer does not know are kept and passed on.
 */
export interface RecordName {
  readonly kind: string;
  readonly scope: string;
  readonly name: string;
}

export interface SharedRecord extends RecordName {
  readonly stamp: Stamp;
  /** JSON; `undefined` once it is removed. */
  readonly content: string | undefined;
}

export const podKind = "Pod";
export const hostKind = "Host";

/** Kinds of which each peer speaks for itself. */
export type OwnKind = typeof podKind | typeof hostKind;

/** Characters of kind, scope and name. */
const wordMax = 256;

/** Characters of a content: documents of policies are far smaller. */
export const contentMax = 64 << 10;

/** Octets of {@link fingerprint}: enough that no two different records meet by chance. */
export const fingerprintBytes = 16;

/** Equal for the same name, different otherwise. */
export function keyOf({ kind, scope, name }: RecordName): string {
  return JSON.stringify([kind, scope, name]);
}

/** Whether `a` takes the place of `b`, which has the same name. */
export function supersedes(a: SharedRecord, b: SharedRecord): boolean {
  const order = compareStamps(a.stamp, b.stamp);
  // One stamp has one content, unless a peer's clock and memory were set back: any order will do.
  return order > 0 || (order === 0 && (a.content ?? "") > (b.content ?? ""));
}

/** Whether anybody can have meant it. */
export function isPlausible({ kind, scope, name, content }: SharedRecord): boolean {
  const words = [kind, scope, name];
  if (kind === "" || words.some((word) => word.length > wordMax)) return false;
  if (name === "" && kind !== hostKind) return false;
  return fits(content) && (!isOwnKind(kind) || /^([0-9a-f]{2}:){5}[0-9a-f]{2}$/.test(scope));
}

function fits(content: string | undefined): boolean {
  return content === undefined || (content.length > 0 && content.length <= contentMax);
}

function isOwnKind(kind: string): kind is OwnKind {
  return kind === podKind || kind === hostKind;
}

/** Who alone speaks of a plausible record; `undefined` for what everybody may. */
export function ownerOf({ kind, scope }: RecordName): PeerName | undefined {
  return isOwnKind(kind) ? parsePeerName(scope) : undefined;
}

/** The beginning of the SHA-256 of `[kind,scope,name,wallMs,count,peer]` as JSON. */
export function fingerprint(record: SharedRecord): Uint8Array {
  const { kind, scope, name, stamp } = record;
  const said = [kind, scope, name, stamp.wallMs, stamp.count, stamp.peer];
  return sha256(utf8(JSON.stringify(said))).subarray(0, fingerprintBytes);
}
