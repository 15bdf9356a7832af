import { emptyBytes } from "../../base/bytes.ts";
import type { PeerName } from "../../base/peer-name.ts";
import type { GenerationSecrets } from "../../overlay/sleeve/key-ratchet.ts";
import { controlTag } from "../../overlay/sleeve/link.ts";
import type { SleeveLinkParameters, UdpEndpoint } from "../../overlay/sleeve/ports.ts";
import type { Command } from "./protocol.ts";

interface Entry {
  parameters: SleeveLinkParameters;
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

  remoteOf(link: number): PeerName | undefined {
    return this.#links.get(link)?.parameters.remote;
  }

  /** Whether this is the first time, over all workers, that the link is established. */
  established(link: number): boolean {
    const entry = this.#links.get(link);
    if (entry === undefined || entry.established) return false;
    entry.established = true;
    return true;
  }

  /** The peer went on to another generation of keys. */
  renewed(link: number, secrets: GenerationSecrets): void {
    this.#amend(link, { secrets });
  }

  limited(link: number, peerTakes: number): void {
    this.#amend(link, { peerTakes });
  }

  heardAt(link: number, heardAt: UdpEndpoint): void {
    this.#amend(link, { heardAt });
  }

  #amend(link: number, change: Partial<SleeveLinkParameters>): void {
    const entry = this.#links.get(link);
    if (entry !== undefined) entry.parameters = { ...entry.parameters, ...change };
  }

  forget(link: number): void {
    this.#links.delete(link);
  }

  /**
   * Which commands bring a new worker to where the former one was, and which links cannot be
   * brought there: a key whose message numbers began again would give its secret away. `renew`
   * gives the secrets of a generation that was never used, for a link that has generations.
   */
  restart(renew: (link: number) => GenerationSecrets | undefined): {
    readonly kept: readonly Command[];
    readonly lost: readonly number[];
  } {
    const kept: Command[] = [];
    const lost: number[] = [];
    for (const [link, entry] of this.#links) {
      if (entry.confirmed && !this.#giveUnusedKeys(link, entry, renew)) lost.push(link);
      else kept.push(...commandsFor(link, entry));
    }
    for (const link of lost) this.#links.delete(link);
    return { kept, lost };
  }

  /** False when there are none. */
  #giveUnusedKeys(
    link: number,
    { parameters }: Entry,
    renew: (link: number) => GenerationSecrets | undefined,
  ): boolean {
    if (parameters.secrets === undefined) return parameters.key === undefined;
    const secrets = renew(link);
    if (secrets !== undefined) this.renewed(link, secrets);
    return secrets !== undefined;
  }
}

function commandsFor(link: number, { parameters, confirmed, established }: Entry): Command[] {
  const commands: Command[] = [{ kind: "prepare", link, parameters }];
  if (confirmed) commands.push({ kind: "confirm", link });
  // The peer says only once that it hears us.
  if (established) {
    commands.push({ kind: "control", link, tag: controlTag.established, body: emptyBytes });
  }
  return commands;
}
