import { describe, expect, test } from "bun:test";
import { floorOf, isCore, mayImport, roomOf } from "./floors.ts";
import { importsOf, sourcesUnder, textOf } from "./source-files.ts";

const sources = sourcesUnder("lib", "ffi", "cmd");

describe("imports", () => {
  test("name files with their ending, and files that exist", () => {
    const known = new Set(sourcesUnder("lib", "ffi", "cmd", "build"));
    const wrong = sources.flatMap((path) =>
      importsOf(path)
        .filter((entry) => entry.path !== undefined && !known.has(entry.path))
        .map((entry) => `${path} imports ${entry.specifier}`),
    );
    expect(wrong.filter((line) => !line.includes("build/cache/"))).toEqual([]);
  });

  test("point down: from a room only to rooms of lower floors", () => {
    const upward = sources.flatMap((path) =>
      importsOf(path)
        .filter((entry) => entry.path !== undefined && floorOf(roomOf(entry.path)) !== undefined)
        .filter((entry) => !mayImport(path, entry.path!))
        .map((entry) => `${path} imports ${entry.path}`),
    );
    expect(upward).toEqual([]);
  });

  test("belong to a room that has a floor", () => {
    expect(sources.filter((path) => floorOf(roomOf(path)) === undefined)).toEqual([]);
  });

  test("form no circle, types included", () => {
    expect(circles(sources)).toEqual([]);
  });

  test("of the core never reach the machine", () => {
    const machine = /^(bun|bun:.*|node:.*)$/;
    const reaching = sources.filter(isCore).flatMap((path) =>
      importsOf(path)
        .filter((entry) => machine.test(entry.specifier) || entry.path?.startsWith("ffi/"))
        .map((entry) => `${path} imports ${entry.specifier}`),
    );
    expect(reaching).toEqual([]);
  });

  test("of bun:ffi stand in ffi/ alone", () => {
    const elsewhere = sources.filter(
      (path) =>
        !path.startsWith("ffi/") &&
        (importsOf(path).some((entry) => entry.specifier === "bun:ffi") ||
          /\bdlopen\s*\(/.test(textOf(path))),
    );
    expect(elsewhere).toEqual([]);
  });
});

describe("the rule itself", () => {
  test("lets a room import downwards and itself, and nothing else", () => {
    expect(mayImport("lib/cli/run.ts", "lib/base/errors.ts")).toBe(true);
    expect(mayImport("lib/mesh/mesh.ts", "lib/mesh/peers.ts")).toBe(true);
    expect(mayImport("lib/host/netns.ts", "ffi/libc.ts")).toBe(true);
    expect(mayImport("lib/base/ip.ts", "lib/wire/gob.ts")).toBe(false);
    expect(mayImport("lib/mesh/mesh.ts", "lib/ipam/ring.ts")).toBe(false);
    expect(mayImport("lib/wire/gob.ts", "ffi/libc.ts")).toBe(false);
    expect(mayImport("lib/daemon/router.ts", "lib/cli/run.ts")).toBe(false);
  });
});

/** Strongly connected groups of files, found by a depth-first walk (Tarjan 1972). */
function circles(paths: readonly string[]): string[] {
  const index = new Map<string, number>();
  const low = new Map<string, number>();
  const stack: string[] = [];
  const found: string[] = [];
  const visit = (path: string): void => {
    index.set(path, index.size);
    low.set(path, index.get(path)!);
    stack.push(path);
    for (const { path: next } of importsOf(path)) {
      if (next === undefined || !paths.includes(next)) continue;
      if (!index.has(next)) {
        visit(next);
        low.set(path, Math.min(low.get(path)!, low.get(next)!));
      } else if (stack.includes(next)) {
        low.set(path, Math.min(low.get(path)!, index.get(next)!));
      }
    }
    if (low.get(path) !== index.get(path)) return;
    const group = stack.splice(stack.indexOf(path));
    if (group.length > 1) found.push(group.sort().join(" ↔ "));
  };
  for (const path of paths) if (!index.has(path)) visit(path);
  return found;
}
