import { errorText, WeaveError } from "../base/errors.ts";
import { type Cidr, formatCidr, ipBits, networkOf } from "../base/ip.ts";
import { type Log, silentLog } from "../base/world.ts";
import { addressesOf, findBridge, includesCidr } from "./attach.ts";
import type { Exposed } from "./firewall/exposed-rules.ts";
import { Firewall } from "./firewall/firewall.ts";
import { announceAddresses } from "./gratuitous-arp.ts";
import { addAddress, deleteAddress } from "./netlink/address.ts";
import type { Netlink } from "./netlink/conversation.ts";
import { openRoute } from "./netlink/open.ts";
import { addRoute, listRoutes } from "./netlink/route.ts";
import { keepSecondaryAddresses } from "./sysctl.ts";
import { Undo } from "./undo.ts";

/**
 * The host's own addresses on the overlay: on the bridge, with the rules that go with them. The
 * declared list is what counts; {@link apply} puts it in place as a whole and may be repeated, after
 * a start or when another program has flushed the rules.
 */
export class Exposure {
  readonly #bridgeName: string;
  readonly #log: Log;
  readonly #firewall: Firewall;
  #exposed: readonly Exposed[];
  #unmasked: readonly Cidr[] = [];

  /** @param exposed what an earlier run left, see {@link list} */
  constructor(
    bridgeName: string,
    exposed: readonly Exposed[] = [],
    environment: { readonly firewall?: Firewall; readonly log?: Log } = {},
  ) {
    this.#bridgeName = bridgeName;
    this.#exposed = exposed;
    this.#firewall = environment.firewall ?? new Firewall({ bridge: bridgeName });
    this.#log = environment.log ?? silentLog;
  }

  /** What is exposed, in the order it was asked for: worth keeping over a restart. */
  list(): readonly Exposed[] {
    return this.#exposed;
  }

  /**
   * Adds an address, or changes whether it is masqueraded. On failure nothing has changed.
   *
   * @throws WeaveError `EXPOSE_FAILED`
   */
  expose(exposed: Exposed): void {
    const before = this.#exposed;
    const known = before.some(({ cidr }) => sameCidr(cidr, exposed.cidr));
    this.#exposed = known
      ? before.map((each) => (sameCidr(each.cidr, exposed.cidr) ? exposed : each))
      : [...before, exposed];
    const undo = new Undo();
    try {
      this.#put(undo);
    } catch (cause) {
      this.#exposed = before;
      undo.rollBack(this.#log);
      throw failed("EXPOSE_FAILED", `cannot expose ${formatCidr(exposed.cidr)}`, cause);
    }
  }

  /**
   * Takes exactly this address away, with exactly its rules; other addresses of its subnet stay as
   * they are. False when the bridge did not have it. @throws WeaveError `HIDE_FAILED`
   */
  hide(cidr: Cidr): boolean {
    this.#exposed = this.#exposed.filter((each) => !sameCidr(each.cidr, cidr));
    try {
      using route = openRoute();
      const bridge = findBridge(route, this.#bridgeName);
      keepSecondaryAddresses(bridge.name);
      const removed = deleteAddress(route, bridge.index, cidr);
      this.#applyRules();
      return removed;
    } catch (cause) {
      throw failed("HIDE_FAILED", `cannot hide ${formatCidr(cidr)}`, cause);
    }
  }

  /**
   * Leaves source addresses as they are towards these networks from now on, and towards no others.
   *
   * @throws WeaveError, SystemError
   */
  unmask(networks: readonly Cidr[]): void {
    this.#unmasked = networks;
    if (this.#exposed.length > 0) this.#applyRules();
  }

  /** Makes the bridge's addresses and the rules what they should be. @throws WeaveError `EXPOSE_FAILED` */
  apply(): void {
    try {
      this.#put(new Undo());
    } catch (cause) {
      throw failed("EXPOSE_FAILED", "cannot expose the host on the overlay", cause);
    }
  }

  #put(undo: Undo): void {
    using route = openRoute();
    const bridge = findBridge(route, this.#bridgeName);
    const added: Cidr[] = [];
    for (const { cidr } of this.#exposed) {
      if (!addAddress(route, bridge.index, cidr)) continue;
      added.push(cidr);
      undo.push(`address ${formatCidr(cidr)}`, () => {
        using again = openRoute();
        deleteAddress(again, bridge.index, cidr);
      });
    }
    this.#applyRules();
    announceAddresses(bridge, added);
  }

  /**
   * Puts addresses back that somebody has taken from the bridge, and the routes to their subnets.
   * One sentence for each; nothing is changed when all stand. @throws WeaveError `EXPOSE_FAILED`
   */
  mendAddresses(): string[] {
    if (this.#exposed.length === 0) return [];
    try {
      using route = openRoute();
      const bridge = findBridge(route, this.#bridgeName);
      const { index, name } = bridge;
      const lost = this.#exposed.filter(({ cidr }) => addAddress(route, index, cidr));
      const addresses = lost.map(({ cidr }) => cidr);
      announceAddresses(bridge, addresses);
      const routes = this.#mendRoutes(route, index);
      return [
        ...addresses.map((cidr) => `gave ${formatCidr(cidr)} back to ${name}`),
        ...routes.map((subnet) => `made the route to ${formatCidr(subnet)} over ${name}`),
      ];
    } catch (cause) {
      throw failed("EXPOSE_FAILED", "cannot expose the host on the overlay", cause);
    }
  }

  /** The kernel makes these with the addresses, and never again. */
  #mendRoutes(netlink: Netlink, interfaceIndex: number): Cidr[] {
    const standing = new Set(
      listRoutes(netlink, 4, interfaceIndex).flatMap(
        ({ destination }) => destination && formatCidr(destination),
      ),
    );
    return this.#exposed.flatMap(({ cidr }) => {
      const { address, prefix } = cidr;
      const subnet = networkOf(cidr);
      if (address.family !== 4 || prefix === ipBits(4) || standing.has(formatCidr(subnet))) {
        return [];
      }
      const added = addRoute(netlink, { destination: subnet, interfaceIndex, source: address });
      return added ? [subnet] : [];
    });
  }

  #applyRules(): void {
    this.#firewall.apply(this.#exposed, this.#unmasked);
  }

  /** Puts the rules back if somebody else has changed them. @throws WeaveError, SystemError */
  mendRules(): void {
    this.#firewall.mend();
  }

  /** Adopts addresses that the bridge has without our knowing, as a former version left them. */
  adopt(masquerade: boolean): Exposed[] {
    using route = openRoute();
    const bridge = findBridge(route, this.#bridgeName);
    const known = this.#exposed.map(({ cidr }) => cidr);
    const adopted = addressesOf(route, bridge.index)
      .filter((cidr) => !includesCidr(known, cidr))
      .map((cidr) => ({ cidr, masquerade }));
    this.#exposed = [...this.#exposed, ...adopted];
    return adopted;
  }
}

function sameCidr(a: Cidr, b: Cidr): boolean {
  return formatCidr(a) === formatCidr(b);
}

function failed(code: string, sentence: string, cause: unknown): WeaveError {
  if (cause instanceof WeaveError) return cause;
  return new WeaveError(code, `${sentence}: ${errorText(cause)}`, {
    remedy: "run as root on a kernel with nf_tables or iptables",
    cause,
  });
}
