import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  forgetRemoved,
  notedRemovals,
  noteRemoved,
} from "../../../lib/daemon/cni/removed-interfaces.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "weave-removed-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const note = { container: "../../etc", interface: "eth0", frees: true };

test("what was removed without a router is noted once, and until it is dealt with", () => {
  const place = join(folder, "cni-removed");
  expect(notedRemovals(place)).toEqual([]);
  noteRemoved(place, note);
  noteRemoved(place, note);
  expect(notedRemovals(place)).toEqual([note]);
  forgetRemoved(place, note);
  expect(notedRemovals(place)).toEqual([]);
});

test("a file that is no note is removed, and others are left alone", () => {
  for (const [name, text] of [
    ["half.json", '{"container":'],
    ["other.json", "{}"],
    ["list.json", "[]"],
    ["being-written.json.new", "{"],
  ] as const) {
    writeFileSync(join(folder, name), text);
  }
  expect(notedRemovals(folder)).toEqual([]);
  expect(readdirSync(folder)).toEqual(["being-written.json.new"]);
});
