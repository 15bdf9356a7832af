import {
  formatIp,
  type HostIp,
  type IpAddress,
  type IpFamily,
  networkOf,
  parseIp,
} from "../../base/ip.ts";
import type { TransportProtocol } from "../../policy/objects.ts";
import type { PortElement } from "../../policy/rule-set.ts";
import type { Ipset, IpsetElement } from "../netlink/ipset.ts";
import type { BlockMatch } from "./ipset-lines.ts";

/** One thing that a kernel does at once, or that can stop between its elements without harm. */
export type Step =
  | { readonly kind: "create"; readonly set: Ipset }
  | { readonly kind: "add" | "remove"; readonly set: string; readonly elements: Elements }
  /** Rules of a family, all at once: what `iptables-restore` takes for one table. */
  | { readonly kind: "restore"; readonly family: IpFamily; readonly lines: readonly string[] }
  | { readonly kind: "destroy"; readonly set: string };

/** Steps by when they are taken: those with all rules at once are between the second and the third. */
export interface Phases {
  readonly make: Step[];
  readonly close: Step[];
  readonly open: Step[];
  readonly destroy: Step[];
}

export function noPhases(): Phases {
  return { make: [], close: [], open: [], destroy: [] };
}

export type Elements = readonly IpsetElement[];

export function addressElements(addresses: Iterable<HostIp>): IpsetElement[] {
  return Array.from(addresses, (ip) => ({ address: addressOf(ip) }));
}

const protocolNumbers = { TCP: 6, UDP: 17, SCTP: 132 } as const satisfies Record<
  TransportProtocol,
  number
>;

export function portElements(ports: Iterable<PortElement>): IpsetElement[] {
  return Array.from(ports, ({ address, protocol, port }) => ({
    address: addressOf(address),
    port: { protocol: protocolNumbers[protocol], number: port },
  }));
}

/** The most special network that an address is in decides whether it is in the set. */
export function blockElements({ block, except }: BlockMatch): IpsetElement[] {
  const exceptions = new Map(except.map((each) => [formatIp(each.address) + each.prefix, each]));
  return [
    ...halves(block),
    ...[...exceptions.values()].map((each) => ({ ...each, isExcept: true })),
  ];
}

/** A set has no network of length 0. */
function halves({ address, prefix }: BlockMatch["block"]): BlockMatch["block"][] {
  if (prefix > 0) return [{ address, prefix }];
  const upper: IpAddress =
    address.family === 4
      ? { family: 4, value: 0xffff_ffff }
      : { family: 6, value: (1n << 128n) - 1n };
  const lower: IpAddress =
    address.family === 4 ? { family: 4, value: 0 } : { family: 6, value: 0n };
  return [lower, upper].map((each) => networkOf({ address: each, prefix: 1 }));
}

function addressOf(ip: HostIp): IpAddress {
  return typeof ip === "number" ? { family: 4, value: ip } : parseIp(ip);
}
