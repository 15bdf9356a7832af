import { expect, test } from "bun:test";
import { trafficSlots } from "../../../../lib/host/datapath/ebpf/tables.ts";
import { TrafficSlots } from "../../../../lib/host/datapath/ebpf/traffic-slots.ts";

test("a neighbour counts in a row of its own for as long as it is one", () => {
  const slots = new TrafficSlots();
  expect([slots.take(7), slots.take(8), slots.take(7)]).toEqual([1, 2, 1]);
  slots.release(7);
  expect(slots.of(7)).toBeUndefined();
  expect([slots.take(9), slots.take(7)]).toEqual([1, 3]);
});

test("the rows of an earlier process stay whose they were", () => {
  const slots = new TrafficSlots();
  slots.adopt(5, 1);
  slots.adopt(6, 0);
  expect([slots.take(4), slots.take(5), slots.take(6)]).toEqual([2, 1, 3]);
});

test("neighbours beyond the rows of the table count nowhere", () => {
  const slots = new TrafficSlots();
  const taken = Array.from({ length: trafficSlots }, (_, id) => slots.take(id));
  expect(new Set(taken).size).toBe(trafficSlots);
  expect(taken.at(-1)).toBe(0);
  expect(slots.of(trafficSlots - 1)).toBeUndefined();
});
