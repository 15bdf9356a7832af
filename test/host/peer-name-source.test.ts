import { describe, expect, test } from "bun:test";
import { utf8 } from "../../lib/base/bytes.ts";
import { formatPeerName, parsePeerName } from "../../lib/base/peer-name.ts";
import {
  choosePeerName,
  derivePeerName,
  readSystemIds,
  type SystemIds,
} from "../../lib/host/peer-name-source.ts";
import vectors from "../vectors/mesh/peer-names.json";

const ids = (machineId?: string, productUuid?: string): SystemIds => ({
  machineId: machineId === undefined ? undefined : utf8(machineId),
  productUuid: productUuid === undefined ? undefined : utf8(productUuid),
});
const none = ids();

describe("a name derived from the machine's ids", () => {
  test("is the one that the original derives, line ends included", () => {
    for (const { input, name } of vectors.derived.cases) {
      expect(formatPeerName(derivePeerName(ids(input))!)).toBe(name);
      expect(formatPeerName(derivePeerName(ids(input.slice(0, 9), input.slice(9)))!)).toBe(name);
    }
    expect(formatPeerName(derivePeerName(ids("abcdef\n"))!)).toBe("16:37:5e:bc:74:cc");
  });

  test("does not exist without ids", () => {
    expect(derivePeerName(none)).toBeUndefined();
    expect(derivePeerName(ids("", ""))).toBeUndefined();
  });

  test("reads the files of this machine or of a mounted one", () => {
    expect(readSystemIds("/nowhere").machineId).toBeUndefined();
    expect(Object.keys(readSystemIds())).toEqual(["machineId", "productUuid"]);
  });
});

describe("the choice of a name", () => {
  const option = parsePeerName("::1");
  const bridgeMac = "7a:00:00:00:00:02";
  const derived = parsePeerName("16:37:5e:bc:74:cc");
  const known = ids("abcdef\n");

  test("prefers what was asked for, then the bridge, then the ids", () => {
    const stored = parsePeerName("::3");
    expect(choosePeerName({ option, bridgeMac, stored, ids: known })).toEqual({
      name: option,
      source: "option",
    });
    expect(choosePeerName({ bridgeMac, stored, ids: known })).toEqual({
      name: parsePeerName(bridgeMac),
      source: "bridge",
    });
    expect(choosePeerName({ stored, ids: known })).toEqual({ name: derived, source: "system ids" });
  });

  test("keeps a stored name that an old release derived from the product UUID alone", () => {
    const both = ids("abcdef\n", "4C4C4544\n");
    const stored = derivePeerName(ids(undefined, "4C4C4544\n"))!;
    expect(choosePeerName({ stored, ids: both })).toEqual({ name: stored, source: "stored" });
  });

  test("is random on a machine without ids, and then the stored one", () => {
    const first = choosePeerName({ ids: none });
    expect(first.source).toBe("random");
    // Unicast and locally administered.
    expect(Number.parseInt(formatPeerName(first.name).slice(0, 2), 16) & 3).toBe(2);
    expect(choosePeerName({ stored: first.name, ids: none })).toEqual({
      name: first.name,
      source: "stored",
    });
    expect(choosePeerName({ ids: none }).name).not.toBe(first.name);
  });
});
