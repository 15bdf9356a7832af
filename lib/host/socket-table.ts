import { readFileSync } from "node:fs";

/** A line of proc_net_tcp(5) or of its twins. */
export interface SocketRow {
  /** Of this end. */
  readonly port: number;
  /** Of the other end, as the table writes it: see {@link tableAddress}. */
  readonly remote: string;
  /** Two hexadecimal digits, see {@link tcpState}. */
  readonly state: string;
  readonly inode: string;
}

/** Some of include/net/tcp_states.h. */
export const tcpState = { synReceived: "03", listening: "0A" } as const;

/**
 * Sockets of this thread's namespace; none of a family that the kernel does not have:
 *
 *   sl  local_address rem_address   st tx_queue:rx_queue tr:tm->when retrnsmt uid timeout inode …
 *   0: 00000000:1A7F 00000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 6265036 …
 */
export function socketTable(name: "tcp" | "tcp6" | "udp" | "udp6"): SocketRow[] {
  let text: string;
  try {
    text = readFileSync(`/proc/thread-self/net/${name}`, "utf8");
  } catch {
    // Without IPv6 there is no such table.
    return [];
  }
  return text
    .split("\n")
    .slice(1)
    .flatMap((line) => {
      const [, local, remote, state, , , , , , inode] = line.trim().split(/\s+/);
      if (local === undefined || remote === undefined) return [];
      if (state === undefined || inode === undefined) return [];
      const port = Number.parseInt(local.split(":")[1]!, 16);
      return [{ port, remote: remote.split(":")[0]!, state, inode }];
    });
}
