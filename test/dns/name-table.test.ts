import { describe, expect, test } from "bun:test";
import { fromHex } from "../../lib/base/bytes.ts";
import { peerNameFromNumber } from "../../lib/base/peer-name.ts";
import { makeEntry, tombstoneAgeMaxS } from "../../lib/dns/entry.ts";
import { encodeNames } from "../../lib/dns/name-codec.ts";
import { nameRecord, nameStatus } from "../../lib/dns/name-report.ts";
import { waitingEntriesMax } from "../../lib/dns/waiting-entries.ts";
import http from "../vectors/dns/http_api.json";
import lifecycle from "../vectors/dns/lifecycle.json";
import status from "../vectors/dns/status.json";
import { ip, otherName, ownName, said, TableBench, toVector } from "./names.ts";

const remote = makeEntry({
  containerId: "c7",
  origin: otherName,
  address: 0x0a280007,
  hostname: "remote.weave.local.",
  version: 0,
  tombstone: 0,
});

/** What each recorded step does, by the beginning of its description. */
const lifecycleSteps: ReadonlyArray<[string, (bench: TableBench) => void]> = [
  ["add fqdn one", ({ table }) => table.add("one.weave.local", "c1", ip("10.32.0.1"))],
  ["add the same again", ({ table }) => table.add("one.weave.local.", "c1", ip("10.32.0.1"))],
  ["add two", ({ table }) => table.add("two.weave.local", "c1", ip("10.32.0.1"))],
  ["add name outside", ({ table }) => table.add("one.example.com", "c1", ip("10.32.0.1"))],
  ["add the bare domain", ({ table }) => table.add("weave.local", "c1", ip("10.32.0.1"))],
  ["add with upper-case", ({ table }) => table.add("Three.WEAVE.Local", "c2", ip("10.32.0.2"))],
  ["delete by name", ({ table }) => removeOne(table)],
  ["delete again", ({ table }) => removeOne(table)],
  ["delete is case-sensitive", () => {}],
  ["container c1 died", ({ table }) => table.containerDied("c1")],
  ["add one.weave.local again", ({ table }) => table.add("one.weave.local", "c1", ip("10.32.0.1"))],
  [
    "remote entry arrives, then delete",
    (bench) => {
      bench.hear(remote);
      bench.table.remove({});
    },
  ],
  ["peer 02 gone", ({ table }) => table.peerGone(otherName)],
];

function removeOne(table: TableBench["table"]): number {
  return table.remove({ name: "one.weave.local.", ident: "c1", address: ip("10.32.0.1") });
}

test("a recorded life of names gives the same table and broadcasts, step by step", () => {
  const bench = new TableBench(lifecycle.steps[0]!.now);
  expect(lifecycle.steps).toHaveLength(lifecycleSteps.length);
  for (const [index, step] of lifecycle.steps.entries()) {
    const [description, act] = lifecycleSteps[index]!;
    expect(step.action).toStartWith(description);
    bench.nowS = step.now;
    act(bench);
    const sent = bench.broadcasts.splice(0);
    expect(sent.flatMap((data) => data.encode().map((body) => body.toHex()))).toEqual(
      step.broadcasts.map((each) => each.hex),
    );
    expect(bench.state()).toEqual(step.state_after);
  }
});

describe("names of this peer", () => {
  test("are deleted in whatever letter case they are asked for", () => {
    const { table } = new TableBench();
    table.add("One.weave.local", "c1", ip("10.32.0.1"));
    expect(table.remove({ name: "oNE.Weave.Local" })).toBe(1);
    expect(table.lookup("one.weave.local")).toEqual([]);
  });

  test("are deleted by any combination of name, container and address", () => {
    const { table } = new TableBench();
    table.add("a.weave.local", "c1", ip("10.32.0.1"));
    table.add("a.weave.local", "c1", ip("10.32.0.2"));
    table.add("b.weave.local", "c2", ip("10.32.0.1"));
    expect(table.remove({ ident: "nobody" })).toBe(0);
    expect(table.remove({ ident: "c1", address: ip("10.32.0.2") })).toBe(1);
    expect(table.remove({ address: ip("fd00::1") })).toBe(0);
    expect(table.remove({ address: ip("10.32.0.1") })).toBe(2);
  });

  test("under another spelling revive the entry that was there before", () => {
    const bench = new TableBench();
    bench.table.add("Foo.weave.local", "c1", ip("10.32.0.1"));
    expect(bench.table.add("foo.weave.local", "c1", ip("10.32.0.1"))).toBe("unchanged");
    bench.table.remove({ name: "foo.weave.local" });
    expect(bench.table.add("foo.weave.local", "c1", ip("10.32.0.1"))).toBe("added");
    expect(bench.state().map((each) => [each.Hostname, each.Version])).toEqual([
      ["Foo.weave.local.", 2],
    ]);
  });

  test("at an IPv6 address are refused", () => {
    const { table } = new TableBench();
    expect(() => table.add("six.weave.local", "c6", ip("fd00::1"))).toThrow("not supported");
    expect(table.entries()).toEqual([]);
  });

  test("that no resolver could ask for are refused", () => {
    const { table } = new TableBench();
    for (const name of ["a..weave.local", `${"x".repeat(64)}.weave.local`]) {
      expect(() => table.add(name, "c1", ip("10.32.0.1"))).toThrow("invalid name");
    }
  });

  test("are inside the domain label by label: a longer last label does not count", () => {
    const { table } = new TableBench();
    expect(table.add("notweave.local", "c1", ip("10.32.0.1"))).toBe("outside-domain");
    expect(table.add("fooweave.local.", "c1", ip("10.32.0.1"))).toBe("outside-domain");
    expect(table.add("foo.weave.local.", "c1", ip("10.32.0.1"))).toBe("added");
    expect(table.add("foo\\.weave.local.", "c1", ip("10.32.0.1"))).toBe("outside-domain");
    expect(table.add("", "c1", ip("10.32.0.1"))).toBe("outside-domain");
  });

  test("can be listed, and restored by a later life with a higher version", () => {
    let changes = 0;
    const first = new TableBench(1_700_000_000, [], { ownNamesChanged: () => changes++ });
    first.table.add("db.weave.local", "weave:extern", ip("192.168.5.5"));
    first.table.add("x.weave.local", "c1", ip("10.32.0.1"));
    first.table.remove({ ident: "c1" });
    expect(changes).toBe(3);
    const kept = first.table.ownNames();
    expect(kept).toHaveLength(1);

    const second = new TableBench(1_700_000_100);
    for (const { name, ident, address } of kept) second.table.add(name, ident, address);
    second.table.onGossip(otherName, first.table.full()!.encode()[0]!);
    expect(second.table.lookup("db.weave.local")).toHaveLength(1);
    expect(second.table.lookup("x.weave.local")).toEqual([]);
  });
});

describe("lookups", () => {
  test("find a name in any letter case, and every container that has it (N10)", () => {
    const { table } = new TableBench();
    table.add("SeEtWo.weave.local", "c2", ip("10.32.0.2"));
    table.add("seetwo.weave.local", "c3", ip("10.32.0.3"));
    for (const spelling of ["seetwo.weave.local", "SEETWO.WEAVE.LOCAL.", "SeEtWo.weave.local"]) {
      expect(table.lookup(spelling)).toHaveLength(2);
    }
  });

  test("by address always give the current container's name (N14)", () => {
    const { table } = new TableBench();
    const address = ip("10.32.0.9");
    for (const container of ["acontainer", "bcontainer", "ccontainer"]) {
      table.add(`${container}.weave.local`, container, address);
      expect(table.reverse(address)).toBe(`${container}.weave.local.`);
      table.containerDied(container);
      expect(table.reverse(address)).toBeUndefined();
    }
    expect(table.reverse(ip("fd00::1"))).toBeUndefined();
  });

  test("know names that exist only because others lie below them", () => {
    const { table } = new TableBench();
    table.add("a.b.sub.weave.local", "c1", ip("10.32.0.1"));
    table.add("c.sub.weave.local", "c1", ip("10.32.0.1"));
    expect(table.hasNamesBelow("sub.weave.local.")).toBe(true);
    expect(table.hasNamesBelow("b.sub.weave.local.")).toBe(true);
    table.remove({ name: "a.b.sub.weave.local" });
    expect(table.hasNamesBelow("b.sub.weave.local.")).toBe(false);
    expect(table.hasNamesBelow("sub.weave.local.")).toBe(true);
    table.remove({});
    expect(table.hasNamesBelow("sub.weave.local.")).toBe(false);
    expect(table.hasNamesBelow("local.")).toBe(false);
  });
});

describe("peers", () => {
  test("take their names with them and bring them back with the first gossip (N25)", () => {
    const bench = new TableBench();
    bench.hear(remote);
    bench.table.add("own.weave.local", "c1", ip("10.32.0.1"));
    bench.table.peerGone(otherName);
    expect(bench.state().map((each) => each.Hostname)).toEqual(["own.weave.local."]);
    bench.table.peerGone(ownName);
    expect(bench.state()).toHaveLength(1);
    bench.hear(remote);
    expect(bench.table.lookup("remote.weave.local")).toHaveLength(1);
  });

  test("whose topology comes later keep their names until they appear", () => {
    const bench = new TableBench();
    bench.strangers.add(otherName);
    bench.hear(remote);
    bench.hear({ ...remote, version: 2 });
    bench.hear(remote);
    expect(bench.state()).toEqual([]);
    bench.strangers.delete(otherName);
    bench.table.peerAppeared(otherName);
    expect(bench.state()).toEqual([toVector({ ...remote, version: 2 })]);
  });

  test("that do not appear within a minute are forgotten", () => {
    const bench = new TableBench();
    bench.strangers.add(otherName);
    bench.hear(remote);
    bench.clock.run(60_001);
    bench.table.peerAppeared(otherName);
    expect(bench.state()).toEqual([]);
  });

  test("unknown ones cannot fill the memory", () => {
    const bench = new TableBench();
    for (let number = 1000; number < 7000; number++) {
      const origin = peerNameFromNumber(number);
      bench.strangers.add(origin);
      bench.hear({ ...remote, origin });
    }
    for (const origin of bench.strangers) bench.table.peerAppeared(origin);
    expect(bench.state()).toHaveLength(waitingEntriesMax);
  });
});

describe("tombstones", () => {
  test("go with the half-hourly sweep once they are 30 minutes old (N27)", () => {
    const bench = new TableBench();
    const { removed_when_older_than_seconds, sweep_every_seconds } = lifecycle.tombstone_timers;
    expect([removed_when_older_than_seconds, sweep_every_seconds]).toEqual([
      tombstoneAgeMaxS,
      tombstoneAgeMaxS,
    ]);
    bench.table.add("one.weave.local", "c1", ip("10.32.0.1"));
    bench.clock.run(60_000);
    bench.table.remove({});
    bench.clock.run(1_740_000);
    expect(bench.state()).toHaveLength(1);
    bench.clock.run(1_800_000);
    expect(bench.state()).toEqual([]);
  });

  test("go where peers look at different times and tell each other all that they have", () => {
    const [one, two] = [new TableBench(), new TableBench(undefined, [], { self: otherName })];
    const stepMs = 30_000;
    const pass = (ms: number): void => {
      for (let left = ms; left > 0; left -= stepMs) {
        for (const [from, to] of [
          [one, two],
          [two, one],
        ] as const) {
          const payloads = from.table.full()?.encode() ?? [];
          for (const payload of payloads) to.table.onGossip(from.self, payload);
          from.clock.run(stepMs);
        }
      }
    };
    one.clock.run(900_000);
    one.nowS -= 900;
    one.table.add("one.weave.local", "c1", ip("10.32.0.1"));
    pass(stepMs);
    one.table.remove({});
    pass(600_000);
    expect([one, two].map((bench) => bench.state().length)).toEqual([1, 1]);
    pass(3_600_000);
    expect([one, two].map((bench) => bench.state().length)).toEqual([0, 0]);
  });

  test("go also when the clock was ahead by years as they were made", () => {
    const bench = new TableBench();
    bench.nowS += 100_000_000;
    bench.table.add("one.weave.local", "c1", ip("10.32.0.1"));
    bench.table.remove({});
    bench.nowS -= 100_000_000;
    bench.clock.run(1_800_000);
    expect(bench.state()).toEqual([]);
  });

  test("lose against a revival, whichever comes first (N27)", () => {
    const dead = { ...remote, version: 1, tombstone: 1_700_000_000 };
    const revived = { ...remote, version: 2 };
    for (const order of [
      [dead, revived],
      [revived, dead],
    ]) {
      const bench = new TableBench();
      for (const entry of order) bench.hear(entry);
      expect(bench.table.lookup("remote.weave.local")).toHaveLength(1);
    }
  });

  test("no timer is left after stop", () => {
    const bench = new TableBench();
    bench.table.stop();
    expect(bench.clock.pending).toBe(0);
  });
});

describe("gossip", () => {
  test("changes that wait together become one message with the latest states", () => {
    const bench = new TableBench();
    bench.table.add("one.weave.local", "c1", ip("10.32.0.1"));
    bench.table.remove({});
    const [added, removed] = bench.broadcasts;
    expect(said(added!.merge(removed!)).entries.map(toVector)).toEqual(bench.state());
  });

  test("the whole table swallows changes that wait with it, in either order", () => {
    const bench = new TableBench();
    bench.table.add("one.weave.local", "c1", ip("10.32.0.1"));
    const change = bench.broadcasts[0]!;
    expect(said(bench.table.full()!.merge(change)).entries).toHaveLength(1);
    expect(said(change.merge(bench.table.full()!)).entries).toHaveLength(1);
  });

  test("an empty table says nothing, and unicasts are ignored", () => {
    const { table } = new TableBench();
    expect(table.full()).toBeUndefined();
    table.onUnicast(otherName, fromHex("ff"));
  });

  test("two originals' worth of changes under load end in the same table (N29)", () => {
    const left = new TableBench();
    const right = new TableBench(1_700_000_000, [], { self: otherName });
    for (let round = 0; round < 50; round++) {
      for (const [bench, subnet] of [
        [left, "10.32.0"],
        [right, "10.40.0"],
      ] as const) {
        bench.table.add(`n${round % 7}.weave.local`, `c${round % 3}`, ip(`${subnet}.${round % 5}`));
        if (round % 4 === 0) bench.table.containerDied(`c${round % 3}`);
      }
      const fromLeft = left.broadcasts.splice(0).flatMap((data) => data.encode());
      const fromRight = right.broadcasts.splice(0).flatMap((data) => data.encode());
      for (const payload of fromLeft) right.table.onBroadcast(ownName, payload);
      for (const payload of fromRight) left.table.onBroadcast(otherName, payload);
    }
    expect(left.state()).toEqual(right.state());
    expect(left.state().length).toBeGreaterThan(20);
  });

  test("a peer that comes back does not resurrect what it had before (N6)", () => {
    const stale = { ...remote, origin: ownName, hostname: "old.weave.local." };
    const bench = new TableBench(1_700_000_000, []);
    bench.table.onGossip(otherName, encodeNames([makeEntry(stale)], bench.nowS)[0]!);
    expect(bench.table.lookup("old.weave.local")).toEqual([]);
    const [correction] = bench.takeBroadcasts();
    expect(correction!.entries.map((entry) => [entry.version, entry.tombstone])).toEqual([
      [1, 1_700_000_000],
    ]);
  });
});

describe("what the HTTP interface shows", () => {
  test("a recorded transcript leaves the same live names (DELETE reads its form, IPv6 is refused)", () => {
    const { table } = new TableBench();
    for (const step of http.transcript) {
      const [, room, ident, address] = step.path.split(/[/?]/);
      const query = new URLSearchParams(step.path.split("?")[1] ?? "");
      const form = new URLSearchParams(step.form ?? "");
      const name = query.get("fqdn") ?? form.get("fqdn") ?? undefined;
      if (room !== "name" || step.status === 400 || step.status === 405) continue;
      if (step.method === "PUT") {
        if (address!.includes(":")) {
          expect(() => table.add(name ?? "", ident!, ip(address!))).toThrow("not supported");
          table.add(name ?? "", ident!, ip("0.0.0.0"));
        } else {
          table.add(name ?? "", ident!, ip(address!));
        }
      }
      if (step.method === "DELETE") {
        const lostForm = query.get("fqdn") ?? undefined;
        if (step.form !== undefined) expect(table.remove({ name: name! })).toBe(0);
        table.remove({
          ...(lostForm === undefined ? {} : { name: lostForm }),
          ...(ident === undefined || ident.startsWith("fqdn=") ? {} : { ident }),
          ...(address === undefined || address.startsWith("fqdn=") ? {} : { address: ip(address) }),
        });
      }
      if (step.method === "GET" && step.status === 200) {
        expect(`${JSON.stringify(table.entries().map(nameRecord))}\n`).toBe(step.body);
      }
      const live = table.ownNames().map((own) => {
        const address = own.address.family === 4 ? own.address : undefined;
        return `${own.name} ${own.ident} ${address === undefined ? "" : dotted(address.value)}`;
      });
      expect(live).toEqual(step.live_names_after);
    }
  });

  test("report entries have the recorded fields in the recorded order", () => {
    const recorded = JSON.parse(status.cases[1]!.json_text) as { Entries: unknown[] };
    const bench = new TableBench(1_700_000_000, [
      makeEntry({
        containerId: "c1",
        origin: ownName,
        address: 0x0a020101,
        hostname: "One.weave.local.",
        version: 1,
        tombstone: 1_700_000_000,
      }),
      makeEntry({
        containerId: "c2",
        origin: peerNameFromNumber(0x7a9febb60c6e),
        address: 0x0a020102,
        hostname: "two.weave.local.",
        version: 0,
        tombstone: 0,
      }),
    ]);
    expect(JSON.stringify(bench.table.entries().map(nameStatus))).toBe(
      JSON.stringify(recorded.Entries),
    );
  });
});

function dotted(address: number): string {
  return [24, 16, 8, 0].map((shift) => (address >>> shift) & 255).join(".");
}
