import { expect, test } from "bun:test";
import type { PeerName } from "../../lib/base/peer-name.ts";
import { type Entry, makeEntry, withState } from "../../lib/dns/entry.ts";
import { charactersMax, EntryStore, namesMax } from "../../lib/dns/entry-store.ts";

function entry(hostname: string): Entry {
  const identity = { containerId: "c1", origin: 2 as PeerName, address: 1 };
  return makeEntry({ ...identity, hostname, version: 0, tombstone: 0 });
}

/** Puts names until one is refused; gives how many were taken. */
function fill(store: EntryStore, name: (index: number) => string): number {
  let count = 0;
  while (count < 50_000 && store.put(entry(name(count)))) count++;
  return count;
}

test("names of very many labels fill the table sooner, dead or alive", () => {
  const deep = (index: number): string => `n${index}.${`l${index}.`.repeat(100)}`;
  const store = new EntryStore();
  const count = fill(store, deep);
  expect(count).toBeLessThan(namesMax / 100);
  const dead = withState(entry(deep(count)), 1, 1_700_000_000);
  expect(store.put(dead)).toBe(true);
  expect(store.put(withState(dead, 2, 0))).toBe(false);
  expect(store.put(withState(entry(deep(0)), 2, 0))).toBe(true);
  store.erase(store.get(entry(deep(1)))!);
  expect(store.put(withState(dead, 2, 0))).toBe(true);
});

test("names that take much room fill the table sooner, and leave it when they go", () => {
  const long = (index: number): string => `${"ü".repeat(1000)}${index}.`;
  const store = new EntryStore();
  const count = fill(store, long);
  expect(count).toBeLessThan(charactersMax / 9000);
  for (let index = 0; index < count; index++) store.erase(store.get(entry(long(index)))!);
  expect(fill(store, long)).toBe(count);
});
