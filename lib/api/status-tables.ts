import type { DnsReport } from "./dns-report.ts";
import type { IpamReport } from "./ipam-report.ts";
import type { ConnectionReport, RouterReport } from "./router-report.ts";

/**
 * The texts of `weave status connections`, `peers`, `dns`, `ipam` and `targets` (cli §10): a line for
 * each, in columns, byte for byte as scripts parse them. Where the original's order was random it is
 * now stable.
 */

/** `weave status targets`: as the operator typed them. */
export function targetsText(router: RouterReport): string {
  return (router.Targets ?? []).map((target) => `${target}\n`).join("");
}

/** `weave status connections`. Attributes run together as they always have. */
export function connectionsText(router: RouterReport): string {
  return (router.Connections ?? []).map(connectionLine).join("");
}

function connectionLine(connection: ConnectionReport): string {
  const direction = connection.Outbound ? "->" : "<-";
  const attributes = Object.entries(connection.Attrs ?? {})
    .filter(([key]) => key !== "name")
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => `${key}=${value}`)
    .join("");
  const state = connection.State.padEnd(11);
  return `${direction} ${connection.Address.padEnd(21)} ${state} ${connection.Info} ${attributes}\n`;
}

/** `weave status peers`. */
export function peersText(router: RouterReport): string {
  return (router.Peers ?? [])
    .map((peer) => {
      const links = (peer.Connections ?? []).map((link) => {
        const name = `${link.Name}(${link.NickName})`.padEnd(37);
        const state = link.Established ? "established" : "pending";
        return `   ${link.Outbound ? "->" : "<-"} ${link.Address.padEnd(21)} ${name} ${state}\n`;
      });
      return `${peer.Name}(${peer.NickName})\n${links.join("")}`;
    })
    .join("");
}

/** `weave status dns`: live names, without the domain. */
export function dnsText(dns: DnsReport): string {
  const suffix = `.${dns.Domain}`;
  return (dns.Entries ?? [])
    .filter((entry) => entry.Tombstone === 0)
    .map((entry) => {
      const name = entry.Hostname.endsWith(suffix)
        ? entry.Hostname.slice(0, -suffix.length)
        : entry.Hostname;
      const container = entry.ContainerID.slice(0, 12).padStart(12);
      return `${name.padEnd(12)} ${entry.Address.padEnd(15)} ${container} ${entry.Origin}\n`;
    })
    .join("");
}

/** `weave status ipam`: own ranges first, then the others by name. */
export function ipamText(ipam: IpamReport, self: string): string {
  interface Share {
    name: string;
    nickname: string;
    size: number;
    known: boolean;
  }
  const shares = new Map<string, Share>();
  for (const entry of ipam.Entries ?? []) {
    const share = shares.get(entry.Peer) ?? {
      name: entry.Peer,
      nickname: entry.Nickname,
      size: 0,
      known: entry.IsKnownPeer,
    };
    share.size += entry.Size;
    shares.set(entry.Peer, share);
  }
  const line = ({ name, nickname, size, known }: Share): string => {
    const percent = ((100 * size) / ipam.RangeNumIPs).toFixed(1).padStart(4, "0");
    const note = name === self ? `(${ipam.ActiveIPs} active)` : known ? "" : "- unreachable!";
    const owner = `${name}(${nickname})`.padEnd(37);
    return `${owner} ${String(size).padStart(8)} IPs (${percent}% of total) ${note}\n`;
  };
  return [...shares.values()]
    .sort((a, b) => Number(b.name === self) - Number(a.name === self) || (a.name < b.name ? -1 : 1))
    .map(line)
    .join("");
}
