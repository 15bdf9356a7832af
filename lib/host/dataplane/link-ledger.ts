import type { SleeveLinkParameters } from "../../overlay/sleeve/ports.ts";
import type { Command } from "./protocol.ts";

interface Entry {
  readonly parameters: SleeveLinkParameters;
  confirmed: boolean;
  established: boolean;
}

/** What the main thread remembers of the worker's links, to make them anew in another worker. */
export class LinkLedger {
  readonly #links = new Map<number, Entry>();

  prepared(link: number, parameters: SleeveLinkParameters): void {
    this.#links.set(link, { parameters, confirmed: false, established: false });
  }

  confirmed(link: number): void {
    const entry = this.#links.get(link);
    if (entry !== undefined) entry.confirmed = true;
  }

  /** Whether this is the first time, over all workers, that the link is established. */
  established(link: number): boolean {
    const entry = this.#links.get(link);
    if (entry === undefined || entry.established) return false;
    entry.established = true;
    return true;
  }

  forget(link: number): void {
    this.#links.delete(link);
  }

  /**
   * Which commands bring a new worker to where the former one was, and which links cannot be
   * brought there: a key whose message numbers began again would give its secret away.
   */
  restart(): { readonly kept: readonly Command[]; readonly lost: readonly number[] } {
    const kept: Command[] = [];
    const lost: number[] = [];
    for (const [link, { parameters, confirmed }] of this.#links) {
      if (parameters.key !== undefined && confirmed) {
        lost.push(link);
        continue;
      }
      kept.push({ kind: "prepare", link, parameters });
      if (confirmed) kept.push({ kind: "confirm", link });
    }
    for (const link of lost) this.#links.delete(link);
    return { kept, lost };
  }
}
