import { existsSync } from "node:fs";
import { removeBridge } from "../host/bridge.ts";
import { defaultDeviceNames } from "../host/device-names.ts";
import { removeExposureRules } from "../host/exposure.ts";
import { openRoute } from "../host/netlink/open.ts";
import { openDatabase } from "./database.ts";
import type { Paths } from "./paths.ts";
import { SettingsStore } from "./settings-store.ts";

/** The setting under which a router notes how its bridge is called. */
export const bridgeSetting = "weave-bridge";

/**
 * Removes what routers leave on the host on purpose when they stop: bridge, tap, container ports,
 * packet filter rules. Nothing of anybody else is touched.
 *
 * @throws SystemError
 */
export function removeTraces(paths: Paths): void {
  const names = { ...defaultDeviceNames, bridge: rememberedBridge(paths) };
  using netlink = openRoute();
  removeBridge(netlink, names);
  removeExposureRules();
}

/** State that cannot be read must not keep the host from being cleaned. */
function rememberedBridge(paths: Paths): string {
  if (!existsSync(paths.database)) return defaultDeviceNames.bridge;
  try {
    const database = openDatabase(paths.database);
    try {
      return new SettingsStore(database).setting(bridgeSetting) ?? defaultDeviceNames.bridge;
    } finally {
      database.close();
    }
  } catch {
    return defaultDeviceNames.bridge;
  }
}
