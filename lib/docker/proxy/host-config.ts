import { waitHelperTarget } from "../wait-helper/mount.ts";
import { JsonObject } from "./json-text.ts";

/** What containers are told of weaveDNS. */
export interface DnsSettings {
  /** Of the server, without port. */
  readonly address: string;
  /** With final dot. */
  readonly domain: string;
}

/** With the wait helper bound where it is looked for, and nothing else there. */
export function withWaitHelper(hostConfig: JsonObject, folder: string): JsonObject {
  const binds = (hostConfig.strings("Binds") ?? []).filter(
    (bind) => targetOf(bind) !== waitHelperTarget,
  );
  const bound = hostConfig.with("Binds", [...binds, `${folder}:${waitHelperTarget}:ro`]);
  const mounts = hostConfig.items("Mounts") ?? [];
  const others = mounts.filter(
    (mount) => JsonObject.parse(mount, "Mounts").string("Target") !== waitHelperTarget,
  );
  return others.length === mounts.length ? bound : bound.withText("Mounts", `[${others}]`);
}

/** `source:target:options`, `source:target`, or the target of a volume without name. */
function targetOf(bind: string): string {
  const [first = "", second] = bind.split(":");
  return second ?? first;
}

/**
 * With weaveDNS as the last server. Without a search list of its own a container looks for short
 * names in its own domain, if it has one of ours; else in the cluster's.
 */
export function withDns(
  hostConfig: JsonObject,
  { address, domain }: DnsSettings,
  { isNamed }: { readonly isNamed: boolean },
): JsonObject {
  const servers = hostConfig.strings("Dns") ?? [];
  const asking = servers.includes(address)
    ? hostConfig
    : hostConfig.with("Dns", [...servers, address]);
  if ((hostConfig.strings("DnsSearch") ?? []).length > 0) return asking;
  // The dot keeps the host's own search list out, so that short names come to weaveDNS as they are.
  return asking.with("DnsSearch", [isNamed ? "." : domain]);
}
