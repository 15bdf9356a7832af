import { existsSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";

/** The sources as git and the compiler see them, for the rules of the house. */
export const root = join(import.meta.dir, "../..");

/** Paths from the root, sorted: what is committed and what is about to be. */
export function filesUnder(...folders: string[]): string[] {
  const listing = Bun.spawnSync(
    ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", ...folders],
    { cwd: root },
  );
  return [...new Set(listing.stdout.toString().split("\n"))]
    .filter((path) => path !== "" && Bun.file(join(root, path)).size > 0)
    .sort();
}

export function sourcesUnder(...folders: string[]): string[] {
  return filesUnder(...folders).filter((path) => /\.tsx?$/.test(path));
}

export function textOf(path: string): string {
  return readFileSync(join(root, path), "utf8");
}

export interface Import {
  /** As written. */
  readonly specifier: string;
  /** From the root, for a file of this repository. */
  readonly path: string | undefined;
  /** Erased by the compiler. */
  readonly typeOnly: boolean;
}

/** Apart, because `<T>(` begins an element where there may be any. */
const transpilers = {
  ts: new Bun.Transpiler({ loader: "ts" }),
  tsx: new Bun.Transpiler({ loader: "tsx" }),
};

/** Static, dynamic, re-exporting and type-only imports of a file. */
export function importsOf(path: string): Import[] {
  const text = textOf(path).replace(/^#!.*/, "");
  const transpiler = transpilers[path.endsWith(".tsx") ? "tsx" : "ts"];
  const atRunTime = new Set(transpiler.scanImports(text).map((entry) => entry.path));
  const typeOnly = new Set<string>();
  // The transpiler erases type imports; as dependencies between rooms they count all the same.
  for (const match of text.matchAll(/^\s*(?:import|export)\s[^"'`;]*?from\s+"([^"]+)"/gm)) {
    if (!atRunTime.has(match[1]!)) typeOnly.add(match[1]!);
  }
  const describe = (specifier: string, types: boolean): Import => ({
    specifier,
    path: specifier.startsWith(".") ? normalize(join(dirname(path), specifier)) : undefined,
    typeOnly: types,
  });
  return [
    ...[...atRunTime].map((specifier) => describe(specifier, false)),
    ...[...typeOnly].map((specifier) => describe(specifier, true)),
  ];
}

/** Files that a file starts as threads: `new URL("./worker.ts", import.meta.url)`. */
export function threadsOf(path: string): string[] {
  const matches = textOf(path).matchAll(/new URL\("(\.[^"]+\.ts)", import\.meta\.url\)/g);
  return [...matches]
    .map((match) => normalize(join(dirname(path), match[1]!)))
    .filter((target) => existsSync(join(root, target)));
}
