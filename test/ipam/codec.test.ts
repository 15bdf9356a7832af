import { expect, test } from "bun:test";
import fc from "fast-check";
import { fromHex, toHex } from "../../lib/base/bytes.ts";
import { errorCode, WeaveError } from "../../lib/base/errors.ts";
import { parsePeerName } from "../../lib/base/peer-name.ts";
import { decodeState, encodeState } from "../../lib/ipam/state-codec.ts";
import { decodeUnicast, encodeUnicast } from "../../lib/ipam/unicast-codec.ts";
import { GobDecoder, gob } from "../../lib/wire/gob.ts";
import shapes from "../vectors/mesh/channel-payload-shapes.json";
import {
  sorted,
  toRange,
  toState,
  type VectorClaims,
  type VectorRange,
  type VectorState,
  vectors,
} from "./vectors.ts";

const states = (
  await vectors<{
    cases: { name: string; hex: string; value: VectorState; single_entry_maps: boolean }[];
  }>("gossip_state")
).cases;
const unicasts = (
  await vectors<{
    cases: { name: string; hex: string; tag: number; range?: VectorRange; state?: VectorState }[];
  }>("unicast_messages")
).cases;
const tolerance = (
  await vectors<{
    cases: {
      name: string;
      hex: string;
      value?: VectorRange | VectorState;
      original_error?: string;
    }[];
  }>("decode_tolerance")
).cases;
const envelopes = (
  await vectors<{
    cases: {
      name: string;
      hex: string;
      payload_hex: string;
      source: string;
      destination?: string;
      protocol_tag: number;
      channel: string;
    }[];
  }>("mesh_envelopes")
).cases;

for (const given of states) {
  test(`the state of the original is read and written: ${given.name}`, () => {
    const state = sorted(toState(given.value));
    expect(sorted(decodeState(fromHex(given.hex)))).toEqual(state);
    expect(sorted(decodeState(encodeState(state)))).toEqual(state);
  });
}

interface Shape {
  readonly name: string;
  readonly channel: string;
  readonly prefixHex: string;
  readonly hex: string;
  readonly meaning: Partial<VectorRange & Omit<VectorState, "Paxos">> & {
    readonly Paxos?:
      | readonly (Omit<VectorClaims, "Node"> & { node: VectorClaims["Node"] })[]
      | null;
  };
}

for (const { name, channel, prefixHex, hex, meaning } of shapes.payloads as readonly Shape[]) {
  if (channel !== "IPallocation") continue;
  test(`a payload of the original has all the meaning stated: ${name}`, () => {
    const bytes = fromHex(hex);
    if (prefixHex === "") {
      const Paxos = meaning.Paxos?.map(({ node, ...claims }) => ({ ...claims, Node: node }));
      const wanted = { ...(meaning as VectorState), Paxos: Paxos ?? null };
      expect(sorted(decodeState(bytes))).toEqual(sorted(toState(wanted)));
    } else {
      expect(toHex(bytes.subarray(0, 1))).toBe(prefixHex);
      const kind = prefixHex === "00" ? "space-request" : "space-denied";
      expect(decodeUnicast(bytes)).toEqual({ kind, range: toRange(meaning as VectorRange) });
    }
  });
}

test("the value of a state has the bytes of the original where their order is fixed", () => {
  for (const given of states.filter(({ single_entry_maps }) => single_entry_maps)) {
    const ours = toHex(encodeState(toState(given.value)));
    expect(valueSegment(ours)).toBe(valueSegment(given.hex));
  }
});

/** The last segment of a stream without length and type id. */
function valueSegment(hex: string): string {
  const bytes = fromHex(hex);
  let at = 0;
  for (;;) {
    const wide = bytes[at]! >= 128 ? 256 - bytes[at]! : 0;
    const length =
      wide === 0 ? bytes[at]! : Number(`0x${toHex(bytes.subarray(at + 1, at + 1 + wide))}`);
    const end = at + 1 + wide + length;
    if (end === bytes.length) return toHex(bytes.subarray(at + 3 + wide, end));
    at = end;
  }
}

for (const given of unicasts) {
  test(`a message to one peer is read and written: ${given.name}`, () => {
    const message = decodeUnicast(fromHex(given.hex))!;
    expect(message.kind).toBe(
      (["space-request", "ring-update", "space-denied"] as const)[given.tag]!,
    );
    if (message.kind === "ring-update")
      expect(sorted(message.state)).toEqual(sorted(toState(given.state!)));
    else expect(message.range).toEqual(toRange(given.range!));
    const written = encodeUnicast(message);
    expect(written[0]).toBe(given.tag);
    expect(decodeUnicast(written)).toEqual(message);
  });
}

for (const given of envelopes) {
  test(`the mesh message around a payload holds it unchanged: ${given.name}`, () => {
    const bytes = fromHex(given.hex);
    expect(bytes[0]).toBe(given.protocol_tag);
    const outer = new GobDecoder(bytes.subarray(1));
    expect(outer.read(gob.string)).toBe(given.channel);
    expect(outer.read(gob.uint)).toBe(parsePeerName(given.source));
    if (given.destination !== undefined)
      expect(outer.read(gob.uint)).toBe(parsePeerName(given.destination));
    const payload = outer.read(gob.bytes);
    expect(toHex(payload)).toBe(given.payload_hex);
    const read = given.protocol_tag === 5 ? decodeUnicast(payload) : decodeState(payload);
    expect(read).toBeDefined();
  });
}

for (const given of tolerance) {
  test(`odd bytes are ${given.original_error === undefined ? "understood" : "refused"}: ${given.name}`, () => {
    const bytes = fromHex(given.hex);
    const isRange = given.name.startsWith("range_");
    const read = (): unknown =>
      isRange ? decodeUnicast(new Uint8Array([0, ...bytes])) : sorted(decodeState(bytes));
    if (given.original_error !== undefined) {
      expect(read).toThrow(WeaveError);
    } else if (isRange) {
      expect(read()).toEqual({ kind: "space-request", range: toRange(given.value as VectorRange) });
    } else {
      expect(read()).toEqual(sorted(toState(given.value as VectorState)));
    }
  });
}

test("an empty message and one with an unknown tag are nothing", () => {
  expect(decodeUnicast(new Uint8Array())).toBeUndefined();
  expect(decodeUnicast(new Uint8Array([3, 1, 2, 3]))).toBeUndefined();
});

test("a range that ends before it starts is refused", () => {
  const written = encodeUnicast({ kind: "space-request", range: { start: 20, end: 10 } });
  expect(() => decodeUnicast(written)).toThrow("ends before it starts");
});

test("damaged states and messages give a clear error, never a crash", () => {
  const samples = [
    ...states.map(({ hex }) => fromHex(hex)),
    ...unicasts.map(({ hex }) => fromHex(hex)),
  ];
  const damage = fc.record({
    sample: fc.nat(samples.length - 1),
    flips: fc.array(fc.tuple(fc.nat(999), fc.nat(255)), { minLength: 1, maxLength: 6 }),
    cut: fc.option(fc.nat(999)),
  });
  fc.assert(
    fc.property(damage, ({ sample, flips, cut }) => {
      const bytes = samples[sample]!.slice(0, cut ?? undefined);
      for (const [at, value] of flips) if (bytes.length > 0) bytes[at % bytes.length] = value;
      for (const read of [decodeState, decodeUnicast]) {
        try {
          read(bytes);
        } catch (error) {
          expect(errorCode(error)).not.toBe("INTERNAL");
        }
      }
    }),
    { seed: 1, numRuns: 3000 },
  );
});
