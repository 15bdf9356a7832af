import type { HostIp } from "../../base/ip.ts";
import type { ChainKey, TargetChanges } from "../rule-set.ts";

/** Which chain judges each address in one direction, and what was told of it. */
export class TargetTable {
  /** As told so far. */
  readonly published = new Map<HostIp, ChainKey>();
  readonly #chains = new Map<HostIp, ChainKey>();
  readonly #touched = new Set<HostIp>();

  /** `undefined`: none does. Returns the one that did before. */
  set(address: HostIp, chain: ChainKey | undefined): ChainKey | undefined {
    const before = this.#chains.get(address);
    if (chain === undefined) this.#chains.delete(address);
    else this.#chains.set(address, chain);
    this.#touched.add(address);
    return before;
  }

  /** What has to be told, which counts as told from then on. */
  tell(): TargetChanges {
    const put = new Map<HostIp, ChainKey>();
    const remove: HostIp[] = [];
    for (const address of this.#touched) {
      const chain = this.#chains.get(address);
      if (chain === this.published.get(address)) continue;
      if (chain === undefined) {
        this.published.delete(address);
        remove.push(address);
      } else {
        this.published.set(address, chain);
        put.set(address, chain);
      }
    }
    this.#touched.clear();
    return { put, remove };
  }
}
