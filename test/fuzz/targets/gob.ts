import { concatBytes, utf8 } from "../../../lib/base/bytes.ts";
import { seededRandom } from "../../../lib/base/random.ts";
import { decodeNames, encodeNames } from "../../../lib/dns/name-codec.ts";
import { readOriginalState } from "../../../lib/ipam/original-state.ts";
import { decodeState, encodeState } from "../../../lib/ipam/state-codec.ts";
import { decodeUnicast, encodeUnicast } from "../../../lib/ipam/unicast-codec.ts";
import { decodeFeatures, encodeFeatures } from "../../../lib/mesh/features.ts";
import { decodeMessage, encodeMessage } from "../../../lib/mesh/protocol-message.ts";
import { decodeTopology, encodeTopology } from "../../../lib/mesh/topology-codec.ts";
import { ByteWriter } from "../../../lib/wire/byte-writer.ts";
import { writeInt, writeUint } from "../../../lib/wire/gob/number.ts";
import { builtIn, writeWireType } from "../../../lib/wire/gob/wire-type.ts";
import {
  decodeGob,
  encodeGob,
  GobEncoder,
  GobStream,
  type GobType,
  gob,
} from "../../../lib/wire/gob.ts";
import { chunks } from "../mutate.ts";
import { recordedBytes } from "../recorded.ts";
import { type FuzzTarget, fingerprint, hold, refusable } from "../target.ts";

/** Every kind of value that the codec knows, nested as payloads nest them. */
const inner = gob.struct("Inner", { Name: gob.string, Count: gob.int64, Data: gob.bytes });
const everything = gob.struct("Everything", {
  Small: gob.uintBits(16),
  Whole: gob.uint,
  Wide: gob.uint64,
  Signed: gob.int,
  Far: gob.int64,
  Flag: gob.bool,
  Text: gob.string,
  Octets: gob.bytes,
  List: gob.slice(inner),
  Table: gob.map(inner, gob.slice(gob.uint)),
  Maybe: gob.optional(gob.map(gob.string, gob.bool)),
  Part: gob.optional(inner),
});
/** What an older release knows of it: the rest must be passed over. */
const lessOfIt = gob.struct("Everything", { Text: gob.string, Part: gob.optional(inner) });

const samples = [
  {
    Small: 65_535,
    Whole: Number.MAX_SAFE_INTEGER,
    Wide: 2n ** 64n - 1n,
    Signed: -Number.MAX_SAFE_INTEGER,
    Far: -(2n ** 63n),
    Flag: true,
    Text: "wëave",
    Octets: new Uint8Array(300).fill(0xff),
    List: [{ Name: "a", Count: 1n, Data: Uint8Array.of(1) }, inner.zero()],
    Table: [[{ Name: "k", Count: -1n, Data: new Uint8Array(0) }, [1, 128, 65_536]]] as Array<
      [{ Name: string; Count: bigint; Data: Uint8Array }, number[]]
    >,
    Maybe: [["yes", true]] as Array<[string, boolean]>,
    Part: { Name: "part", Count: 0n, Data: new Uint8Array(3) },
  },
  everything.zero(),
];

/** A value with kinds of which we never send any: `lessOfIt` passes over all but its text. */
function foreign(): Uint8Array {
  const [whole, fixed, opaque] = [65, 66, 67];
  const out = new ByteWriter();
  const message = (id: number, write: (body: ByteWriter) => void): void => {
    const body = new ByteWriter();
    writeInt(body, id);
    write(body);
    writeUint(out, body.length);
    out.bytes(body.take());
  };
  const fields = [
    { name: "Float", id: builtIn.float },
    { name: "Complex", id: builtIn.complex },
    { name: "Any", id: builtIn.interface },
    { name: "Nothing", id: builtIn.interface },
    { name: "Fixed", id: fixed },
    { name: "Opaque", id: opaque },
    { name: "Text", id: builtIn.string },
  ];
  message(-whole, (body) => writeWireType(body, whole, "Everything", { kind: "struct", fields }));
  const array = { kind: "array", element: builtIn.uint, length: 2 } as const;
  message(-fixed, (body) => writeWireType(body, fixed, "", array));
  message(-opaque, (body) => writeWireType(body, opaque, "Time", { kind: "opaque" }));
  const name = utf8("int");
  message(whole, (body) => {
    // Each field behind its distance from the one before.
    body.bytes(Uint8Array.of(1, 0xfe, 0xf0, 0x3f, 1, 5, 6, 1, name.length, ...name, 4, 2, 0, 8));
    body.bytes(Uint8Array.of(1, 0, 1, 2, 9, 10, 1, 3, 1, 2, 3, 1, 2, 0x68, 0x69, 0));
  });
  return out.take();
}

const files = [
  "mesh/gob-values",
  "mesh/topology-updates",
  "mesh/topology-variants",
  "mesh/channel-payload-shapes",
  "mesh/gossip-messages",
  "ipam/gossip_state",
  "ipam/unicast_messages",
  "ipam/decode_tolerance",
  "ipam/persistence",
  "dns/gossip",
];

/** Reads a payload and writes again what was read; throws like the decoder. */
type Rewrite = (bytes: Uint8Array) => Uint8Array | undefined;

const payloads: Readonly<Record<string, { rewrite: Rewrite; refusals: readonly string[] }>> = {
  features: {
    rewrite: (bytes) => encodeFeatures(decodeFeatures(bytes)),
    refusals: ["GOB_*"],
  },
  topology: {
    rewrite: (bytes) => encodeTopology(decodeTopology(bytes).records),
    refusals: ["TOPOLOGY_FORMAT"],
  },
  state: {
    // Nobody passes on the clock of another.
    rewrite: (bytes) => encodeState({ ...decodeState(bytes), nowSeconds: 0 }),
    refusals: ["GOB_*", "PEER_NAME_RANGE"],
  },
  unicast: {
    rewrite(bytes) {
      const message = decodeUnicast(concatBytes(Uint8Array.of(fingerprint(bytes) % 3), bytes));
      if (message === undefined) return undefined;
      if (message.kind !== "ring-update") return encodeUnicast(message).subarray(1);
      return encodeState({ ...message.state, nowSeconds: 0 });
    },
    refusals: ["GOB_*", "PEER_NAME_RANGE", "IPAM_RANGE"],
  },
  names: {
    rewrite(bytes) {
      const { entries, timestampS } = decodeNames(bytes);
      return encodeNames(entries, timestampS)[0];
    },
    refusals: ["GOB_*"],
  },
  message: {
    rewrite(bytes) {
      if (bytes.length === 0) return undefined;
      const message = decodeMessage(bytes);
      return message.kind === "unknown" ? undefined : encodeMessage(message);
    },
    refusals: ["MESSAGE_FORMAT"],
  },
  "stored state": {
    rewrite(bytes) {
      readOriginalState({ peername: bytes, ring: undefined, ownedAddresses: undefined });
      return undefined;
    },
    refusals: ["GOB_*", "PEER_NAME_RANGE"],
  },
  "stored ring": {
    rewrite(bytes) {
      readOriginalState({ peername: encodeGob(gob.uint, 1), ring: bytes, ownedAddresses: bytes });
      return undefined;
    },
    refusals: ["GOB_*", "PEER_NAME_RANGE"],
  },
  everything: {
    rewrite: (bytes) => encodeGob(everything, decodeGob(everything, bytes)),
    refusals: ["GOB_*"],
  },
  "less of it": {
    rewrite: (bytes) => encodeGob(lessOfIt, decodeGob(lessOfIt, bytes)),
    refusals: ["GOB_*"],
  },
};

/** What is read and written again must read as the same: nothing is half understood. */
function checkPayload(name: string, bytes: Uint8Array): boolean {
  const { rewrite, refusals } = payloads[name]!;
  const once = refusable(refusals, () => rewrite(bytes));
  if (once === undefined) return false;
  // A damaged unicast chooses its tag by its octets; what was written has another tag.
  if (name === "unicast") return true;
  const twice = rewrite(once);
  hold(twice !== undefined && Buffer.compare(once, twice) === 0, `${name} changes when rewritten`);
  return true;
}

/** The incremental reader comes to the same value as the one that has everything at once. */
function checkStream<T>(type: GobType<T>, bytes: Uint8Array): void {
  const whole = refusable<T>(["GOB_*"], () => decodeGob(type, bytes));
  const stream = new GobStream({ messageBytesMax: 1 << 20 });
  const pieces = [...chunks(seededRandom(fingerprint(bytes)), bytes)];
  const read = refusable(["GOB_*"], (): { value: T } | undefined => {
    for (const piece of pieces) {
      stream.push(piece);
      const value = stream.tryRead(type);
      if (value !== undefined) return value;
    }
    return undefined;
  });
  if (whole === undefined) {
    hold(read === undefined, "a stream in pieces reads what the whole does not hold");
  } else {
    const same = read !== undefined && Bun.deepEquals(read.value, whole);
    hold(same, "a stream in pieces reads otherwise than the whole");
  }
}

/** Every payload that crosses the wire in Go's gob, read from the same damaged octets. */
export const gobTarget: FuzzTarget = {
  name: "gob",
  corpus: () => [
    ...recordedBytes(files, /^(hex|payloadHex|bodyHex|value_hex|gobHex)$/),
    ...samples.map((sample) => encodeGob(everything, sample)),
    new GobEncoder()
      .write(gob.string, "topology")
      .write(gob.uint, 7)
      .write(gob.bytes, new Uint8Array(9))
      .bytes(),
    foreign(),
  ],
  begin: () => ({
    consume(bytes) {
      checkStream(everything, bytes);
      checkStream(gob.bytes, bytes);
      return Object.keys(payloads).filter((name) => checkPayload(name, bytes)).length > 0;
    },
  }),
};
