import { existsSync, lstatSync, readFileSync, rmSync } from "node:fs";
import { openDatabase } from "./database.ts";
import type { Paths } from "./paths.ts";
import { SettingsStore } from "./settings-store.ts";

/**
 * Sockets at which a container engine finds the router. An engine that starts waits for whoever has
 * a socket there, and a router that was killed has left its own behind: so they are noted.
 */
const socketsSetting = "plugin-sockets";

/** To be called before they are opened. */
export function notePluginSockets(settings: SettingsStore, sockets: readonly string[]): void {
  settings.saveSetting(socketsSetting, sockets.join("\n"));
}

/** Removes those that nobody listens at any more. A store that cannot be read names none. */
export function removeDeadSockets(paths: Pick<Paths, "database">): void {
  for (const path of notedSockets(paths)) {
    const found = lstatSync(path, { throwIfNoEntry: false });
    if (found?.isSocket() === true && !isListening(path)) rmSync(path, { force: true });
  }
}

function notedSockets({ database: path }: Pick<Paths, "database">): string[] {
  if (!existsSync(path)) return [];
  try {
    const database = openDatabase(path);
    try {
      const noted = new SettingsStore(database).setting(socketsSetting) ?? "";
      return noted.split("\n").filter((each) => each.startsWith("/"));
    } finally {
      database.close();
    }
  } catch {
    return [];
  }
}

/** Of sockets in this network namespace, which is where routers and their commands are. */
function isListening(path: string): boolean {
  return readFileSync("/proc/net/unix", "utf8")
    .split("\n")
    .some((line) => line.endsWith(` ${path}`));
}
