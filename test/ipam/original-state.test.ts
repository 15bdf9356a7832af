import { expect, test } from "bun:test";
import { fromHex } from "../../lib/base/bytes.ts";
import { formatIpv4Cidr } from "../../lib/base/ip.ts";
import { formatPeerName } from "../../lib/base/peer-name.ts";
import { readOriginalState } from "../../lib/ipam/original-state.ts";
import { encodeGob, gob } from "../../lib/wire/gob.ts";
import { MemoryStore } from "./memory-store.ts";
import { TestPeer } from "./test-peer.ts";
import { toRing, type VectorRing, vectors } from "./vectors.ts";

const sample = await vectors<{
  ring_empty_hex: string;
  owned_empty_hex: string;
  keys: { key: string; value_hex: string }[];
  decoded: {
    peername: string;
    ring: VectorRing;
    ownedAddresses: Record<string, { IsContainer: boolean; Cidrs: string[] }>;
  };
}>("persistence");

function value(name: string): Uint8Array {
  return fromHex(sample.keys.find(({ key }) => key === name)!.value_hex);
}

const values = {
  peername: value("peername"),
  ring: value("ring"),
  ownedAddresses: value("ownedAddresses"),
};

test("the state of an allocator is read from the values of the original's database", () => {
  const { self, ring, held } = readOriginalState(values)!;
  expect(formatPeerName(self)).toBe(sample.decoded.peername);
  expect(ring).toEqual(toRing(sample.decoded.ring));
  const byIdent: typeof sample.decoded.ownedAddresses = {};
  for (const { ident, isContainer, cidr } of held) {
    byIdent[ident] ??= { IsContainer: isContainer, Cidrs: [] };
    byIdent[ident].Cidrs.push(formatIpv4Cidr(cidr));
  }
  expect(byIdent).toEqual(sample.decoded.ownedAddresses);
});

test("a peer goes on from the state of the original with all its addresses", () => {
  const store = new MemoryStore(readOriginalState(values));
  const peer = new TestPeer({ name: sample.decoded.peername, store });
  const held = peer.allocator.list().map(({ ident, cidrs }) => [ident, cidrs.map(formatIpv4Cidr)]);
  expect(Object.fromEntries(held)["weave:expose"]).toEqual(["10.40.0.1/12"]);
  expect(peer.allocator.status().ranges).toHaveLength(2);
});

test("a database in which nothing was stored yet is empty", () => {
  const nothing = { peername: undefined, ring: undefined, ownedAddresses: undefined };
  expect(readOriginalState(nothing)).toBeUndefined();
});

test("a ring without entries and holders without addresses, as a first start leaves them, are empty", () => {
  const empty = {
    ...values,
    ring: fromHex(sample.ring_empty_hex),
    ownedAddresses: fromHex(sample.owned_empty_hex),
  };
  const state = readOriginalState(empty);
  expect(state?.ring?.entries ?? []).toEqual([]);
  expect(state?.held ?? []).toEqual([]);
  const peer = new TestPeer({ name: sample.decoded.peername, store: new MemoryStore(state) });
  expect(peer.allocator.status().ranges).toBeUndefined();
});

test("an address whose prefix has more bits than an address is refused", () => {
  const type = gob.map(
    gob.string,
    gob.struct("ownedData", {
      IsContainer: gob.bool,
      Cidrs: gob.slice(gob.struct("CIDR", { Addr: gob.uint, PrefixLen: gob.int })),
    }),
  );
  for (const PrefixLen of [-1, 33]) {
    const data = { IsContainer: true, Cidrs: [{ Addr: 1, PrefixLen }] };
    const ownedAddresses = encodeGob(type, [["c1", data]]);
    expect(() => readOriginalState({ ...values, ownedAddresses })).toThrow("prefix of");
  }
});
