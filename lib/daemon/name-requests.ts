import type { NamesAnswer, NamesRequest } from "../api/router-control.ts";
import { WeaveError } from "../base/errors.ts";
import { formatIp, type IpAddress, parseIp } from "../base/ip.ts";
import { type Containers, fqdnOf } from "./containers.ts";
import { externIdent, type NameService } from "./name-service.ts";

/** `weave dns-add` and `weave dns-remove` (dns §8). */
export class NameRequests {
  readonly #names: NameService | undefined;
  readonly #containers: Containers;

  constructor(names: NameService | undefined, containers: Containers) {
    this.#names = names;
    this.#containers = containers;
  }

  /** Registers the name, or the container's own, for the addresses, or for all it has. */
  async add(request: NamesRequest): Promise<NamesAnswer> {
    const names = this.#required();
    const { ident, addresses, ownName } = await this.#subject(request);
    const fqdn = request.fqdn ?? ownName;
    if (fqdn === undefined) return nothing(request, "the container has no domain name of its own");
    if (addresses.length === 0) return nothing({ fqdn }, "the container has no address");
    const added = addresses.filter((address) => names.add(fqdn, ident, address));
    if (added.length === 0) return nothing({ fqdn }, names.outsideReason(fqdn));
    return { names: added.map((address) => ({ fqdn, address: formatIp(address) })), ignored: [] };
  }

  /** Addresses of a name; none for an unknown one. */
  lookup(name: string): readonly string[] {
    return this.#required().lookup(name);
  }

  /** Removes the name, or every name of the container, from the addresses. */
  async remove(request: NamesRequest): Promise<NamesAnswer> {
    const names = this.#required();
    const { ident, addresses } = await this.#subject(request);
    const fqdn = request.fqdn;
    for (const address of addresses) {
      names.remove({ ident, address, ...(fqdn !== undefined && { fqdn }) });
    }
    const removed = addresses.map((address) => ({ fqdn: fqdn ?? "", address: formatIp(address) }));
    return { names: removed, ignored: [] };
  }

  /** Whose names, and which addresses are meant. */
  async #subject(request: NamesRequest): Promise<{
    ident: string;
    addresses: readonly IpAddress[];
    ownName: string | undefined;
  }> {
    // Names are given for addresses; a mask that somebody adds out of habit is no harm.
    const given = request.addresses.map((text) => parseIp(text.replace(/^ip:|\/\d+$/g, "")));
    if (request.container === undefined) {
      if (given.length === 0 || request.fqdn === undefined) {
        throw new WeaveError("NAME_INCOMPLETE", "a name without container needs an address", {
          remedy: "weave dns-add <ip>… -h <fqdn>, or weave dns-add <container>",
        });
      }
      return { ident: externIdent, addresses: given, ownName: undefined };
    }
    const container = await this.#containers.resolve(request.container);
    const addresses =
      given.length > 0
        ? given
        : this.#containers
            .addressesOf(container)
            .map(({ address }) => address)
            .filter(({ family }) => family === 4);
    return { ident: container.ident, addresses, ownName: fqdnOf(container) };
  }

  #required(): NameService {
    if (this.#names !== undefined) return this.#names;
    throw new WeaveError("DNS_DISABLED", "weaveDNS is off", {
      remedy: "launch without --no-dns",
    });
  }
}

function nothing(request: { fqdn?: string }, reason: string): NamesAnswer {
  return { names: [], ignored: [{ fqdn: request.fqdn ?? "", reason }] };
}
