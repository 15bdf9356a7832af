import type { CniName } from "../../api/router-control.ts";
import { errorText } from "../../base/errors.ts";
import { parseCidr, parseIp } from "../../base/ip.ts";
import type { Log } from "../../base/world.ts";
import { attachContainer } from "../../host/attach.ts";
import type { Container } from "../../host/container.ts";
import { addGuestRoutes, type GuestRoute } from "../../host/guest-interface.ts";
import type { Netlink } from "../../host/netlink/conversation.ts";
import { changeLink, type Link, listLinks } from "../../host/netlink/link.ts";
import { openRoute } from "../../host/netlink/open.ts";
import { namespaceIdentity, tryOpenNamespace } from "../../host/netns.ts";
import type { SettingsStore, StoredCniInterface, StoredRoute } from "../settings-store.ts";

export interface CniKeeperOptions {
  readonly bridgeName: string;
  readonly settings: SettingsStore;
  readonly log: Log;
  /** Called after containers were given another interface. */
  changed(): void;
}

/**
 * Remembers the interfaces that container runtimes had made, and gives back those that are lost
 * while their namespaces stand. They end with DEL alone: what the runtime's container does is the
 * runtime's affair.
 */
export class CniKeeper {
  readonly #options: CniKeeperOptions;
  readonly #kept: Map<string, StoredCniInterface>;
  /** Why the last attempt failed, by interface: said once. */
  readonly #troubles = new Map<string, string>();

  /** Begins with what the last run left in the store. */
  constructor(options: CniKeeperOptions) {
    this.#options = options;
    this.#kept = new Map(options.settings.cniInterfaces().map((each) => [keyOf(each), each]));
  }

  find(name: CniName): StoredCniInterface | undefined {
    return this.#kept.get(keyOf(name));
  }

  all(): StoredCniInterface[] {
    return [...this.#kept.values()];
  }

  /** The container with this id, if it has one. */
  container(id: string): Container | undefined {
    const kept = this.all().find(({ container }) => container === id);
    return kept && { ident: id, namespacePath: kept.path };
  }

  /** Everybody who has one. */
  containers(): ReadonlySet<string> {
    return new Set(this.all().map(({ container }) => container));
  }

  /** In CIDR notation, by container. */
  addresses(): Map<string, readonly string[]> {
    const byContainer = Map.groupBy(this.#kept.values(), ({ container }) => container);
    return new Map([...byContainer].map(([id, made]) => [id, made.map(({ cidr }) => cidr)]));
  }

  /** @throws Error of the database, and then it is not kept */
  keep(made: StoredCniInterface): void {
    this.#options.settings.saveCniInterface(made);
    this.#kept.set(keyOf(made), made);
  }

  /** Told before the interface goes, so that it is not given back. */
  forget(name: CniName): void {
    this.#troubles.delete(keyOf(name));
    if (!this.#kept.delete(keyOf(name))) return;
    this.#options.settings.removeCniInterface(name.container, name.interface);
  }

  /** Gives back what is lost; a sentence for each. @throws SystemError */
  mend(): string[] {
    if (this.#kept.size === 0) return [];
    using netlink = openRoute();
    const ports = new Map(listLinks(netlink).map((link) => [link.name, link]));
    const again: string[] = [];
    for (const kept of this.all()) {
      const port = ports.get(kept.port);
      if (port?.alias === kept.container) keepHairpin(netlink, port, kept);
      else if (this.#attachAgain(kept)) again.push(`attached ${kept.container} again`);
    }
    if (again.length > 0) this.#options.changed();
    return again;
  }

  /** False when its namespace is not there, or it cannot be attached. */
  #attachAgain(kept: StoredCniInterface): boolean {
    const { container: ident, interface: guestInterface, path, mtu, hairpin, port } = kept;
    const { bridgeName, log } = this.#options;
    using namespace = tryOpenNamespace(path);
    if (namespace === undefined || namespaceIdentity(namespace) !== kept.namespace) return false;
    try {
      const made = attachContainer(
        { ident, namespace, bridgeName, guestInterface, log },
        {
          addresses: [parseCidr(kept.cidr)],
          multicastRoute: false,
          ...{ hairpin, hostInterface: port },
          ...(mtu > 0 && { mtu }),
        },
      );
      addGuestRoutes(namespace, guestInterface, kept.routes.map(guestRoute));
      if (made.host.name !== port) this.keep({ ...kept, port: made.host.name });
      this.#troubles.delete(keyOf(kept));
      return true;
    } catch (error) {
      const trouble = errorText(error);
      if (trouble !== this.#troubles.get(keyOf(kept))) log.warn(trouble);
      this.#troubles.set(keyOf(kept), trouble);
      return false;
    }
  }
}

/** A port that was plugged in again has the bridge's own choice. */
function keepHairpin(netlink: Netlink, port: Link, { hairpin }: StoredCniInterface): void {
  if (port.master === undefined || port.hairpin === hairpin) return;
  changeLink(netlink, port.index, { hairpin });
}

function guestRoute({ dst, gw }: StoredRoute): GuestRoute {
  return { destination: parseCidr(dst), ...(gw !== undefined && { gateway: parseIp(gw) }) };
}

function keyOf({ container, interface: name }: CniName): string {
  return `${container}\0${name}`;
}
