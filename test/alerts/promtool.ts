import { existsSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { must, run } from "../hosts/shell.ts";

/**
 * Prometheus' own tool for testing rules: that of the machine, or that of the Debian package, which is
 * unpacked in a cache outside of the checkout; installed, it would start a server.
 */
const debianPackage = "prometheus";

function cacheFolder(): string {
  return join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "weave-promtool");
}

/** @throws Error that says how to get it */
export function promtool(): string {
  const unpacked = join(cacheFolder(), "usr/bin/promtool");
  const found = Bun.which("promtool") ?? (existsSync(unpacked) ? unpacked : undefined);
  if (found === undefined) {
    throw new Error("there is no promtool: run bun test/alerts/fetch.ts, or install prometheus");
  }
  return found;
}

/** @throws Error why it cannot be had */
export async function fetchPromtool(): Promise<void> {
  const folder = cacheFolder();
  if (Bun.which("promtool") !== null || existsSync(join(folder, "usr/bin/promtool"))) return;
  mkdirSync(folder, { recursive: true });
  const inFolder = ["sh", "-c", `cd "$0" && apt-get -qq download ${debianPackage}`, folder];
  const { code, stderr } = await run(inFolder, { waitMs: 120_000 });
  const file = readdirSync(folder).find((name) => name.endsWith(".deb"));
  if (code !== 0 || file === undefined) {
    throw new Error(
      `promtool cannot be had by apt-get download ${debianPackage}: ${stderr.trim()}`,
    );
  }
  await must(["dpkg-deb", "-x", join(folder, file), folder]);
  rmSync(join(folder, file));
}
