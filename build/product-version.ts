import { readFileSync } from "node:fs";
import { join } from "node:path";

/**
 * `3.0.0-alpha.1` from package.json; between releases with the commit it was built from,
 * `3.0.0-alpha.1+g1a2b3c4`, and `.dirty` when the checkout had changes.
 */
export function productVersion(root: string): string {
  const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
    version: string;
  };
  const describe = git(root, "describe", "--always", "--dirty", "--match", "v*", "--abbrev=7");
  if (describe === undefined || describe === `v${version}`) return version;
  const commit = /(?:^|-g)([0-9a-f]{7,})(-dirty)?$/.exec(describe);
  if (commit === null) return version;
  return `${version}+g${commit[1]}${commit[2] === undefined ? "" : ".dirty"}`;
}

/** `undefined` outside a checkout, or without git: a source archive is a release. */
function git(root: string, ...words: string[]): string | undefined {
  if (Bun.which("git") === null) return undefined;
  const run = Bun.spawnSync(["git", "-C", root, ...words], { stderr: "ignore" });
  return run.exitCode === 0 ? run.stdout.toString().trim() : undefined;
}
