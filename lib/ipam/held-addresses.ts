import { WeaveError } from "../base/errors.ts";
import type { Ipv4, Ipv4Cidr } from "../base/ip.ts";
import { AddressSet } from "./address-set.ts";
import { singleAddress } from "./range.ts";

/** One address in use on this host. */
export interface HeldAddress {
  /** Container id, `weave:expose`, or for an anonymous holder the address itself. */
  readonly ident: string;
  /** Whether the fate of a container decides about the address. */
  readonly isContainer: boolean;
  readonly cidr: Ipv4Cidr;
}

interface Holder {
  isContainer: boolean;
  /** In order of acquisition. */
  readonly cidrs: Ipv4Cidr[];
}

/** Which ident holds which addresses; no address is held twice. */
export class HeldAddresses {
  readonly #holders = new Map<string, Holder>();
  readonly #identOf = new Map<Ipv4, string>();
  #addresses = AddressSet.empty;

  /** All addresses held, inside and outside our ranges. */
  get addresses(): AddressSet {
    return this.#addresses;
  }

  get size(): number {
    return this.#identOf.size;
  }

  holderOf(address: Ipv4): string | undefined {
    return this.#identOf.get(address);
  }

  of(ident: string): readonly Ipv4Cidr[] {
    return this.#holders.get(ident)?.cidrs ?? [];
  }

  isContainer(ident: string): boolean {
    return this.#holders.get(ident)?.isContainer ?? false;
  }

  list(): { ident: string; cidrs: Ipv4Cidr[] }[] {
    return [...this.#holders].map(([ident, { cidrs }]) => ({ ident, cidrs: [...cidrs] }));
  }

  /** Idents of containers that hold addresses. */
  containers(): string[] {
    return [...this.#holders].flatMap(([ident, holder]) => (holder.isContainer ? [ident] : []));
  }

  /** `address` is not held yet. */
  add({ ident, isContainer, cidr }: HeldAddress): void {
    const holder = this.#holders.get(ident) ?? { isContainer, cidrs: [] };
    holder.cidrs.push(cidr);
    this.#holders.set(ident, holder);
    this.#identOf.set(cidr.address, ident);
    this.#addresses = this.#addresses.with(singleAddress(cidr.address));
  }

  /** Whether `address` was held. */
  remove(address: Ipv4): boolean {
    const ident = this.#identOf.get(address);
    if (ident === undefined) return false;
    const { cidrs } = this.#holders.get(ident)!;
    cidrs.splice(
      cidrs.findIndex((cidr) => cidr.address === address),
      1,
    );
    if (cidrs.length === 0) this.#holders.delete(ident);
    this.#identOf.delete(address);
    this.#addresses = this.#addresses.without(singleAddress(address));
    return true;
  }

  /** From now on `ident` is a container. Returns what is known of it, when that is news. */
  markContainer(ident: string): HeldAddress[] {
    const holder = this.#holders.get(ident);
    if (holder === undefined || holder.isContainer) return [];
    holder.isContainer = true;
    return holder.cidrs.map((cidr) => ({ ident, isContainer: true, cidr }));
  }
}

/** What was to be given up is held by nobody, or by another. */
export function notHeld(message: string): WeaveError {
  return new WeaveError("IPAM_NOT_HELD", message, {
    remedy: "see 'weave ps' for the addresses in use",
  });
}
