import { endianness } from "node:os";
import { formatIp, type IpAddress, ipFromBytes } from "../base/ip.ts";
import { socketTable, tcpState } from "./socket-table.ts";

/** Of very many, as somebody may send who floods the port. */
const hostsMax = 64;

/**
 * Hosts that have begun a TCP connection to a port of this namespace and do not answer what they
 * were answered: what they send arrives here, and what is sent from here does not arrive there. The
 * kernel remembers each for about a minute (`tcp_synack_retries`).
 */
export function halfOpenHosts(port: number): string[] {
  const remotes = (["tcp", "tcp6"] as const).flatMap((table) =>
    socketTable(table)
      .filter((row) => row.port === port && row.state === tcpState.synReceived)
      .map(({ remote }) => formatIp(tableAddress(remote))),
  );
  return [...new Set(remotes)].slice(0, hostsMax);
}

/**
 * An address of proc_net_tcp(5): words of 32 bits in the order of octets that this machine has. One
 * of IPv4 at a socket for both families is one of IPv4.
 */
export function tableAddress(text: string, order: "LE" | "BE" = endianness()): IpAddress {
  const bytes = Uint8Array.fromHex(text);
  if (order === "LE")
    for (let at = 0; at < bytes.length; at += 4) bytes.subarray(at, at + 4).reverse();
  return ipFromBytes(isMapped(bytes) ? bytes.subarray(12) : bytes);
}

/** `::ffff:0:0/96` (RFC 4291 §2.5.5.2). */
function isMapped(bytes: Uint8Array): boolean {
  if (bytes.length !== 16) return false;
  return (
    bytes.subarray(0, 10).every((each) => each === 0) && bytes[10] === 0xff && bytes[11] === 0xff
  );
}
