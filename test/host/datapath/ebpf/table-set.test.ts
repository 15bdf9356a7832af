import { afterAll, describe, expect, test } from "bun:test";
import { TableSet } from "../../../../lib/host/datapath/ebpf/table-set.ts";
import { floodMax, trafficSlots } from "../../../../lib/host/datapath/ebpf/tables.ts";

describe("the tables of the programs", () => {
  const tables = TableSet.create();
  afterAll(() => tables.close());

  test("begin empty, without an id of our own", () => {
    expect(tables.settings).toEqual({ self: undefined, uplink: 0, handover: 0 });
    expect(tables.neighbours()).toEqual(new Map());
    expect(tables.routes()).toEqual(new Map());
    expect(tables.trees()).toEqual(new Map());
    expect([tables.macs(), tables.sources, tables.residents]).toEqual([[], [], []]);
  });

  test("give back what was put in, the first and the last id included", () => {
    const entry = { remote: 0xffff_fffe, local: 1, device: 7, lane: 8, longest: 1364, slot: 9 };
    for (const id of [0, 4095]) {
      tables.setNeighbour(id, entry);
      tables.setRoute(id, { kind: "tunnel", neighbour: 4095 });
      tables.setTree(id, [4095, 0]);
    }
    tables.setRoute(5, { kind: "sleeve" });
    expect(tables.neighbours()).toEqual(new Map([0, 4095].map((id) => [id, entry])));
    expect(tables.neighbour(4095)).toEqual(entry);
    expect(tables.routes()).toEqual(
      new Map([
        [0, { kind: "tunnel", neighbour: 4095 }],
        [5, { kind: "sleeve" }],
        [4095, { kind: "tunnel", neighbour: 4095 }],
      ]),
    );
    expect(tables.trees()).toEqual(new Map([0, 4095].map((id) => [id, [4095, 0]])));
  });

  test("count nothing before frames come, in no slot", () => {
    const nothing = { sentPackets: 0, sentBytes: 0, receivedPackets: 0, receivedBytes: 0 };
    for (const slot of [0, trafficSlots - 1]) expect(tables.traffic(slot)).toEqual(nothing);
  });

  test("know nothing of what came of a neighbour that was set just now", () => {
    expect(tables.heardOf(4095)).toBeUndefined();
    expect(tables.heardOf(17)).toBeUndefined();
  });

  test("keep the tree of an originator to which there is no route any more", () => {
    tables.setRoute(4095, undefined);
    expect(tables.routes().has(4095)).toBe(false);
    expect(tables.trees().get(4095)).toEqual([4095, 0]);
    tables.setTree(4095, []);
    expect(tables.trees().has(4095)).toBe(false);
  });

  test("take no more of a tree than programs go through", () => {
    const hops = Array.from({ length: floodMax + 1 }, (_, at) => at);
    tables.setTree(9, hops);
    expect(tables.trees().get(9)).toEqual(hops.slice(0, floodMax));
  });

  test("know addresses by owner, and how long ago they were seen", () => {
    tables.setMac(0xfe_ff_ff_ff_ff_fe, 4095, 1000);
    const [row] = tables.macs();
    expect(row).toMatchObject({ mac: 0xfe_ff_ff_ff_ff_fe, owner: 4095 });
    expect(row!.age).toBeGreaterThanOrEqual(1000);
    tables.forgetMac(0xfe_ff_ff_ff_ff_fe);
    tables.forgetMac(0xfe_ff_ff_ff_ff_fe);
    expect(tables.macs()).toEqual([]);
  });

  test("give every one of ten thousand addresses", () => {
    const addresses = Array.from({ length: 10_000 }, (_, at) => 0x02_00_00_00_00_00 + at * 257);
    for (const address of addresses) tables.setMac(address, 3);
    const known = tables.macs().map(({ mac }) => mac);
    expect(known.sort((a, b) => a - b)).toEqual(addresses);
  });
});
