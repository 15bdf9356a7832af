import { expect, test } from "bun:test";
import { formatIpv4, parseIpv4Cidr } from "../../lib/base/ip.ts";
import { AddressSet } from "../../lib/ipam/address-set.ts";
import { chooseBlock, chooseDonation } from "../../lib/ipam/donation.ts";
import { type AddressRange, cidrRange, hostRange } from "../../lib/ipam/range.ts";
import { fromRange, toRange, type VectorRange, vectors } from "./vectors.ts";

interface SpaceCase {
  name: string;
  op: "donate" | "donate_series" | "allocate";
  free: VectorRange[];
  request: VectorRange;
  ok: boolean;
  chunk?: VectorRange;
  chunks: VectorRange[];
  free_after: VectorRange[];
  free_in_request: number;
  subnet: string;
  host_range: VectorRange;
  address?: string;
}

const { cases } = await vectors<{ cases: SpaceCase[] }>("space_ops");
const random = await vectors<{
  cases: {
    free: [number, number][];
    request: [number, number];
    chunk: [number, number] | null;
    free_in_request: number;
  }[];
}>("donate_random");

for (const given of cases.filter(({ op }) => op === "donate")) {
  test(`a donor gives away the block of the original: ${given.name}`, () => {
    const free = AddressSet.of(given.free.map(toRange));
    const block = chooseBlock(free, toRange(given.request));
    expect(free.countIn(toRange(given.request))).toBe(given.free_in_request);
    expect(block !== undefined).toBe(given.ok);
    expect(block && fromRange(block)).toEqual(given.chunk);
    const left = block === undefined ? free : free.without(block);
    expect(left.ranges().map(fromRange)).toEqual(given.free_after);
  });
}

for (const given of cases.filter(({ op }) => op === "donate_series")) {
  test(`a donor that is asked again and again: ${given.name}`, () => {
    let free = AddressSet.of(given.free.map(toRange));
    for (const chunk of given.chunks) {
      const block = chooseBlock(free, toRange(given.request));
      expect(block && fromRange(block)).toEqual(chunk);
      free = free.without(toRange(chunk));
    }
  });
}

for (const given of cases.filter(({ op }) => op === "allocate")) {
  test(`the lowest host address of the subnet is given out: ${given.name}`, () => {
    const subnet = parseIpv4Cidr(given.subnet);
    const address = AddressSet.of(given.free.map(toRange)).firstIn(hostRange(subnet));
    expect(fromRange(hostRange(subnet))).toEqual(given.host_range);
    expect(address !== undefined).toBe(given.ok);
    expect(address === undefined ? undefined : formatIpv4(address)).toBe(given.address);
  });
}

test(`${random.cases.length} random donations give away the block of the original`, () => {
  const pair = ([start, end]: [number, number]): AddressRange => ({ start, end });
  for (const given of random.cases) {
    const free = AddressSet.of(given.free.map(pair));
    const chunk = given.chunk === null ? undefined : pair(given.chunk);
    expect(free.countIn(pair(given.request))).toBe(given.free_in_request);
    expect(chooseBlock(free, pair(given.request))).toEqual(chunk);
  }
});

test("a subnet of which only the edges are free has nothing for who asks", () => {
  const subnet = cidrRange(parseIpv4Cidr("10.2.0.0/29"));
  const edges = AddressSet.of([
    { start: subnet.start, end: subnet.start + 1 },
    { start: subnet.end - 1, end: subnet.end },
  ]);
  expect(chooseDonation(edges, subnet)).toBeUndefined();
});

test("a host address is preferred to an edge of the subnet", () => {
  const subnet = cidrRange(parseIpv4Cidr("10.2.0.0/29"));
  const free = AddressSet.of([{ start: subnet.end - 2, end: subnet.end }]);
  expect(chooseDonation(free, subnet)).toEqual({ start: subnet.end - 2, end: subnet.end - 1 });
});

test("an edge of a subnet that is claimed by itself is given away", () => {
  const { start } = cidrRange(parseIpv4Cidr("10.2.0.0/29"));
  const claim = { start, end: start + 1 };
  expect(chooseDonation(AddressSet.of([claim]), claim)).toEqual(claim);
});
