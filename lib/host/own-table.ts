import { isSystemError } from "../../ffi/system-error.ts";
import type { Netlink } from "./netlink/conversation.ts";
import type { NftTableId } from "./netlink/nft-message.ts";
import { listRules, type NftTable, replaceTable, rulesGeneration } from "./netlink/nftables.ts";
import { openNetfilter } from "./netlink/open.ts";

/** A table of ours in nf_tables, and how to notice that somebody else has changed its rules. */
export class OwnTable {
  readonly #id: NftTableId;
  /** How the kernel's rules were when ours were put there: as a whole, and ours one by one. */
  #inPlace: { readonly generation: number; readonly rules: string } | undefined;

  constructor(id: NftTableId) {
    this.#id = id;
  }

  /** In the place of whatever table of this name there was. @throws SystemError */
  put(content: Pick<NftTable, "chains" | "sets">): void {
    this.#inPlace = undefined;
    using netfilter = openNetfilter();
    replaceTable(netfilter, { ...this.#id, ...content });
    const rules = ownRules(netfilter, this.#id);
    this.#inPlace = { generation: rulesGeneration(netfilter), rules };
  }

  /**
   * Whether the rules that were put there have been changed. Costs nothing while no rule of this
   * namespace has, which `generation` says.
   *
   * @throws SystemError
   */
  isSpoilt(generation: number): boolean {
    const inPlace = this.#inPlace;
    if (inPlace === undefined || generation === inPlace.generation) return false;
    using netfilter = openNetfilter();
    if (ownRules(netfilter, this.#id) !== inPlace.rules) return true;
    this.#inPlace = { ...inPlace, generation };
    return false;
  }
}

/** Another number when any rule of nf_tables has changed since; `undefined` in a kernel without. */
export function nftablesGeneration(): number | undefined {
  try {
    using netfilter = openNetfilter();
    return rulesGeneration(netfilter);
  } catch (error) {
    if (isSystemError(error)) return undefined;
    throw error;
  }
}

/** Whether the kernel has such tables. */
export function hasNftables(): boolean {
  return nftablesGeneration() !== undefined;
}

/** Every rule of ours by its chain and handle: a rule that was made anew has another one. */
function ownRules(netfilter: Netlink, table: NftTableId): string {
  return listRules(netfilter, table)
    .map(({ chain, handle }) => `${chain} ${handle}`)
    .join();
}
