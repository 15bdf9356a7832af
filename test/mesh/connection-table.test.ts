import { describe, expect, test } from "bun:test";
import { errorCode } from "../../lib/base/errors.ts";
import { ConnectionTable, type TableEntry } from "../../lib/mesh/connection-table.ts";
import vectors from "../vectors/mesh/connections.json";
import { nameOf } from "./records.ts";

function entry(n: number, uid: bigint, peerUid = 1n): TableEntry {
  return { name: nameOf(n), uid, peerUid };
}

function table(limit: number, ...entries: TableEntry[]): ConnectionTable<TableEntry> {
  const connections = new ConnectionTable<TableEntry>(limit);
  for (const each of entries) connections.add(each);
  return connections;
}

describe("two connections to one peer", () => {
  for (const tie of vectors.ties) {
    const ids = (side: { connID: string[] }): bigint =>
      BigInt(side.connID[0]!) ^ BigInt(side.connID[1]!);

    test(`with uids ${tie.existing.uid} and ${tie.new.uid}: ${tie.outcome}`, () => {
      expect(ids(tie.existing)).toBe(BigInt(tie.existing.uid));
      expect(ids(tie.new)).toBe(BigInt(tie.new.uid));
      const existing = entry(2, ids(tie.existing));
      const { refused, closes } = table(0, existing).judge(entry(2, ids(tie.new)));
      const survivors = {
        new: refused === undefined,
        existing: closes === undefined,
      };
      expect(survivors).toEqual({
        new: tie.outcome.startsWith("the new connection survives"),
        existing: tie.outcome.startsWith("the existing connection survives"),
      });
    });
  }

  test("of which the older has the lower uid: the newer is refused", () => {
    const { refused, closes } = table(0, entry(2, 3n)).judge(entry(2, 4n));
    expect(errorCode(refused)).toBe("DUPLICATE");
    expect(refused!.message).toStartWith("Multiple connections to 02:00:00:02:00:00");
    expect(closes).toBeUndefined();
  });

  test("after a restart of the peer: the old one is dead whatever the uids", () => {
    const old = entry(2, 3n, 1n);
    const { refused, closes } = table(0, old).judge(entry(2, 4n, 2n));
    expect(refused).toBeUndefined();
    expect(closes!.entry).toBe(old);
    expect(errorCode(closes!.error)).toBe("PEER_RESTARTED");
  });
});

describe("the connection limit", () => {
  test("refuses another peer and not a better connection to a known one", () => {
    const connections = table(2, entry(2, 20n), entry(3, 30n));
    expect(connections.full).toBe(true);
    const { refused } = connections.judge(entry(4, 1n));
    expect(refused!.message).toBe("Connection limit reached (2)");
    expect(connections.judge(entry(3, 1n)).refused).toBeUndefined();
  });

  test("of zero is none", () => {
    const connections = table(0, ...Array.from({ length: 500 }, (_, at) => entry(at + 2, 1n)));
    expect(connections.full).toBe(false);
    expect(connections.judge(entry(1000, 1n))).toEqual({});
  });

  test("counts no connection that was replaced meanwhile", () => {
    const connections = table(1, entry(2, 5n));
    expect(connections.remove(entry(2, 5n))).toBe(false);
    expect(connections.size).toBe(1);
  });
});
