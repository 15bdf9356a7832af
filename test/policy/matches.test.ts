import { describe, expect, test } from "bun:test";
import { formatCidr, parseCidr } from "../../lib/base/ip.ts";
import { CountedSet } from "../../lib/policy/compiler/counted-set.ts";
import type { PortRange } from "../../lib/policy/objects.ts";
import { blockMatch } from "../../lib/policy/peer-matches.ts";
import { matchesOf } from "../../lib/policy/port-matches.ts";

const tcp = (first: number, last = first): PortRange => ({
  ...{ kind: "numbers", protocol: "TCP", first, last },
});

describe("ports of a rule", () => {
  test("neither overlap nor touch, and are the same in whatever order they are written", () => {
    const udp: PortRange = { kind: "numbers", protocol: "UDP", first: 80, last: 80 };
    const written = [tcp(80), tcp(70, 90), tcp(91), udp, tcp(100, 110), tcp(105)];
    const { ports, key } = matchesOf(written);
    expect(ports).toEqual([tcp(70, 91), tcp(100, 110), udp] as never);
    expect(matchesOf(written.toReversed()).key).toBe(key);
  });

  test("by name are looked up in a set for each name and protocol", () => {
    const web: PortRange = { kind: "name", protocol: "TCP", name: "web" };
    const any: PortRange = { kind: "name", name: "web" };
    const { queries, ports } = matchesOf([web, tcp(80), any, web]);
    expect(queries.map(({ name, protocol }) => [name, protocol])).toEqual([
      ["web", "TCP"],
      ["web", undefined],
    ]);
    expect(ports).toHaveLength(3);
  });

  test("may be none, which is not any", () => {
    expect(matchesOf([]).ports).toEqual([]);
    expect(matchesOf("any").ports).toBe("any");
  });
});

describe("a block with exceptions", () => {
  function left(block: string, ...except: string[]): string[] | undefined {
    const [match] = blockMatch(parseCidr(block), except.map(parseCidr));
    return match?.match.except.map(formatCidr);
  }

  test("keeps those that are within it and in no other", () => {
    expect(left("10.0.0.0/8", "10.1.2.0/24", "10.1.0.0/16", "11.0.0.0/16", "10.1.0.0/16")).toEqual([
      "10.1.0.0/16",
    ]);
  });

  test("is nothing when nothing is left of it", () => {
    expect(left("10.0.0.0/8", "0.0.0.0/0")).toBeUndefined();
    expect(left("10.0.0.0/8", "10.0.0.0/8")).toBeUndefined();
    expect(left("10.0.0.0/8", "::/0")).toEqual([]);
  });
});

test("an element that is in a set for two reasons leaves it with the second", () => {
  const told = new Set<string>();
  const set = new CountedSet<string, string>({
    has: (id) => told.has(id),
    insert: (id) => told.add(id),
    delete: (id) => told.delete(id),
  });
  set.count("a", "a", 1);
  set.count("a", "a", 1);
  set.count("b", "b", 1);
  set.count("b", "b", -1);
  expect(set.tell()).toEqual({ add: ["a"], remove: [] });
  set.count("a", "a", -1);
  expect(set.tell()).toEqual({ add: [], remove: [] });
  set.count("a", "a", -1);
  expect(set.tell()).toEqual({ add: [], remove: ["a"] });
  expect(told.size).toBe(0);
});
