import { isSystemError } from "../../../ffi/system-error.ts";
import { WeaveError } from "../../base/errors.ts";
import { type Cidr, cidrFromIpv4 } from "../../base/ip.ts";
import type { ContainerFacts } from "../../diagnosis/facts.ts";
import { addressesOf } from "../../host/attach.ts";
import { type Attachment, namespacePath } from "../../host/attachments.ts";
import { isContainerAlive, resolveContainer } from "../../host/container.ts";
import { isEndpointPort } from "../../host/device-names.ts";
import { findLink, type Link } from "../../host/netlink/link.ts";
import { listNeighbours } from "../../host/netlink/neighbour.ts";
import { openRoute } from "../../host/netlink/open.ts";
import { listRoutes } from "../../host/netlink/route.ts";
import { NetworkNamespace } from "../../host/netns.ts";
import type { Allocator } from "../../ipam/allocator.ts";

/** Containers whose insides are looked at; those beyond are on so large a host that one asks for one. */
const containersMax = 256;

/** What a container holds. */
export type Holdings = ReturnType<Allocator["list"]>;

/** Containers on the bridge, and those that hold addresses and should be. */
export async function gatherContainers(
  attached: readonly Attachment[],
  held: Holdings,
): Promise<ContainerFacts[]> {
  const byIdent = new Map(held.map(({ ident, cidrs }) => [ident, cidrs.map(cidrFromIpv4)]));
  const onBridge = attached
    .slice(0, containersMax)
    .flatMap((each) => attachedFacts(each, heldBy(each, byIdent)));
  const idents = new Set(attached.map(({ ident }) => ident));
  const lost: ContainerFacts[] = [];
  for (const [ident, cidrs] of byIdent) {
    if (idents.has(ident) || isContainerAlive(ident) !== true) continue;
    lost.push(await detachedFacts(ident, cidrs));
  }
  return [...onBridge, ...lost];
}

/** Addresses of an engine's networks are held by nobody in particular. */
function heldBy(
  { ident, hostInterface }: Attachment,
  byIdent: ReadonlyMap<string, readonly Cidr[]>,
): readonly Cidr[] {
  return isEndpointPort(hostInterface) ? [] : (byIdent.get(ident) ?? []);
}

/** Nothing of a container that ends while it is looked at. */
function attachedFacts(attachment: Attachment, held: readonly Cidr[]): ContainerFacts[] {
  const { ident, hostInterface, guestInterface, addresses } = attachment;
  const path = namespacePath(attachment);
  using host = openRoute();
  const port = findLink(host, { name: hostInterface });
  const inside = path === undefined ? undefined : look(path, guestInterface);
  if (port === undefined) return [];
  return [
    {
      ident: ident || hostInterface,
      namespacePath: path,
      port,
      guest: inside?.guest,
      held,
      addresses: inside?.addresses ?? addresses,
      routes: inside?.routes ?? [],
      neighbours: inside?.neighbours ?? [],
    },
  ];
}

async function detachedFacts(ident: string, held: readonly Cidr[]): Promise<ContainerFacts> {
  return {
    ident,
    namespacePath: await pathOf(ident),
    ...{ port: undefined, guest: undefined, held, addresses: [], routes: [], neighbours: [] },
  };
}

async function pathOf(ident: string): Promise<string | undefined> {
  try {
    return (await resolveContainer(ident)).namespacePath;
  } catch (error) {
    if (error instanceof WeaveError) return undefined;
    throw error;
  }
}

type Inside = Pick<ContainerFacts, "addresses" | "routes" | "neighbours"> & {
  readonly guest: Link;
};

function look(path: string, interfaceName: string): Inside | undefined {
  try {
    using namespace = new NetworkNamespace(path);
    using netlink = openRoute(namespace);
    const guest = findLink(netlink, { name: interfaceName });
    if (guest === undefined) return undefined;
    return {
      guest,
      addresses: addressesOf(netlink, guest.index),
      routes: listRoutes(netlink),
      neighbours: listNeighbours(netlink).filter(
        ({ interfaceIndex, state }) => interfaceIndex === guest.index && state !== "noarp",
      ),
    };
  } catch (error) {
    if (isSystemError(error)) return undefined;
    throw error;
  }
}
