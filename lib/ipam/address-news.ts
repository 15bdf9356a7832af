import type { Ipv4, Ipv4Cidr } from "../base/ip.ts";
import type { HeldAddresses } from "./held-addresses.ts";

/** Told who holds which addresses, in the turn of whoever asked for it. */
export interface AddressNews {
  allocated(ident: string, cidr: Ipv4Cidr): void;
  claimed(ident: string, cidr: Ipv4Cidr): void;
  released(ident: string, cidr: Ipv4Cidr): void;
}

/** Tells of each address that it is held from now on, or no more; not of one that was before. */
export class AddressTeller {
  readonly #held: HeldAddresses;
  readonly #news: AddressNews | undefined;

  constructor(held: HeldAddresses, news: AddressNews | undefined) {
    this.#held = held;
    this.#news = news;
  }

  /** To be called before anything is done for it; what is refused is told by nobody. */
  asked(what: "allocated" | "claimed", ident: string, got: Promise<Ipv4Cidr>): void {
    const before = new Set<Ipv4>(this.#held.of(ident).map(({ address }) => address));
    const tell = (cidr: Ipv4Cidr): void => {
      const holder = this.#held.holderOf(cidr.address);
      if (holder !== undefined && !before.has(cidr.address)) this.#news?.[what](holder, cidr);
    };
    void got.then(tell, () => {});
  }

  /** To be called before it is. */
  released(address: Ipv4): void {
    const ident = this.#held.holderOf(address);
    if (ident === undefined || this.#news === undefined) return;
    const cidr = this.#held.of(ident).find((each) => each.address === address);
    if (cidr !== undefined) this.#news.released(ident, cidr);
  }
}
