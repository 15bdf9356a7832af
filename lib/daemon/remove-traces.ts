import { existsSync } from "node:fs";
import { isSystemError } from "../../ffi/system-error.ts";
import { type Attachment, listAttachments, namespacePath } from "../host/attachments.ts";
import { removeBridge } from "../host/bridge.ts";
import { defaultDeviceNames } from "../host/device-names.ts";
import { removeExposureRules } from "../host/exposure.ts";
import { removeForwardChain } from "../host/forward-chain.ts";
import { stopFilteringMulticast } from "../host/multicast-filter.ts";
import { findLink } from "../host/netlink/link.ts";
import { openNetfilter, openRoute } from "../host/netlink/open.ts";
import { NetworkNamespace } from "../host/netns.ts";
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
  if (findLink(netlink, { name: names.bridge })?.kind === "bridge") {
    for (const attachment of listAttachments(netlink, names.bridge)) forgetContainer(attachment);
  }
  removeBridge(netlink, names);
  removeExposureRules();
  removeForwardChain();
}

/** The interface goes with the bridge's ports; what is left inside is the multicast filter. */
function forgetContainer(attachment: Attachment): void {
  const path = namespacePath(attachment);
  if (path === undefined) return;
  try {
    using namespace = new NetworkNamespace(path);
    using netfilter = openNetfilter(namespace);
    stopFilteringMulticast(netfilter);
  } catch (error) {
    // The container ended meanwhile, and its filter with it.
    if (!isSystemError(error)) throw error;
  }
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
