import { existsSync } from "node:fs";
import { WeaveError } from "../../base/errors.ts";
import { changeLink, findLink, type Link } from "../netlink/link.ts";
import { openRoute } from "../netlink/open.ts";

/**
 * A bridge forwards frames without asking anybody. With the kernel's module `br_netfilter`, what it
 * forwards of IP passes the filters and the connection tracking of what the host routes, as well:
 *
 *   pod ─ port ─▶ [ bridge weave ] ─▶ port ─ pod
 *                    │      ▲
 *                    ▼      │  inet forward, in and out by `weave`
 *
 * It is switched on for the one bridge that pods are at. The setting of the host for all its bridges
 * (`net.bridge.bridge-nf-call-iptables`) stays as it is, and does not matter here whatever it is.
 */
const moduleName = "br_netfilter";
const moduleFolder = "/proc/sys/net/bridge";

/**
 * Has what crosses the bridge pass the filters. Does nothing while there is no such bridge: then
 * {@link passesFilters} says what is to be done when there is.
 *
 * @throws WeaveError `POLICY_BRIDGE_FILTER` when the kernel cannot; SystemError
 */
export function showToFilters(bridge: string): void {
  loadModule();
  changeBridge(bridge, true);
}

/** Whether what crosses the bridge passes the filters, or would if there were that bridge. @throws SystemError */
export function passesFilters(bridge: string): boolean {
  return withBridge(bridge, ({ filtered }) => filtered) ?? true;
}

/** As it is with a bridge that was just made. @throws SystemError */
export function hideFromFilters(bridge: string): void {
  changeBridge(bridge, false);
}

function changeBridge(bridge: string, filtered: boolean): void {
  withBridge(bridge, (link, netlink) => {
    if (link.filtered !== filtered) changeLink(netlink, link.index, { filtered });
  });
}

function withBridge<Result>(
  bridge: string,
  act: (link: Link, netlink: ReturnType<typeof openRoute>) => Result,
): Result | undefined {
  using netlink = openRoute();
  const link = findLink(netlink, { name: bridge });
  return link === undefined ? undefined : act(link, netlink);
}

function loadModule(): void {
  if (existsSync(moduleFolder)) return;
  if (Bun.which("modprobe") !== null) Bun.spawnSync(["modprobe", "-q", moduleName]);
  if (existsSync(moduleFolder)) return;
  throw new WeaveError(
    "POLICY_BRIDGE_FILTER",
    "policies cannot be enforced: the kernel does not show its packet filter what crosses a bridge",
    { remedy: `load the kernel's module ${moduleName} ('modprobe ${moduleName}')` },
  );
}
