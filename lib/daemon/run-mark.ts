import type { SettingsStore } from "./settings-store.ts";

/**
 * Whether a run was cut short. A router that dies and is started again by its keeper, by a service
 * manager or by hand with the same peers goes on with the peers that it had when it died, those of
 * `weave connect` included; one that was stopped, or is told of others, begins with what it is told.
 */
const runPeersSetting = "run-peers";

/** Marks that a run is under way. True when the last one, begun with the same peers, never ended. */
export function beginRun(settings: SettingsStore, peers: readonly string[]): boolean {
  const mark = JSON.stringify(peers);
  const wasCutShort = settings.setting(runPeersSetting) === mark;
  settings.saveSetting(runPeersSetting, mark);
  return wasCutShort;
}

/** Marks that the run ended in order. */
export function endRun(settings: SettingsStore): void {
  settings.removeSetting(runPeersSetting);
}
