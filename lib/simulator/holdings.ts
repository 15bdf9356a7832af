import { formatIpv4, type Ipv4 } from "../base/ip.ts";

interface Holding {
  readonly peer: number;
  readonly ident: string;
}

/** What users were given and have not given back: the truth that all allocators must agree with. */
export class Holdings {
  readonly #holders = new Map<Ipv4, Holding>();

  /** `ident` at `peer` was told that it holds `address`; says who else was told so. */
  given(peer: number, ident: string, address: Ipv4): string | undefined {
    const other = this.#holders.get(address);
    this.#holders.set(address, { peer, ident });
    if (other === undefined || (other.peer === peer && other.ident === ident)) return undefined;
    return `${formatIpv4(address)} was given to ${ident} at ${peer} and is held by ${other.ident} at ${other.peer}`;
  }

  /** Whether there was anything to take back. */
  takenBack(peer: number, ident: string): boolean {
    return this.#remove((holding) => holding.peer === peer && holding.ident === ident);
  }

  /** The machine of `peer` is gone for good, with its containers. */
  lost(peer: number): void {
    this.#remove((holding) => holding.peer === peer);
  }

  /** `address ident` of everything at `peer`, sorted. */
  of(peer: number): string[] {
    return [...this.#holders]
      .filter(([, holding]) => holding.peer === peer)
      .map(([address, { ident }]) => `${formatIpv4(address)} ${ident}`)
      .sort();
  }

  #remove(matches: (holding: Holding) => boolean): boolean {
    let removed = false;
    for (const [address, holding] of this.#holders) {
      if (matches(holding)) removed = this.#holders.delete(address) || removed;
    }
    return removed;
  }
}
