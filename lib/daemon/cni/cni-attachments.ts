import type {
  CniAddRequest,
  CniCheckRequest,
  CniCollectRequest,
  CniControl,
  CniInterface,
  CniName,
  CniRemoveRequest,
  ExposeRequest,
} from "../../api/router-control.ts";
import { errorCode, errorText, WeaveError } from "../../base/errors.ts";
import {
  type Cidr,
  cidrFromIpv4,
  formatCidr,
  formatIp,
  parseCidr,
  parseIpv4Cidr,
} from "../../base/ip.ts";
import type { EventSink } from "../../base/network-event.ts";
import type { Log } from "../../base/world.ts";
import { addressesOf, attachContainer, findBridge } from "../../host/attach.ts";
import { openContainer, resolveContainer } from "../../host/container.ts";
import { runtimePort } from "../../host/device-names.ts";
import {
  addGuestRoutes,
  type GuestRoute,
  lookAtGuest,
  removeGuestInterface,
} from "../../host/guest-interface.ts";
import type { Link } from "../../host/netlink/link.ts";
import { openRoute } from "../../host/netlink/open.ts";
import { type NetworkNamespace, namespaceIdentity, tryOpenNamespace } from "../../host/netns.ts";
import type { AddressBook } from "../address-book.ts";
import { KeyedLock } from "../keyed-lock.ts";
import type { Admission } from "../policy/policy-service.ts";
import type { StoredCniInterface, StoredRoute } from "../settings-store.ts";
import { inSpan } from "../tracing/span.ts";
import type { CniKeeper } from "./cni-keeper.ts";
import { discrepancies } from "./discrepancies.ts";
import { forgetRemoved, notedRemovals } from "./removed-interfaces.ts";
import { needsBridgeAddress, planRoutes } from "./route-plan.ts";

export interface CniAttachmentsOptions {
  readonly bridgeName: string;
  readonly book: AddressBook;
  readonly exposures: { expose(request: ExposeRequest, signal: AbortSignal): Promise<unknown> };
  readonly keeper: CniKeeper;
  /** Has policies hold from a container's first packet on. */
  readonly admission: Admission;
  /** Where the plugin notes what it removed while no router answered. */
  readonly removedInterfaces: string;
  readonly log: Log;
  readonly emit: EventSink;
  /** Called when a container has its last interface no more. */
  ended(container: string): void;
  /** Called after the set of attached containers has changed. */
  changed(): void;
}

/**
 * What container runtimes ask for through CNI, as whole operations:
 *
 *   add      address ──▶ gateway on the bridge ──▶ policies ──▶ interface ──▶ routes
 *            undone on failure
 *   remove   interface ──▶ address                                          goes on whatever is gone
 */
export class CniAttachments implements CniControl {
  readonly #options: CniAttachmentsOptions;
  readonly #locks = new KeyedLock();

  constructor(options: CniAttachmentsOptions) {
    this.#options = options;
  }

  async add(request: CniAddRequest, signal: AbortSignal): Promise<CniInterface> {
    const { bridgeName } = this.#options;
    if (request.bridge !== undefined && request.bridge !== bridgeName) {
      throw new WeaveError(
        "CNI_BRIDGE",
        `the router's bridge is ${bridgeName}, not ${request.bridge}`,
        { remedy: `leave "bridge" out of the network's configuration` },
      );
    }
    const { namespacePath } = await resolveContainer(`netns:${request.namespace}`);
    await this.settle();
    const traced = { "container.id": request.container };
    return inSpan("attach container", traced, () => this.#addAlone(request, namespacePath, signal));
  }

  #addAlone(
    request: CniAddRequest,
    namespacePath: string,
    signal: AbortSignal,
  ): Promise<CniInterface> {
    return this.#locks.run(request.container, async () => {
      using namespace = openContainer({ ident: request.container, namespacePath });
      const address = await this.#address(request, signal);
      try {
        await this.#provideGateway(request, signal);
        // An end of whoever asked, which came while an address was awaited.
        signal.throwIfAborted();
        return await this.#admitted(request, namespace, { cidr: address.cidr, signal });
      } catch (error) {
        address.undo();
        throw error;
      }
    });
  }

  async remove(request: CniRemoveRequest): Promise<void> {
    await this.#locks.run(request.container, async () => {
      const kept = this.#options.keeper.find(request);
      this.#options.keeper.forget(request);
      if (kept !== undefined) {
        this.#options.emit("container.detached", {
          ...{ container: request.container, addresses: [kept.cidr] },
        });
      }
      inSpan("remove interface", { "container.id": request.container }, () =>
        this.#unplug(request, kept),
      );
      if (request.frees) this.#free(request, kept);
      if (!this.#options.keeper.containers().has(request.container)) {
        this.#options.ended(request.container);
      }
      this.#options.changed();
    });
  }

  async check(request: CniCheckRequest): Promise<{ wrong: string[] }> {
    const { bridgeName: bridge, book } = this.#options;
    using namespace = tryOpenNamespace(request.namespace);
    if (namespace === undefined) {
      return { wrong: [`there is no network namespace ${request.namespace}`] };
    }
    const found = lookAtGuest(namespace, request.interface);
    const addresses = request.held ? request.cidrs.map(parseIpv4Cidr) : [];
    const lost = addresses.filter((cidr) => book.holds(request.container, cidr) === false);
    return {
      wrong: [
        ...discrepancies({ ...request, bridge }, found),
        ...lost.map((cidr) => `${formatCidr(cidrFromIpv4(cidr))} is not held for the container`),
      ],
    };
  }

  async collect({ network, valid }: CniCollectRequest): Promise<{ removed: CniName[] }> {
    const stays = new Set(valid.map((each) => JSON.stringify([each.container, each.interface])));
    const removed: CniName[] = [];
    for (const { container, interface: name, network: its } of this.#options.keeper.all()) {
      if (its !== network || stays.has(JSON.stringify([container, name]))) continue;
      await this.remove({ container, interface: name, frees: true });
      removed.push({ container, interface: name });
    }
    return { removed };
  }

  /** Does what could not be done while no router answered. Fails for nothing. */
  async settle(): Promise<void> {
    const { removedInterfaces: folder, log } = this.#options;
    try {
      for (const note of notedRemovals(folder)) {
        await this.remove(note);
        forgetRemoved(folder, note);
        log.info(`${note.container} was removed while no router ran: its addresses are free`);
      }
    } catch (error) {
      log.warn(`not all is freed that was removed while no router ran: ${errorText(error)}`);
    }
  }

  /** Gives back what is lost; a sentence for each. @throws SystemError */
  mend(): string[] {
    void this.settle();
    return this.#options.keeper.mend();
  }

  async #address(
    { container, address, subnet }: CniAddRequest,
    signal: AbortSignal,
  ): Promise<{ cidr: Cidr; undo(): void }> {
    if (address !== undefined) return { cidr: parseCidr(address), undo() {} };
    // The runtime tells when it ends, so nobody else is asked whether it lives.
    const acquired = await this.#options.book.acquire(
      container,
      [{ kind: "subnet", text: subnet ?? "default" }],
      { isContainer: false, signal },
    );
    return { cidr: cidrFromIpv4(acquired.cidrs[0]!), undo: () => acquired.undo() };
  }

  async #provideGateway(request: CniAddRequest, signal: AbortSignal): Promise<void> {
    const { address, subnet } = request;
    if (address !== undefined || !needsBridgeAddress(request)) return;
    if (this.#bridge().addresses.length > 0) return;
    const addresses = subnet === undefined ? [] : [`net:${subnet}`];
    await inSpan("expose bridge", {}, () =>
      this.#options.exposures.expose({ addresses, masquerade: true }, signal),
    );
  }

  /** Makes the interface once policies hold for its address. */
  async #admitted(
    request: CniAddRequest,
    namespace: NetworkNamespace,
    { cidr, signal }: { readonly cidr: Cidr; readonly signal: AbortSignal },
  ): Promise<CniInterface> {
    const known = { ident: request.container, pod: request.pod };
    const admitted = await inSpan("admit by policies", {}, () =>
      this.#options.admission.admit(known, [cidr], signal),
    );
    try {
      const made = inSpan("make interface", {}, (span) => {
        span.set({ "network.interface.name": request.interface });
        return this.#plug(request, namespace, cidr);
      });
      admitted.made();
      return made;
    } catch (error) {
      admitted.undo();
      throw error;
    }
  }

  #plug(request: CniAddRequest, namespace: NetworkNamespace, cidr: Cidr): CniInterface {
    const { container: ident, interface: guestInterface, mtu, hairpin } = request;
    const { bridgeName, log, keeper, emit } = this.#options;
    const bridge = this.#bridge();
    const plan = planRoutes(cidr, request, bridge.addresses);
    const hostInterface = runtimePort(ident);
    const made = attachContainer(
      { ident, namespace, bridgeName, guestInterface, log },
      {
        addresses: [cidr],
        multicastRoute: false,
        hairpin,
        ...(mtu !== undefined && { mtu }),
        ...(hostInterface !== undefined && { hostInterface }),
      },
    );
    const routes = plan.routes.map(storedRoute);
    try {
      addGuestRoutes(namespace, guestInterface, plan.routes);
      keeper.keep({
        ...{ container: ident, interface: guestInterface, network: request.network },
        ...{ namespace: namespaceIdentity(namespace), path: namespace.path, port: made.host.name },
        ...{ cidr: formatCidr(cidr), routes, mtu: mtu ?? 0, hairpin },
      });
    } catch (error) {
      // Its address is about to be somebody else's, and no policy would judge what it sends.
      if (made.added.length > 0) removeGuestInterface(namespace, guestInterface);
      throw error;
    }
    if (made.added.length > 0)
      emit("container.attached", { container: ident, addresses: [formatCidr(cidr)] });
    this.#options.changed();
    return {
      bridge: { name: bridgeName, mac: bridge.link.mac },
      port: made.host,
      guest: { name: made.name, mac: made.mac },
      mtu: made.mtu,
      cidr: formatCidr(cidr),
      ...(plan.gateway !== undefined && { gateway: formatIp(plan.gateway) }),
      routes,
    };
  }

  /** The namespace that was named, else the one in which we have made it, if that still stands. */
  #unplug(request: CniRemoveRequest, kept: StoredCniInterface | undefined): void {
    const path = request.namespace || kept?.path;
    if (path === undefined) return;
    try {
      using namespace = openContainer({ ident: request.container, namespacePath: path });
      const isOurs = kept !== undefined && namespaceIdentity(namespace) === kept.namespace;
      if (!isOurs && !request.namespace) return;
      removeGuestInterface(namespace, request.interface);
    } catch (error) {
      // It went with its namespace.
      if (errorCode(error) === "CONTAINER_NOT_RUNNING") return;
      this.#options.log.warn(
        `${request.interface} of ${request.container} is not removed: ${errorText(error)}`,
      );
    }
  }

  /** One interface of several takes only what is its own with it. */
  #free({ container }: CniRemoveRequest, kept: StoredCniInterface | undefined): void {
    const { book, keeper } = this.#options;
    const others = keeper.all().filter((each) => each.container === container);
    if (others.length === 0) book.releaseAll(container);
    else if (kept !== undefined && others.every(({ cidr }) => cidr !== kept.cidr)) {
      book.release(container, [parseIpv4Cidr(kept.cidr).address]);
    }
  }

  /** @throws WeaveError `BRIDGE_MISSING` */
  #bridge(): { readonly link: Link; readonly addresses: readonly Cidr[] } {
    using netlink = openRoute();
    const link = findBridge(netlink, this.#options.bridgeName);
    return { link, addresses: addressesOf(netlink, link.index) };
  }
}

function storedRoute({ destination, gateway }: GuestRoute): StoredRoute {
  return {
    dst: formatCidr(destination),
    ...(gateway !== undefined && { gw: formatIp(gateway) }),
  };
}
