import type { IpFamily } from "../base/ip.ts";
import { legacyTables, type Speech, speechByVersion } from "./firewall/iptables.ts";
import { sysctl } from "./sysctl.ts";

/** What the programs that show this host's packet filters print; missing where there is none. */
export interface PacketFilterTexts {
  /** By `iptables-save`. */
  readonly iptables: string | undefined;
  /** By `iptables-legacy-save`, where `iptables` speaks nf_tables and there are such tables too. */
  readonly legacy: string | undefined;
  /** The same for IPv6. */
  readonly ip6tables: string | undefined;
  readonly ip6legacy: string | undefined;
  /** By `nft -j list ruleset`. */
  readonly nft: string | undefined;
  readonly backend: Speech | undefined;
  /** Whether bridged IPv4 packets pass the hooks of routed ones. */
  readonly filtersBridges: boolean;
}

/** Nobody waits longer for such a program. */
const waitMs = 5_000;

/** Programs that fail count as missing: the others still tell their part. */
export async function readPacketFilters(): Promise<PacketFilterTexts> {
  const version = await output("iptables", "--version");
  const backend = version === undefined ? undefined : speechByVersion(version);
  const hasLegacy = (family: IpFamily) =>
    backend === "nf_tables" && legacyTables(family).length > 0;
  const [iptables, legacy, ip6tables, ip6legacy, nft] = await Promise.all([
    backend === undefined ? undefined : output("iptables-save"),
    hasLegacy(4) ? output("iptables-legacy-save") : undefined,
    backend === undefined ? undefined : output("ip6tables-save"),
    hasLegacy(6) ? output("ip6tables-legacy-save") : undefined,
    output("nft", "-j", "list", "ruleset"),
  ]);
  return {
    ...{ iptables, legacy, ip6tables, ip6legacy, nft, backend },
    filtersBridges: filtersBridges(),
  };
}

function filtersBridges(): boolean {
  return sysctl("bridge/bridge-nf-call-iptables") === 1;
}

/** The router goes on with its work while the program runs. */
async function output(...command: readonly string[]): Promise<string | undefined> {
  if (Bun.which(command[0]!) === null) return undefined;
  const child = Bun.spawn([...command], { stderr: "ignore", stdin: "ignore", timeout: waitMs });
  const [text, code] = await Promise.all([new Response(child.stdout).text(), child.exited]);
  return code === 0 ? text : undefined;
}
