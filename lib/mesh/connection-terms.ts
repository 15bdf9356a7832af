import { cidrContains, tryParseIp } from "../base/ip.ts";
import type { ConnectionConfig } from "./connection.ts";
import { type Extension, ownExtensions } from "./extensions.ts";
import type { MeshConfig, MeshDependencies } from "./mesh-config.ts";

/** Whether we have a password, so that connections are sealed. */
export function hasPassword({ password }: Pick<MeshConfig, "password">): boolean {
  return (password?.length ?? 0) > 0;
}

/**
 * What we bring to a connection that begins now: who we are, what we speak, what we can do beyond the
 * original, and where we trust the network.
 */
export function connectionTerms(
  config: MeshConfig,
  { secretBox, overlay }: Pick<MeshDependencies, "secretBox" | "overlay">,
  own: Pick<ConnectionConfig, "uid" | "shortId">,
): ConnectionConfig {
  const { name, nickname, password, minProtocolVersion, maxProtocolVersion } = config;
  return {
    ...own,
    self: name,
    nickname,
    minVersion: minProtocolVersion,
    ...(maxProtocolVersion === undefined ? {} : { maxVersion: maxProtocolVersion }),
    password,
    trusts: (ip) => trusts(config, ip),
    overlayFeatures: overlay.features(),
    extensions: config.extensions ?? [...ownExtensions, ...overlayExtensions(overlay)],
    ...(secretBox === undefined ? {} : { secretBox }),
  };
}

function overlayExtensions(overlay: MeshDependencies["overlay"]): Extension[] {
  const extensions = overlay.extensions?.() ?? [];
  return [...extensions].map(([name, version]) => ({ name, version }));
}

function trusts({ trustedSubnets }: MeshConfig, ip: string): boolean {
  const address = tryParseIp(ip);
  if (address === undefined) return false;
  return trustedSubnets.some((subnet) => cidrContains(subnet, address));
}
