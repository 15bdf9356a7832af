import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { socketTable, tcpState } from "./socket-table.ts";

/** A socket of this namespace at which packets may arrive: TCP that listens, UDP that is bound. */
export interface BoundSocket {
  readonly protocol: "tcp" | "udp";
  readonly port: number;
  /** Missing for a socket of the kernel itself, or of a process that may not be looked at. */
  readonly owner: { readonly pid: number; readonly name: string } | undefined;
}

/** Those at `ports`, with the processes that hold them. Looking for these reads all of /proc. */
export function boundSockets(ports: ReadonlySet<number>): BoundSocket[] {
  const found = (["tcp", "udp"] as const).flatMap((protocol) =>
    ([protocol, `${protocol}6`] as const).flatMap((table) =>
      socketTable(table)
        .filter(
          ({ port, state }) =>
            ports.has(port) && (protocol === "udp" || state === tcpState.listening),
        )
        .map(({ port, inode }) => ({ protocol, port, inode })),
    ),
  );
  const owners = ownersOf(new Set(found.map(({ inode }) => inode)));
  return found.map(({ protocol, port, inode }) => ({ protocol, port, owner: owners.get(inode) }));
}

/** Processes by the inode of a socket they hold; the lowest id where there are several. */
function ownersOf(inodes: ReadonlySet<string>): Map<string, NonNullable<BoundSocket["owner"]>> {
  const owners = new Map<string, NonNullable<BoundSocket["owner"]>>();
  if (inodes.size === 0) return owners;
  const pids = readdirSync("/proc").map(Number).filter(Number.isInteger);
  for (const pid of pids.sort((a, b) => a - b)) {
    for (const inode of socketsOf(pid)) {
      if (!inodes.has(inode) || owners.has(inode)) continue;
      owners.set(inode, { pid, name: nameOf(pid) });
    }
  }
  return owners;
}

function socketsOf(pid: number): string[] {
  const folder = `/proc/${pid}/fd`;
  try {
    return readdirSync(folder).flatMap((fd) => socketInode(`${folder}/${fd}`) ?? []);
  } catch {
    // It has ended, or is another user's.
    return [];
  }
}

function socketInode(path: string): string | undefined {
  try {
    return /^socket:\[(\d+)\]$/.exec(readlinkSync(path))?.[1];
  } catch {
    // Closed since it was listed.
    return undefined;
  }
}

function nameOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/comm`, "utf8").trim();
  } catch {
    return "a process that has ended";
  }
}
