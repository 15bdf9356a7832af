import { expect, test } from "bun:test";
import { errorText } from "../../lib/base/errors.ts";
import { formatIpv4Cidr, parseIpv4Cidr } from "../../lib/base/ip.ts";
import {
  cidrCover,
  cidrRange,
  formatRange,
  formatSpan,
  hostRange,
  largestAlignedBlock,
  parseSubnet,
  rangeSize,
} from "../../lib/ipam/range.ts";
import { trackerChange } from "../../lib/ipam/tracker.ts";
import { fromRange, toRange, type VectorRange, vectors } from "./vectors.ts";

const helpers = await vectors<{
  ranges: {
    range: VectorRange;
    size: number;
    string: string;
    as_cidr_string: string;
    biggest_aligned: VectorRange;
    cidrs: string[];
  }[];
  subnet_parsing: {
    input: string;
    subnet?: string;
    host_range?: VectorRange;
    cidr_error?: string;
    subnet_error?: string;
  }[];
  tracker_diffs: {
    name: string;
    previous_ranges: VectorRange[];
    current_ranges: VectorRange[];
    to_add: string[];
    to_remove: string[];
  }[];
}>("address_helpers");

for (const given of helpers.ranges) {
  test(`the range ${given.string} has the size, text, largest block and cover of the original`, () => {
    const range = toRange(given.range);
    expect(rangeSize(range)).toBe(given.size);
    expect(formatSpan(range)).toBe(given.string);
    expect(formatRange(range)).toBe(given.as_cidr_string);
    expect(fromRange(largestAlignedBlock(range))).toEqual(given.biggest_aligned);
    expect(cidrCover(range).map(formatIpv4Cidr)).toEqual(given.cidrs);
  });
}

for (const given of helpers.subnet_parsing) {
  test(`the subnet "${given.input}" is ${given.subnet_error ?? "accepted"}`, () => {
    expect(thrownText(() => parseIpv4Cidr(given.input))).toBe(given.cidr_error);
    expect(thrownText(() => parseSubnet(given.input))).toBe(given.subnet_error);
    if (given.subnet_error !== undefined) return;
    const subnet = parseSubnet(given.input);
    expect(formatIpv4Cidr(subnet)).toBe(given.subnet ?? given.input);
    if (given.host_range !== undefined)
      expect(fromRange(hostRange(subnet))).toEqual(given.host_range);
  });
}

for (const given of helpers.tracker_diffs) {
  test(`a tracker hears what to add and remove: ${given.name}`, () => {
    const change = trackerChange(
      given.previous_ranges.map(toRange),
      given.current_ranges.map(toRange),
    );
    expect(change.add.map(formatIpv4Cidr)).toEqual(given.to_add);
    expect(change.remove.map(formatIpv4Cidr)).toEqual(given.to_remove);
  });
}

test("a CIDR with host bits covers its whole network", () => {
  expect(formatRange(cidrRange(parseIpv4Cidr("10.2.3.4/16")))).toBe("10.2.0.0/16");
  expect(rangeSize(cidrRange(parseIpv4Cidr("128.0.0.1/1")))).toBe(2 ** 31);
});

function thrownText(action: () => unknown): string | undefined {
  try {
    action();
    return undefined;
  } catch (error) {
    return errorText(error);
  }
}
