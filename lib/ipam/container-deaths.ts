/** How long the addresses of a container that died are kept, in case that it is restarted. */
const graceMs = 30_000;

/** Containers that died and still hold addresses (ipam §12). */
export class ContainerDeaths {
  readonly #diedAtMs = new Map<string, number>();

  died(ident: string, nowMs: number): void {
    this.#diedAtMs.set(ident, nowMs);
  }

  isDead(ident: string): boolean {
    return this.#diedAtMs.has(ident);
  }

  /** It lives again, or is gone for good. */
  forget(ident: string): void {
    this.#diedAtMs.delete(ident);
  }

  /** Takes out those whose time of grace is over. */
  takeExpired(nowMs: number): string[] {
    const expired = [...this.#diedAtMs].flatMap(([ident, diedAtMs]) =>
      nowMs - diedAtMs >= graceMs ? [ident] : [],
    );
    for (const ident of expired) this.forget(ident);
    return expired;
  }
}
