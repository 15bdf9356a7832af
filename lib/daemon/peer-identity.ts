import { formatPeerName, type PeerName, parsePeerName } from "../base/peer-name.ts";
import { findLink } from "../host/netlink/link.ts";
import { openRoute } from "../host/netlink/open.ts";
import { choosePeerName, readSystemIds } from "../host/peer-name-source.ts";
import type { LaunchOptions } from "./launch-options.ts";
import type { SettingsStore } from "./settings-store.ts";

export const peerNameSetting = "peer-name";
/** The name that an imported database speaks of: its addresses belong to that peer alone. */
export const importedNameSetting = "imported-peer-name";

/**
 * This router's name, the same as at its last start where that is possible (host-network §4).
 *
 * @param root where the machine's own root is mounted; empty for `/`
 */
export function settlePeerName(
  options: Pick<LaunchOptions, "name" | "weaveBridge">,
  settings: SettingsStore,
  root = "",
): { readonly name: PeerName; readonly source: string } {
  using netlink = openRoute();
  const bridge = findLink(netlink, { name: options.weaveBridge });
  const stored = settings.setting(peerNameSetting);
  const wanted = options.name ?? settings.setting(importedNameSetting);
  const chosen = choosePeerName({
    ...(wanted !== undefined && { option: parsePeerName(wanted) }),
    ...(bridge?.kind === "bridge" && { bridgeMac: bridge.mac }),
    ...(stored !== undefined && { stored: parsePeerName(stored) }),
    ids: readSystemIds(root),
  });
  settings.saveSetting(peerNameSetting, formatPeerName(chosen.name));
  return chosen;
}
