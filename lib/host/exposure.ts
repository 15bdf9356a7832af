import { isSystemError } from "../../ffi/system-error.ts";
import { errorText, WeaveError } from "../base/errors.ts";
import { type Cidr, formatCidr, networkOf } from "../base/ip.ts";
import { type Log, silentLog } from "../base/world.ts";
import { addressesOf, findBridge, includesCidr } from "./attach.ts";
import { announceAddresses } from "./gratuitous-arp.ts";
import { multicastGroups } from "./multicast-filter.ts";
import { addAddress, deleteAddress } from "./netlink/address.ts";
import * as nft from "./netlink/nft-expression.ts";
import { deleteTable, type NftRule, type NftTable, replaceTable } from "./netlink/nftables.ts";
import { openNetfilter, openRoute } from "./netlink/open.ts";
import { keepSecondaryAddresses } from "./sysctl.ts";
import { Undo } from "./undo.ts";

/** The router's own table of packet filter rules; nobody else's rules are ever touched. */
export const firewallTable = { family: "ip", name: "weave" } as const;

/** One address of the host on the overlay. */
export interface Exposed {
  readonly cidr: Cidr;
  /** Whether traffic between this subnet and the world beyond takes the host's address. */
  readonly masquerade: boolean;
}

/**
 * The host's own addresses on the overlay: on the bridge, with the rules that go with them. The
 * declared list is what counts; {@link apply} puts it in place as a whole and may be repeated, after
 * a start or when another program has flushed the rules.
 */
export class Exposure {
  readonly #bridgeName: string;
  readonly #log: Log;
  #exposed: readonly Exposed[];

  /** @param exposed what an earlier run left, see {@link list} */
  constructor(bridgeName: string, exposed: readonly Exposed[] = [], log: Log = silentLog) {
    this.#bridgeName = bridgeName;
    this.#exposed = exposed;
    this.#log = log;
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

  #applyRules(): void {
    using netfilter = openNetfilter();
    try {
      replaceTable(netfilter, exposureTable(this.#bridgeName, this.#exposed));
    } catch (error) {
      // The rules serve exposed addresses: a kernel without such tables can do without any.
      if (this.#exposed.length > 0 || !isSystemError(error, "EOPNOTSUPP")) throw error;
    }
  }
}

/** Removes the rules, and with the bridge its addresses go by themselves. @throws SystemError */
export function removeExposureRules(): boolean {
  using netfilter = openNetfilter();
  return deleteTable(netfilter, firewallTable);
}

/**
 * The rules for these addresses (host-network §6.1):
 *
 *   forward      from and to the bridge; out of it; answers into it; to exposed subnets
 *   postrouting  multicast stays as it is; what crosses the border of an exposed subnet is
 *                masqueraded, in both directions
 */
export function exposureTable(bridgeName: string, exposed: readonly Exposed[]): NftTable {
  const into = nft.outputInterface(bridgeName);
  const from = nft.inputInterface(bridgeName);
  const forIpv4 = exposed.filter(({ cidr }) => cidr.address.family === 4);
  return {
    ...firewallTable,
    chains: [
      {
        name: "forward",
        hook: { type: "filter", at: "forward", priority: 0 },
        rules: [
          { expressions: [...from, nft.accept()] },
          { expressions: [...into, ...nft.connectionKnown(), nft.accept()] },
          ...forIpv4.map(({ cidr }) => ({
            expressions: [...into, ...nft.destination(networkOf(cidr)), nft.accept()],
            comment: `exposed ${formatCidr(cidr)}`,
          })),
        ],
      },
      {
        name: "postrouting",
        hook: { type: "nat", at: "postrouting", priority: 100 },
        rules: forIpv4.filter(({ masquerade }) => masquerade).flatMap(({ cidr }) => natRules(cidr)),
      },
    ],
  };
}

function natRules(cidr: Cidr): NftRule[] {
  const subnet = networkOf(cidr);
  const comment = `exposed ${formatCidr(cidr)}`;
  return [
    {
      expressions: [...nft.source(subnet), ...nft.destination(multicastGroups), nft.leaveChain()],
      comment,
    },
    {
      expressions: [...nft.destination(subnet), ...nft.source(subnet, false), nft.masquerade()],
      comment,
    },
    {
      expressions: [...nft.source(subnet), ...nft.destination(subnet, false), nft.masquerade()],
      comment,
    },
  ];
}

function sameCidr(a: Cidr, b: Cidr): boolean {
  return formatCidr(a) === formatCidr(b);
}

function failed(code: string, sentence: string, cause: unknown): WeaveError {
  if (cause instanceof WeaveError) return cause;
  return new WeaveError(code, `${sentence}: ${errorText(cause)}`, {
    remedy: "run as root on a kernel with nf_tables",
    cause,
  });
}
