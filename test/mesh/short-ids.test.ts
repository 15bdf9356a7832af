import { describe, expect, test } from "bun:test";
import { type PeerName, parsePeerName } from "../../lib/base/peer-name.ts";
import { seededRandom, shuffle } from "../../lib/base/random.ts";
import { ShortIds, shortIdsMax } from "../../lib/mesh/short-ids.ts";
import vectors from "../vectors/mesh/short-ids.json";

describe("short ids", () => {
  test("change owners and meaning exactly when the original's do", () => {
    const ids = new ShortIds();
    const self = parsePeerName(vectors.self.name);
    ids.add(vectors.self.shortID, self);
    for (const event of vectors.events) {
      const before = ids.generation;
      const peer = parsePeerName(event.peer);
      if (event.op === "add") ids.add(event.shortID, peer);
      else ids.remove(event.shortID, peer);
      const owner = event.ownerAfter === "" ? undefined : parsePeerName(event.ownerAfter);
      expect(ids.ownerOf(event.shortID)).toBe(owner);
      expect(ids.generation > before).toBe(event.mappingInvalidated);
      expect(ids.ownerOf(vectors.self.shortID) !== self).toBe(event.selfMustReassign);
    }
  });

  test("belong to the lowest of very many, in whatever order they come and go", () => {
    const ids = new ShortIds();
    const random = seededRandom(7);
    const names = Array.from({ length: 16_384 }, (_, n) => (n + 1) as PeerName);
    for (const peer of shuffle(random, [...names])) ids.add(5, peer);
    const leaving = shuffle(random, [...names]).slice(0, 1000);
    for (const peer of leaving) ids.remove(5, peer);
    const left = new Set(names).difference(new Set(leaving));
    for (const peer of names.slice(0, 300)) {
      const [lowest] = left;
      expect(ids.ownerOf(5)).toBe(lowest!);
      ids.remove(5, peer);
      left.delete(peer);
    }
  });

  test("are drawn from the free ones, to the last", () => {
    const ids = new ShortIds();
    const random = seededRandom(1);
    const drawn = new Set<number>();
    for (let peer = 1; peer <= shortIdsMax; peer++) {
      const id = ids.drawFree(random)!;
      expect(drawn.has(id)).toBe(false);
      drawn.add(id);
      ids.add(id, peer as PeerName);
    }
    expect(ids.drawFree(random)).toBeUndefined();
    ids.remove(77, ([...drawn].indexOf(77) + 1) as PeerName);
    expect(ids.drawFree(random)).toBe(77);
  });

  test("beyond twelve bits belong to nobody", () => {
    const ids = new ShortIds();
    ids.add(5000, parsePeerName("::1"));
    ids.add(undefined, parsePeerName("::1"));
    expect(ids.ownerOf(5000)).toBeUndefined();
    ids.remove(5000, parsePeerName("::1"));
  });
});
