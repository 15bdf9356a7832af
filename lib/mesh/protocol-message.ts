import { concatBytes, cutText, emptyBytes } from "../base/bytes.ts";
import { assert, errorText, WeaveError } from "../base/errors.ts";
import { type PeerName, peerNameFromNumber } from "../base/peer-name.ts";
import { GobDecoder, GobEncoder, gob } from "../wire/gob.ts";

/**
 * The messages that two peers exchange after the introduction (mesh-protocol §5).
 *
 *   ┌─────┬──────────────────────────────────────────────────────────────┐
 *   │ tag │ body                                                         │
 *   ├─────┼──────────────────────────────────────────────────────────────┤
 *   │  0  │ ignored                                        heartbeat     │
 *   │ 1–3 │ as the overlay wants it                        sleeve, bare  │
 *   │  4  │ channel, sender, payload                       gossip        │
 *   │  5  │ channel, origin, destination, payload          unicast       │
 *   │  6  │ channel, origin, payload                       broadcast     │
 *   │  7  │ overlay index, inner tag, inner body           overlay       │
 *   │ 64  │ channel, digest of the sender's state, clock   digest        │
 *   │ 65  │ channel, what the sender has                   inquiry       │
 *   │ 66  │ see link-counts.ts                             link counts   │
 *   └─────┴──────────────────────────────────────────────────────────────┘
 *
 * The bodies of tags 4–6, 64 and 65 are values of one gob stream: a string, up to two unsigned
 * numbers and octets, of a digest one more number. What follows the last value is ignored. Tags 64
 * and 65 are those of the extension `digests`, tag 66 is that of `link-counts`; where one was not
 * negotiated its tags have no meaning and are never sent.
 */
export type ProtocolMessage =
  | HeartbeatMessage
  | ControlMessage
  | GossipMessage
  | UnicastMessage
  | BroadcastMessage
  | DigestMessage
  | InquiryMessage
  | LinkCountsMessage
  | UnknownMessage;

/** What may be sent: everything that has a meaning. */
export type OutgoingMessage = Exclude<ProtocolMessage, UnknownMessage>;

/** What owners of channels tell each other. */
export type ChannelMessage = Extract<ProtocolMessage, { readonly channel: string }>;

export function isChannelMessage(message: ProtocolMessage): message is ChannelMessage {
  return "channel" in message;
}

/** A life sign. */
export interface HeartbeatMessage {
  readonly kind: "heartbeat";
}

/** Belongs to the overlay, which judges the body: any length may arrive. */
export interface ControlMessage {
  readonly kind: "control";
  readonly tag: ControlTag;
  readonly body: Uint8Array;
}

export type ControlTag = 1 | 2 | 3 | 7;

/** State or news from a neighbour. */
export interface GossipMessage {
  readonly kind: "gossip";
  readonly channel: string;
  /** The immediate sender, also of what it heard from others. */
  readonly sender: PeerName;
  readonly payload: Uint8Array;
}

/** For one peer, over others if need be. */
export interface UnicastMessage {
  readonly kind: "unicast";
  readonly channel: string;
  readonly origin: PeerName;
  readonly destination: PeerName;
  readonly payload: Uint8Array;
  /** The octets it arrived in, tag included: a relay sends these, so nothing changes on the way. */
  readonly received?: Uint8Array;
}

/** For every peer, along the tree of its origin. */
export interface BroadcastMessage {
  readonly kind: "broadcast";
  readonly channel: string;
  readonly origin: PeerName;
  readonly payload: Uint8Array;
}

/** Stands for the sender's state: whoever has the same needs nothing more. */
export interface DigestMessage {
  readonly kind: "digest";
  readonly channel: string;
  readonly payload: Uint8Array;
  /** When it was made, by the sender's clock, in milliseconds since 1970; 0 for unsaid. */
  readonly unixMs: number;
}

/** Answers a digest: what the sender has, so that it is told what it lacks. */
export interface InquiryMessage {
  readonly kind: "inquiry";
  readonly channel: string;
  readonly payload: Uint8Array;
}

/** How many frames went over the link. Any octets may arrive. */
export interface LinkCountsMessage {
  readonly kind: "linkCounts";
  readonly body: Uint8Array;
}

/** From a later generation, or damaged by somebody behind the neighbour; ignored. */
export interface UnknownMessage {
  readonly kind: "unknown";
  readonly tag: number;
  /** Missing for a tag that is not known. */
  readonly damage?: string;
}

/** Longer names of channels are cut behind one character more, and are refused by that. */
export const channelNameMaxLength = 128;

const heartbeatTag = 0;
const gossipTag = 4;
const unicastTag = 5;
const broadcastTag = 6;
const digestTag = 64;
const inquiryTag = 65;
const linkCountsTag = 66;

const heartbeat: HeartbeatMessage = { kind: "heartbeat" };

/** An extension that has tags of its own. */
export type TagExtension = "digests" | "link-counts";

/** Those that were negotiated. */
export interface TagExtensions {
  has(extension: TagExtension): boolean;
}

/**
 * Reads one message of at least one octet. Octets in the result are views on `bytes`.
 *
 * @throws WeaveError `MESSAGE_FORMAT` when the header of a message is damaged that the neighbour made
 */
export function decodeMessage(
  bytes: Uint8Array,
  extensions: TagExtensions = new Set(),
): ProtocolMessage {
  const tag = bytes[0]!;
  switch (tag) {
    case heartbeatTag:
      return heartbeat;
    case 1:
    case 2:
    case 3:
    case 7:
      return { kind: "control", tag, body: bytes.subarray(1) };
    case gossipTag:
    case unicastTag:
    case broadcastTag:
      return decodeGossip(tag, bytes);
    case digestTag:
    case inquiryTag:
      return extensions.has("digests") ? decodeGossip(tag, bytes) : { kind: "unknown", tag };
    case linkCountsTag:
      return extensions.has("link-counts")
        ? { kind: "linkCounts", body: bytes.subarray(1) }
        : { kind: "unknown", tag };
    default:
      return { kind: "unknown", tag };
  }
}

function decodeGossip(tag: 4 | 5 | 6 | 64 | 65, bytes: Uint8Array): ProtocolMessage {
  try {
    const body = new GobDecoder(bytes.subarray(1));
    const channel = cutText(body.read(gob.string), channelNameMaxLength + 1);
    if (tag === digestTag || tag === inquiryTag) {
      const payload = body.read(gob.bytes);
      if (tag === inquiryTag) return { kind: "inquiry", channel, payload };
      return { kind: "digest", channel, payload, unixMs: body.ended ? 0 : body.read(gob.uint) };
    }
    const from = peerNameFromNumber(body.read(gob.uint));
    if (tag === unicastTag) {
      const destination = peerNameFromNumber(body.read(gob.uint));
      const payload = body.read(gob.bytes);
      return { kind: "unicast", channel, origin: from, destination, payload, received: bytes };
    }
    const payload = body.read(gob.bytes);
    return tag === gossipTag
      ? { kind: "gossip", channel, sender: from, payload }
      : { kind: "broadcast", channel, origin: from, payload };
  } catch (cause) {
    if (!(cause instanceof WeaveError)) throw cause;
    // Whoever relays a unicast reads no more of it than whom it is for.
    if (tag === unicastTag) return { kind: "unknown", tag, damage: errorText(cause) };
    throw new WeaveError(
      "MESSAGE_FORMAT",
      `received damaged message with tag ${tag}: ${errorText(cause)}`,
      { cause, remedy: "the neighbour sends what no release understands: see its version and log" },
    );
  }
}

/**
 * States that an overlay message does no harm: each of these forms ends the process of an original
 * peer. `indexed`: whether both sides named their overlays in the introduction (§7.3).
 */
export function assertHarmless({ tag, body }: ControlMessage, indexed: boolean): void {
  assert(indexed === (tag === 7), "overlay messages have an index if overlays were exchanged");
  assert(tag !== 7 || body.length >= 2, "an overlay message has an index and an inner tag");
  assert(tag !== 3 || body.length >= 2, "a path MTU has two octets");
}

/** What a remote must have to understand it. */
export function extensionOf({ kind }: OutgoingMessage): TagExtension | undefined {
  if (kind === "digest" || kind === "inquiry") return "digests";
  return kind === "linkCounts" ? "link-counts" : undefined;
}

/** The octets of `message`, tag included. */
export function encodeMessage(message: OutgoingMessage): Uint8Array {
  switch (message.kind) {
    case "heartbeat":
      return withTag(heartbeatTag, emptyBytes);
    case "control":
      return withTag(message.tag, message.body);
    case "gossip":
      return withTag(gossipTag, gossipBody(message.channel, [message.sender], message.payload));
    case "unicast": {
      const { channel, origin, destination, payload } = message;
      return (
        message.received ?? withTag(unicastTag, gossipBody(channel, [origin, destination], payload))
      );
    }
    case "broadcast":
      return withTag(broadcastTag, gossipBody(message.channel, [message.origin], message.payload));
    case "digest":
      return withTag(digestTag, digestBody(message));
    case "inquiry":
      return withTag(inquiryTag, gossipBody(message.channel, [], message.payload));
    case "linkCounts":
      return withTag(linkCountsTag, message.body);
  }
}

function gossipBody(channel: string, names: readonly PeerName[], payload: Uint8Array): Uint8Array {
  const body = new GobEncoder().write(gob.string, channel);
  for (const name of names) body.write(gob.uint, name);
  return body.write(gob.bytes, payload).bytes();
}

function digestBody({ channel, payload, unixMs }: DigestMessage): Uint8Array {
  const body = new GobEncoder().write(gob.string, channel).write(gob.bytes, payload);
  return (unixMs > 0 ? body.write(gob.uint, unixMs) : body).bytes();
}

function withTag(tag: number, body: Uint8Array): Uint8Array {
  return concatBytes(Uint8Array.of(tag), body);
}
