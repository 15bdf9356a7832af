import { toHex } from "../../lib/base/bytes.ts";
import {
  decodeFeatures,
  type Features,
  featuresGob,
  featuresMaxBytes,
} from "../../lib/mesh/features.ts";
import { GobFraming, LengthFraming } from "../../lib/mesh/framing.ts";
import { decodeHeader, headerSize, type ProtocolVersion } from "../../lib/mesh/header.ts";
import { MessageCodec } from "../../lib/mesh/message-codec.ts";
import { decodeMessage, type ProtocolMessage } from "../../lib/mesh/protocol-message.ts";
import { ReceiveBuffer } from "../../lib/mesh/receive-buffer.ts";
import { publicKeySize } from "../../lib/mesh/session.ts";

/** One direction of a recorded TCP connection, read to its end. */
export interface RecordedStream {
  /** One line for each piece: `offset+length what`, as the indexes of the recordings have it. */
  readonly index: string[];
  readonly features: Features | undefined;
  readonly messages: ProtocolMessage[];
  /** Octets after the last whole piece. */
  readonly restBytes: number;
}

export interface Listener {
  readonly version: ProtocolVersion;
  /** Whether the sender of this direction had dialled. */
  readonly senderOutbound: boolean;
  /** The session key; without it sealed frames are only counted. */
  readonly key?: Uint8Array | undefined;
}

/** Reads what one side sent, as someone who only listens. */
export function readRecorded(stream: Uint8Array, listener: Listener): RecordedStream {
  const received = new ReceiveBuffer();
  received.push(stream);
  const index: string[] = [];
  let offset = 0;
  const note = (what: string): void => {
    const end = stream.length - received.length;
    index.push(`${offset}+${end - offset} ${what}`);
    offset = end;
  };
  const header = decodeHeader(received.take(headerSize));
  note(`header min=${header.min} max=${header.max}`);
  const read = listener.version === 1 ? readVersion1 : readVersion2;
  const { features, messages } = read(received, listener, note);
  return { index, features, messages, restBytes: received.length };
}

type Reading = Pick<RecordedStream, "features" | "messages">;

function readVersion1(received: ReceiveBuffer, listener: Listener, note: Note): Reading {
  const framing = new GobFraming(received);
  const read = framing.read(featuresGob, featuresMaxBytes);
  note("features");
  const codec = new MessageCodec(received, framing, sealing(listener));
  return { features: new Map(read?.value), messages: readMessages(codec, note) };
}

function readVersion2(received: ReceiveBuffer, listener: Listener, note: Note): Reading {
  const nothing: Reading = { features: undefined, messages: [] };
  if (received.length === 0) return nothing;
  const flag = received.take(1)[0]!;
  note(`encryption flag=${flag}`);
  if (flag === 1) {
    received.take(publicKeySize);
    note("public key");
  }
  const framing = new LengthFraming(received);
  if (flag === 1 && listener.key === undefined) {
    while (framing.next() !== undefined) note("sealed");
    return nothing;
  }
  const codec = new MessageCodec(received, framing, sealing(listener));
  const first = codec.next();
  if (first === undefined) return nothing;
  note("features");
  return { features: decodeFeatures(first), messages: readMessages(codec, note) };
}

type Note = (what: string) => void;

function readMessages(codec: MessageCodec, note: Note): ProtocolMessage[] {
  const messages: ProtocolMessage[] = [];
  for (let bytes = codec.next(); bytes !== undefined; bytes = codec.next()) {
    const message = decodeMessage(bytes);
    messages.push(message);
    note(describe(message));
  }
  return messages;
}

function sealing({ key, senderOutbound }: Listener) {
  // Who listens takes the receiver's part.
  return key === undefined ? undefined : { key, outbound: !senderOutbound };
}

function describe(message: ProtocolMessage): string {
  switch (message.kind) {
    case "heartbeat":
      return "heartbeat";
    case "linkCounts":
      return "link-counts";
    case "control":
      return message.tag === 7 ? "overlay-control" : `control ${message.tag}`;
    case "gossip":
      return `gossip ${message.channel}`;
    case "unicast":
    case "broadcast":
      return `gossip-${message.kind} ${message.channel}`;
    case "digest":
    case "inquiry":
      return `${message.kind} ${message.channel}`;
    case "unknown":
      return `unknown ${message.tag}`;
  }
}

/** `message` as plain data with octets in hex, for comparison with recordings. */
export function plainMessage(message: ProtocolMessage): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(message).map(([key, value]) => [
      key,
      value instanceof Uint8Array ? toHex(value) : value,
    ]),
  );
}
