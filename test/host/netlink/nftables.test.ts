import { afterAll, describe, expect, test } from "bun:test";
import { deleteTable, replaceTable, rulesGeneration } from "../../../lib/host/netlink/nftables.ts";
import { openNetfilter } from "../../../lib/host/netlink/open.ts";
import { Laboratory } from "../laboratory.ts";

describe("the generation of packet filter rules", () => {
  const laboratory = new Laboratory("generation");
  afterAll(() => laboratory.close());

  test("stays while nothing changes and is another one after every change", () => {
    const namespace = laboratory.namespace("one");
    using netlink = openNetfilter(namespace);
    const table = { family: "inet", name: "anything", chains: [] } as const;
    const seen = [rulesGeneration(netlink)];
    expect(rulesGeneration(netlink)).toBe(seen[0]!);
    replaceTable(netlink, table);
    seen.push(rulesGeneration(netlink));
    deleteTable(netlink, table);
    seen.push(rulesGeneration(netlink));
    expect(new Set(seen).size).toBe(3);
  });
});
