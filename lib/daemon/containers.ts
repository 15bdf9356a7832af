import type {
  AttachAnswer,
  AttachRequest,
  DetachAnswer,
  DetachRequest,
  ListedContainer,
} from "../api/router-control.ts";
import { type AddressToken, parseAddressTokens } from "../base/address-token.ts";
import { errorText, WeaveError } from "../base/errors.ts";
import { type Cidr, cidrFromIpv4, formatCidr, formatIp, type Ipv4Cidr } from "../base/ip.ts";
import type { EventSink } from "../base/network-event.ts";
import type { Log } from "../base/world.ts";
import { addressesOf, attachContainer, detachContainer, findBridge } from "../host/attach.ts";
import { type Attachment, listAttachments, listGuestMacs } from "../host/attachments.ts";
import {
  type Container,
  type EngineLookup,
  isContainerAlive,
  openContainer,
  resolveContainer,
} from "../host/container.ts";
import { hostsFileText, writeHostsFile } from "../host/hosts-file.ts";
import { joinBridge } from "../host/joined-bridge.ts";
import { findLink } from "../host/netlink/link.ts";
import { openRoute } from "../host/netlink/open.ts";
import type { NetworkNamespace } from "../host/netns.ts";
import { type Mac, tryParseMac } from "../wire/ethernet.ts";
import type { AddressBook } from "./address-book.ts";
import type { AttachmentKeeper } from "./attachment-keeper.ts";
import { KeyedLock } from "./keyed-lock.ts";
import { exposeIdent, type NameService } from "./name-service.ts";
import type { Admission } from "./policy/policy-service.ts";
import { inSpan } from "./tracing/span.ts";

export interface ContainersOptions {
  readonly bridgeName: string;
  readonly book: AddressBook;
  /** Missing when DNS is off. */
  readonly names: NameService | undefined;
  /** Gives containers back what they lose of what is done here. */
  readonly attachments: Pick<AttachmentKeeper, "attached" | "detached" | "wasDetached">;
  /** Has policies hold from a container's first packet on. */
  readonly admission: Admission;
  /** Missing when no container engine is asked. */
  readonly engine: EngineLookup | undefined;
  /** Containers of runtimes, which are known by their ids alone, and to nobody else. */
  readonly ofRuntimes: (id: string) => Container | undefined;
  readonly log: Log;
  readonly emit: EventSink;
  /** Called after the set of attached containers has changed. */
  changed(): void;
}

/** How a container is attached; what is named as in {@link AttachRequest} is the same. */
export interface AttachHow
  extends Pick<AttachRequest, "addresses" | "withoutDns" | "multicastRoute" | "labels"> {
  /** Absent: its hosts file stays as it is. */
  readonly hosts: HostsRewrite | undefined;
}

interface HostsRewrite {
  /** `name:address` pairs. */
  readonly added: readonly string[];
  /** Whether a container without hosts file is not attached; otherwise that is noted in the log. */
  readonly required: boolean;
}

/**
 * Attaching and detaching as whole operations:
 *
 *   attach   addresses ──▶ hosts file ──▶ policies ──▶ interface ──▶ name     undone on failure,
 *                                                                            but for the name's
 *   detach   interface ──▶ name ──▶ addresses
 */
export class Containers {
  readonly #options: ContainersOptions;
  readonly #locks = new KeyedLock();

  constructor(options: ContainersOptions) {
    this.#options = options;
  }

  async attach(request: AttachRequest, signal: AbortSignal): Promise<AttachAnswer> {
    const { rewriteHosts, addHosts } = request;
    const rewrites = rewriteHosts || addHosts.length > 0;
    const hosts = rewrites ? { added: addHosts, required: true } : undefined;
    // What is written wrongly is said before the container is looked for.
    parseAddressTokens(request.addresses);
    const container = await this.resolve(request.container);
    return this.attachContainer(container, { ...request, hosts }, signal);
  }

  /** The same, for a container that was found already. */
  async attachContainer(
    container: Container,
    how: AttachHow,
    signal: AbortSignal,
  ): Promise<AttachAnswer> {
    const tokens = parseAddressTokens(how.addresses);
    const traced = { "container.id": container.ident };
    const attach = (): Promise<AttachAnswer> => this.#attachAlone(container, how, tokens, signal);
    return inSpan("attach container", traced, () => this.#locks.run(container.ident, attach));
  }

  /** With nothing else being done to the container. */
  async #attachAlone(
    container: Container,
    how: AttachHow,
    tokens: readonly AddressToken[],
    signal: AbortSignal,
  ): Promise<AttachAnswer> {
    using namespace = openContainer(container);
    const { book, log } = this.#options;
    const acquired = await book.acquire(container.ident, tokens, { isContainer: true, signal });
    try {
      const addresses = acquired.cidrs.map(cidrFromIpv4);
      // An end of the container, or of whoever asked, that came while an address was awaited.
      signal.throwIfAborted();
      if (how.hosts !== undefined) writeHosts(container, addresses, how.hosts, log);
      const { name, mac } = await this.#plug(container, namespace, { how, addresses, signal });
      this.#options.changed();
      return {
        ident: container.ident,
        cidrs: addresses.map(formatCidr),
        interface: name,
        mac,
        ...(!how.withoutDns && this.#register(container, addresses)),
      };
    } catch (error) {
      acquired.undo();
      throw error;
    }
  }

  /**
   * Puts whatever is at another bridge of this host on the network; false when it was already.
   *
   * @throws WeaveError `BRIDGE_UNKNOWN`, `BRIDGE_NAME`
   */
  joinBridge(name: string): boolean {
    using route = openRoute();
    return joinBridge(route, this.#options.bridgeName, name);
  }

  async detach(request: DetachRequest): Promise<DetachAnswer> {
    const tokens = parseAddressTokens(request.addresses);
    const container = await this.resolve(request.container);
    return this.#locks.run(container.ident, async () => {
      using namespace = openContainer(container);
      const { book, bridgeName, names, log, emit } = this.#options;
      const found: Ipv4Cidr[] = book.find(container.ident, tokens);
      const addresses = found.map(cidrFromIpv4);
      this.#options.attachments.detached(container.ident, addresses);
      const { removed } = inSpan("remove interface", { "container.id": container.ident }, () =>
        detachContainer({ ident: container.ident, namespace, bridgeName, log }, addresses),
      );
      this.#options.changed();
      for (const { address } of addresses) names?.remove({ ident: container.ident, address });
      book.release(
        container.ident,
        found.map(({ address }) => address),
      );
      if (removed.length > 0) {
        const gone = removed.map(formatCidr);
        emit("container.detached", { container: container.ident, addresses: gone });
      }
      // Scripts that take away what is not there hear of it all the same.
      return { ident: container.ident, cidrs: addresses.map(formatCidr) };
    });
  }

  /** Whether it was detached since it began to run, so that only who asks for it attaches it. */
  wasDetached(container: Container): boolean {
    return this.#options.attachments.wasDetached(container);
  }

  /** All containers on the bridge after the bridge itself, or those of `references` that are there. */
  async list(references: readonly string[]): Promise<ListedContainer[]> {
    const here = this.onBridge();
    if (references.length === 0) {
      // In an order of its own, not that in which the kernel has them.
      const sorted = here.toSorted((a, b) => (a.ident < b.ident ? -1 : 1));
      return [this.#bridge(), ...sorted.map((each) => listed(each.ident, each))];
    }
    const answer: ListedContainer[] = [];
    for (const reference of references) {
      if (reference === exposeIdent) {
        answer.push(this.#bridge());
        continue;
      }
      const ident = await this.#identOf(reference);
      const found = here.find((each) => each.ident === ident);
      if (found !== undefined) answer.push(listed(reference, found));
    }
    return answer;
  }

  /** Who is attached to the bridge, whoever attached it. */
  onBridge(): Attachment[] {
    using netlink = openRoute();
    return listAttachments(netlink, this.#options.bridgeName);
  }

  /** Everybody whose frames the bridge delivers without us; `undefined` while there is no bridge. */
  macs(): Mac[] | undefined {
    using netlink = openRoute();
    const bridge = findLink(netlink, { name: this.#options.bridgeName });
    if (bridge === undefined) return undefined;
    return [bridge.mac, ...listGuestMacs(netlink, bridge)].flatMap(
      (text) => tryParseMac(text) ?? [],
    );
  }

  /** Addresses of a container on the overlay, as its interface has them. */
  addressesOf(container: Container): Cidr[] {
    return this.onBridge()
      .filter((each) => each.ident === container.ident)
      .flatMap((each) => each.addresses);
  }

  /** False when the machine or the engine knows that it does not run; doubt speaks for it. */
  async isAlive(ident: string): Promise<boolean> {
    const known = isContainerAlive(ident);
    const { engine, log } = this.#options;
    if (known !== undefined || engine === undefined) return known ?? true;
    try {
      const found = await engine(ident);
      return found !== undefined && found.pid !== 0;
    } catch (error) {
      log.warn(`cannot tell whether container ${ident} runs: ${errorText(error)}`);
      return true;
    }
  }

  async resolve(reference: string): Promise<Container> {
    const { engine, ofRuntimes } = this.#options;
    return ofRuntimes(reference) ?? resolveContainer(reference, engine);
  }

  /** Makes the interface once policies hold for the addresses that it is to have. */
  async #plug(
    container: Container,
    namespace: NetworkNamespace,
    wanted: {
      readonly how: AttachHow;
      readonly addresses: readonly Cidr[];
      readonly signal: AbortSignal;
    },
  ): Promise<{ readonly name: string; readonly mac: string }> {
    const { admission, attachments, bridgeName, log, emit } = this.#options;
    const { how, addresses, signal } = wanted;
    const { ident, name, labels } = container;
    const known = { ident, name, labels: mergedLabels(labels, how.labels) };
    const admitted = await inSpan("admit by policies", {}, () =>
      admission.admit(known, addresses, signal),
    );
    try {
      const target = { ident, namespace, bridgeName, log };
      const { multicastRoute } = how;
      const made = inSpan("make interface", {}, (span) => {
        const made = attachContainer(target, { addresses, multicastRoute });
        span.set({ "network.interface.name": made.name });
        return made;
      });
      try {
        attachments.attached(container, namespace, {
          ...{ cidrs: made.addresses, multicast: multicastRoute },
        });
      } catch (error) {
        // Its addresses are about to be somebody else's, and no policy would judge what it sends.
        detachContainer(target, made.added);
        throw error;
      }
      admitted.made();
      if (made.added.length > 0) {
        emit("container.attached", { container: ident, addresses: addresses.map(formatCidr) });
      }
      return made;
    } catch (error) {
      admitted.undo();
      throw error;
    }
  }

  /** It has its place by now, and keeps it whatever becomes of its name. */
  #register(
    container: Container,
    addresses: readonly Cidr[],
  ): Pick<AttachAnswer, "fqdn" | "ignored"> {
    const fqdn = fqdnOf(container);
    const { names, log } = this.#options;
    if (fqdn === undefined || names === undefined) return {};
    try {
      const added = inSpan("register name", { "weave.name": fqdn }, () =>
        addresses.filter(({ address }) => names.add(fqdn, container.ident, address)),
      );
      return added.length > 0 ? { fqdn } : {};
    } catch (error) {
      const reason = errorText(error);
      log.warn(`container ${container.ident} is not found by its name: ${reason}`);
      return { ignored: [{ fqdn, reason }] };
    }
  }

  #bridge(): ListedContainer {
    using netlink = openRoute();
    const bridge = findBridge(netlink, this.#options.bridgeName);
    const cidrs = addressesOf(netlink, bridge.index).filter(({ address }) => address.family === 4);
    return { ref: exposeIdent, ident: exposeIdent, mac: bridge.mac, cidrs: cidrs.map(formatCidr) };
  }

  /** Containers that do not exist are left out of a listing, so they are no error here. */
  async #identOf(reference: string): Promise<string | undefined> {
    try {
      return (await this.resolve(reference)).ident;
    } catch (error) {
      if (error instanceof WeaveError && error.code.startsWith("CONTAINER_")) return undefined;
      throw error;
    }
  }
}

/** Those that were asked for before those of an engine; `undefined` where nobody says any. */
function mergedLabels(
  ofEngine: Container["labels"],
  asked: AttachRequest["labels"],
): AttachRequest["labels"] {
  return (ofEngine ?? asked) && { ...ofEngine, ...asked };
}

/** Host name and domain of a container that has both, in one part or in two. */
export function fqdnOf({ hostname, domain }: Container): string | undefined {
  if (!hostname) return undefined;
  if (domain) return `${hostname}.${domain}`;
  return hostname.includes(".") ? hostname : undefined;
}

function listed(ref: string, { ident, mac, addresses }: Attachment): ListedContainer {
  const cidrs = addresses.filter(({ address }) => address.family === 4).map(formatCidr);
  return { ref, ident, mac, cidrs };
}

function writeHosts(
  container: Container,
  addresses: readonly Cidr[],
  { added, required }: HostsRewrite,
  log: Log,
): void {
  const hostname = container.hostname ?? container.ident.replace(/^.*[:/]/, "");
  const fqdn = fqdnOf(container) ?? hostname;
  const own = addresses.map(({ address }) => formatIp(address));
  try {
    writeHostsFile(container, (present) =>
      hostsFileText({ hostname, fqdn }, own, { pairs: added, present }),
    );
  } catch (error) {
    if (required) throw error;
    log.warn(`the hosts file of ${container.ident} stays as it is: ${errorText(error)}`);
  }
}
