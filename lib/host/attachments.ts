import type { Cidr } from "../base/ip.ts";
import { addressesOf, findBridge } from "./attach.ts";
import type { Netlink } from "./netlink/conversation.ts";
import { findLink, type Link, listLinks } from "./netlink/link.ts";
import { namespaceId } from "./netlink/namespace-id.ts";
import { NetworkNamespace, namedNamespaces, processesByNamespace } from "./netns.ts";

/** One container interface on the bridge. */
export interface Attachment {
  readonly hostInterface: string;
  readonly guestInterface: string;
  readonly mac: string;
  /** Addresses that lead beyond the link. */
  readonly addresses: readonly Cidr[];
  /** The container it was attached for; without a note of that, what its namespace tells. */
  readonly ident: string;
  /** Inode of the namespace it lies in, where that could be found. */
  readonly namespace: number | undefined;
  /** Lowest process id in that namespace; `undefined` for one without processes. */
  readonly firstProcess: number | undefined;
}

/**
 * All container interfaces on the bridge, in the order of their creation: for `ps`, and for the
 * addresses that are in use already when the router starts.
 *
 * @throws WeaveError `BRIDGE_MISSING`
 */
export function listAttachments(netlink: Netlink, bridgeName: string): Attachment[] {
  const ports = portsOf(netlink, findBridge(netlink, bridgeName));
  if (ports.length === 0) return [];
  const owners = ownersByNamespaceId(netlink);
  return ports.flatMap((port) => {
    const namespace = port.peerNamespace!;
    const guest = guestOf(netlink, port);
    if (guest === undefined) return [];
    const owner = owners.get(namespace);
    return [
      {
        hostInterface: port.name,
        guestInterface: guest.name,
        mac: guest.mac,
        addresses: addressesOf(netlink, guest.index, namespace),
        ident: port.alias || (owner?.ident ?? ""),
        namespace: owner?.inode,
        firstProcess: owner?.firstProcess,
      },
    ];
  });
}

/** MAC addresses of all container interfaces on the bridge, which costs less than asking whose they are. */
export function listGuestMacs(netlink: Netlink, bridge: Link): string[] {
  return portsOf(netlink, bridge).flatMap((port) => guestOf(netlink, port)?.mac ?? []);
}

function portsOf(netlink: Netlink, bridge: Link): Link[] {
  return listLinks(netlink).filter(
    ({ master, kind, peerNamespace }) =>
      master === bridge.index && kind === "veth" && peerNamespace !== undefined,
  );
}

/** Where the container's namespace can be opened; `undefined` when that could not be found. */
export function namespacePath({ namespace: inode, firstProcess }: Attachment): string | undefined {
  return (
    namedNamespaces().find((named) => named.inode === inode)?.path ??
    (firstProcess === undefined ? undefined : `/proc/${firstProcess}/ns/net`)
  );
}

/** The container's end; `undefined` when it went while we looked. */
function guestOf(netlink: Netlink, port: Link): Link | undefined {
  try {
    return findLink(netlink, { index: port.peer!, namespace: port.peerNamespace! });
  } catch {
    return undefined;
  }
}

interface Owner {
  readonly ident: string;
  readonly inode: number;
  readonly firstProcess: number | undefined;
}

function ownersByNamespaceId(netlink: Netlink): Map<number, Owner> {
  const byId = new Map<number, Owner>();
  const note = (path: string, owner: Owner): void => {
    const id = tryNamespaceId(netlink, path);
    if (id !== undefined) byId.set(id, owner);
  };
  const processes = processesByNamespace();
  for (const [inode, firstProcess] of processes) {
    note(`/proc/${firstProcess}/ns/net`, { ident: `pid:${firstProcess}`, inode, firstProcess });
  }
  for (const { inode, name, path } of namedNamespaces()) {
    note(path, { ident: `netns:${name}`, inode, firstProcess: processes.get(inode) });
  }
  return byId;
}

function tryNamespaceId(netlink: Netlink, path: string): number | undefined {
  try {
    using namespace = new NetworkNamespace(path);
    return namespaceId(netlink, namespace.descriptor);
  } catch {
    // The process ended since it was listed.
    return undefined;
  }
}
