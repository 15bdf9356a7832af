import { existsSync } from "node:fs";
import { isSystemError } from "../../ffi/system-error.ts";
import { type Attachment, listAttachments, namespacePath } from "../host/attachments.ts";
import { removeBridge } from "../host/bridge.ts";
import { type DeviceNames, defaultDeviceNames } from "../host/device-names.ts";
import { removeFirewall } from "../host/firewall/firewall.ts";
import { removeIpsecLeftovers } from "../host/ipsec/kernel-ipsec.ts";
import { stopFilteringMulticast } from "../host/multicast-filter.ts";
import { findLink } from "../host/netlink/link.ts";
import { openNetfilter, openRoute } from "../host/netlink/open.ts";
import { NetworkNamespace } from "../host/netns.ts";
import { removePolicies } from "../host/policy/choose-enforcer.ts";
import { openDatabase } from "./database.ts";
import { datapathBackends } from "./datapath-backends.ts";
import type { Paths } from "./paths.ts";
import { SettingsStore } from "./settings-store.ts";

/** The settings under which a router notes how its bridge and its datapath are called. */
export const bridgeSetting = "weave-bridge";
export const datapathSetting = "datapath";

/**
 * Removes what routers leave on the host on purpose when they stop: datapath, bridge, tap, container
 * ports, packet filter rules, policies. Nothing of anybody else is touched.
 *
 * @throws SystemError
 */
export function removeTraces(paths: Paths): void {
  const names = { ...defaultDeviceNames, ...rememberedNames(paths) };
  using netlink = openRoute();
  if (findLink(netlink, { name: names.bridge })?.kind === "bridge") {
    for (const attachment of listAttachments(netlink, names.bridge)) forgetContainer(attachment);
  }
  for (const backend of datapathBackends) backend.remove(names);
  removeIpsecLeftovers();
  removePolicies(names.bridge);
  removeBridge(netlink, names);
  removeFirewall();
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

/** What the last router called its devices. State that cannot be read stands in nobody's way. */
export function rememberedNames(paths: Paths): Partial<DeviceNames> {
  if (!existsSync(paths.database)) return {};
  try {
    const database = openDatabase(paths.database);
    try {
      const settings = new SettingsStore(database);
      const bridge = settings.setting(bridgeSetting);
      const datapath = settings.setting(datapathSetting);
      return {
        ...(bridge !== undefined && { bridge }),
        ...(datapath !== undefined && { datapath }),
      };
    } finally {
      database.close();
    }
  } catch {
    return {};
  }
}
