import { errorText } from "../base/errors.ts";
import { type Cidr, formatCidr, parseCidr } from "../base/ip.ts";
import type { Log } from "../base/world.ts";
import { attachContainer, defaultGuestInterface } from "../host/attach.ts";
import { type Attachment, namespacePath } from "../host/attachments.ts";
import type { Container } from "../host/container.ts";
import { isContainerPort, isEndpointPort } from "../host/device-names.ts";
import { multicastGroups } from "../host/multicast-filter.ts";
import type { Netlink } from "../host/netlink/conversation.ts";
import { listLinks } from "../host/netlink/link.ts";
import { openRoute } from "../host/netlink/open.ts";
import { listRoutes } from "../host/netlink/route.ts";
import { type NetworkNamespace, namespaceIdentity, tryOpenNamespace } from "../host/netns.ts";
import { Detachments } from "./detachments.ts";
import type { SettingsStore, StoredAttachment } from "./settings-store.ts";

export interface AttachmentKeeperOptions {
  readonly bridgeName: string;
  readonly settings: SettingsStore;
  readonly log: Log;
  /** Called after containers were given another interface. */
  changed(): void;
}

/**
 * Keeps attached containers attached, until they are detached or end: one whose interface was
 * deleted, at whatever end, gets another with the same addresses. What a container does with the
 * interface that it has is the container's affair.
 */
export class AttachmentKeeper {
  readonly #options: AttachmentKeeperOptions;
  readonly #kept: Map<string, StoredAttachment>;
  readonly #detachments: Detachments;
  /** Why the last attempt failed, by container: said once. */
  readonly #troubles = new Map<string, string>();

  /** Begins with what the last run left in the store. */
  constructor(options: AttachmentKeeperOptions) {
    this.#options = options;
    this.#detachments = new Detachments(options.settings);
    this.#kept = new Map(options.settings.attachments().map((each) => [each.ident, each]));
  }

  /** Everybody who is to be attached. */
  idents(): string[] {
    return [...this.#kept.keys()];
  }

  /** In CIDR notation, by container. */
  addresses(): Map<string, readonly string[]> {
    return new Map([...this.#kept].map(([ident, { cidrs }]) => [ident, cidrs]));
  }

  /** @param cidrs all that its interface has */
  attached(
    { ident, namespacePath: path }: Pick<Container, "ident" | "namespacePath">,
    namespace: NetworkNamespace,
    how: { readonly cidrs: readonly Cidr[]; readonly multicast: boolean },
  ): void {
    const before = this.#kept.get(ident);
    this.#save({
      ...{ ident, path },
      namespace: namespaceIdentity(namespace),
      cidrs: how.cidrs.map(formatCidr),
      multicast: how.multicast || before?.multicast === true,
    });
  }

  /** Told before the interface changes, so that nothing of this is given back. */
  detached(ident: string, cidrs: readonly Cidr[]): void {
    const kept = this.#kept.get(ident);
    if (kept === undefined) return;
    const gone = new Set(cidrs.map(formatCidr));
    const left = kept.cidrs.filter((cidr) => !gone.has(cidr));
    if (left.length === kept.cidrs.length) return;
    this.#detachments.note(kept);
    if (left.length === 0) this.forget(ident);
    else this.#save({ ...kept, cidrs: left });
  }

  /** Whether anything was detached from the container since it began to run. */
  wasDetached(container: Pick<Container, "ident" | "namespacePath">): boolean {
    return this.#detachments.has(container);
  }

  /** The container ended. */
  forget(ident: string): void {
    this.#troubles.delete(ident);
    if (this.#kept.delete(ident)) this.#options.settings.removeAttachment(ident);
  }

  /** Takes care of containers that a router of ours without this knowledge has attached. */
  adopt(attachments: readonly Attachment[]): void {
    using netlink = openRoute();
    const noted = identsOfPorts(netlink);
    for (const attachment of attachments) {
      const { ident, guestInterface, addresses } = attachment;
      if (!noted.has(ident) || this.#kept.has(ident) || addresses.length === 0) continue;
      // Others are made by programs that know more of them than is to be seen here.
      if (guestInterface !== defaultGuestInterface) continue;
      const path = namespacePath(attachment);
      using namespace = path === undefined ? undefined : tryOpenNamespace(path);
      if (namespace === undefined) continue;
      const multicast = hasMulticastRoute(namespace);
      this.attached({ ident, namespacePath: namespace.path }, namespace, {
        ...{ cidrs: addresses, multicast },
      });
    }
  }

  /** Attaches those again whose interface is gone; a sentence for each. @throws SystemError */
  mend(): string[] {
    if (this.#kept.size === 0) return [];
    using netlink = openRoute();
    const standing = identsOfPorts(netlink);
    const again = [...this.#kept.values()].filter(
      (kept) => !standing.has(kept.ident) && this.#attachAgain(kept),
    );
    if (again.length > 0) this.#options.changed();
    return again.map(({ ident }) => `attached ${ident} again`);
  }

  /** False when the container is not there, or cannot be attached. */
  #attachAgain({ ident, path, namespace: identity, cidrs, multicast }: StoredAttachment): boolean {
    const { bridgeName, log } = this.#options;
    using namespace = tryOpenNamespace(path);
    if (namespace === undefined || namespaceIdentity(namespace) !== identity) return false;
    try {
      const target = { ident, namespace, bridgeName, log };
      attachContainer(target, { addresses: cidrs.map(parseCidr), multicastRoute: multicast });
      this.#troubles.delete(ident);
      return true;
    } catch (error) {
      const trouble = errorText(error);
      if (trouble !== this.#troubles.get(ident)) log.warn(trouble);
      this.#troubles.set(ident, trouble);
      return false;
    }
  }

  #save(attachment: StoredAttachment): void {
    this.#options.settings.saveAttachment(attachment);
    this.#kept.set(attachment.ident, attachment);
  }
}

/** For whom the host ends of interfaces were made; nothing of those that have no note of it. */
function identsOfPorts(netlink: Netlink): ReadonlySet<string> {
  return new Set(
    listLinks(netlink).flatMap(({ name, alias }) =>
      isContainerPort(name) && !isEndpointPort(name) ? [alias] : [],
    ),
  );
}

function hasMulticastRoute(namespace: NetworkNamespace): boolean {
  using netlink = openRoute(namespace);
  const groups = formatCidr(multicastGroups);
  return listRoutes(netlink).some(
    ({ destination }) => destination !== undefined && formatCidr(destination) === groups,
  );
}
