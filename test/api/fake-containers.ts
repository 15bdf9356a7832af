import type {
  AttachRequest,
  ContainerControl,
  DetachRequest,
  ExposeRequest,
  ListedContainer,
  NamesAnswer,
  NamesRequest,
  RouterControl,
} from "../../lib/api/router-control.ts";
import { parseAddressTokens } from "../../lib/base/address-token.ts";
import { WeaveError } from "../../lib/base/errors.ts";
import {
  type Cidr,
  cidrFromIpv4,
  formatCidr,
  formatIp,
  formatIpv4,
  formatIpv4Cidr,
  parseIp,
} from "../../lib/base/ip.ts";
import { AddressBook } from "../../lib/daemon/address-book.ts";
import type { NameTable } from "../../lib/dns/name-table.ts";

/** Containers `c1`, `c2` … of which some run; what they are given is kept in maps. */
export class FakeContainers implements ContainerControl {
  /** Idents that are known to be gone or at rest; everybody else runs. */
  readonly dead = new Set<string>();
  readonly exposed = new Map<string, { masquerade: boolean }>();
  readonly joined = new Set<string>();
  /** While set, the bridge is missing. */
  isBridgeMissing = false;
  readonly #attached = new Map<string, string[]>();
  readonly #book: AddressBook;
  readonly #names: NameTable | undefined;

  constructor(ipam: RouterControl["ipam"], names: NameTable | undefined) {
    this.#book = new AddressBook(ipam?.allocator, ipam?.defaultSubnet);
    this.#names = names;
  }

  async isAlive(ident: string): Promise<boolean> {
    return !this.dead.has(ident);
  }

  async attach(request: AttachRequest, signal: AbortSignal) {
    const ident = this.#resolve(request.container);
    const tokens = parseAddressTokens(request.addresses);
    const { cidrs } = await this.#book.acquire(ident, tokens, { isContainer: true, signal });
    const texts = cidrs.map(formatIpv4Cidr);
    this.#attached.set(ident, [...new Set([...(this.#attached.get(ident) ?? []), ...texts])]);
    return { ident, cidrs: texts, interface: "ethwe", mac: macOf(ident) };
  }

  async detach(request: DetachRequest) {
    const ident = this.#resolve(request.container);
    const found = this.#book.find(ident, parseAddressTokens(request.addresses));
    this.#attached.delete(ident);
    const addresses = found.map(({ address }) => address);
    this.#book.release(ident, addresses);
    return { ident, cidrs: found.map(formatIpv4Cidr) };
  }

  async expose(request: ExposeRequest, signal: AbortSignal) {
    const tokens = parseAddressTokens(request.addresses);
    const options = { isContainer: false, signal };
    const { cidrs } = await this.#book.acquire("weave:expose", tokens, options);
    for (const cidr of cidrs) await this.exposeAddress(cidrFromIpv4(cidr), request);
    return { cidrs: cidrs.map(formatIpv4Cidr) };
  }

  async hide(request: { addresses: readonly string[] }) {
    const found = this.#book.find("weave:expose", parseAddressTokens(request.addresses));
    const cidrs = found.map(formatIpv4Cidr);
    for (const cidr of cidrs) this.exposed.delete(cidr);
    const addresses = found.map(({ address }) => address);
    this.#book.release("weave:expose", addresses);
    return { cidrs };
  }

  async exposeAddress(cidr: Cidr, { masquerade }: { masquerade: boolean }): Promise<void> {
    if (this.isBridgeMissing) {
      throw new WeaveError("EXPOSE_FAILED", 'bridge "weave" not present; did you launch weave?');
    }
    this.exposed.set(formatCidr(cidr), { masquerade });
  }

  async joinBridge(name: string): Promise<boolean> {
    if (name !== "docker0") throw new WeaveError("BRIDGE_UNKNOWN", "there is no other bridge");
    const isNew = !this.joined.has(name);
    this.joined.add(name);
    return isNew;
  }

  async list(references: readonly string[]): Promise<ListedContainer[]> {
    const all = [...this.#attached].map(([ident, cidrs]) => listed(ident, cidrs));
    const bridge = listed("weave:expose", [...this.exposed.keys()]);
    if (references.length === 0) return [bridge, ...all];
    return [bridge, ...all].filter(({ ident }) => references.includes(ident));
  }

  async addNames(request: NamesRequest): Promise<NamesAnswer> {
    const { names, fqdn, ident } = this.#named(request);
    const addresses = request.addresses.map(parseIp);
    const added = addresses.filter((each) => names.add(fqdn, ident, each) !== "outside-domain");
    return {
      names: added.map((each) => ({ fqdn, address: formatIp(each) })),
      ignored: added.length > 0 ? [] : [{ fqdn, reason: "the name is not in the local domain" }],
    };
  }

  async removeNames(request: NamesRequest): Promise<NamesAnswer> {
    const { names, fqdn, ident } = this.#named(request);
    for (const address of request.addresses) {
      names.remove({ name: fqdn, ident, address: parseIp(address) });
    }
    return { names: request.addresses.map((address) => ({ fqdn, address })), ignored: [] };
  }

  lookupName(name: string): readonly string[] {
    return (this.#names?.lookup(name) ?? []).map(({ address }) => formatIpv4(address));
  }

  #named(request: NamesRequest) {
    if (this.#names === undefined) throw new WeaveError("DNS_DISABLED", "weaveDNS is off");
    const ident = request.container === undefined ? "weave:extern" : request.container;
    return { names: this.#names, fqdn: request.fqdn ?? `${ident}.weave.local`, ident };
  }

  #resolve(reference: string): string {
    if (!/^c\d+$/.test(reference)) {
      throw new WeaveError("CONTAINER_UNKNOWN", `unable to inspect container ${reference}`, {
        remedy: "the container engine knows no such container",
      });
    }
    if (!this.dead.has(reference)) return reference;
    throw new WeaveError("CONTAINER_NOT_RUNNING", `container ${reference} not running`, {
      remedy: "start the container first",
    });
  }
}

function listed(ident: string, cidrs: readonly string[]): ListedContainer {
  return { ref: ident, ident, mac: macOf(ident), cidrs };
}

function macOf(ident: string): string {
  return `0a:00:00:00:00:${ident.length.toString(16).padStart(2, "0")}`;
}
