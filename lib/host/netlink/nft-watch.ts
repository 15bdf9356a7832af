import { NETLINK_NETFILTER, NetlinkSocket } from "../../../ffi/libnl.ts";
import { isSystemError } from "../../../ffi/system-error.ts";
import { equalBytes, utf8 } from "../../base/bytes.ts";
import type { Netlink } from "./conversation.ts";
import { decodeMessages, eachAttribute, type NetlinkMessage } from "./message.ts";
import {
  isOfFamily,
  NFT,
  type NftFamily,
  type NftTableId,
  nfgenBytes,
  nftType,
} from "./nft-message.ts";
import { rulesGeneration } from "./nftables.ts";

/** The multicast group that is told of every change of nf_tables (linux/netfilter/nfnetlink.h). */
const changesGroup = 7;
/** The kernel keeps this much of what nobody has asked for yet; beyond it, it says so. */
const keptBytesMax = 1 << 20;
const TABLE_NAME = 1;

/**
 * Hears of changes of some tables by others, from now on, in the thread's network namespace. Costs the
 * same whatever the tables hold, and next to nothing while nobody changes any.
 *
 * Of own changes nothing is heard: the kernel would make a message of 4 kB for every element of a
 * transaction, and send none before it has made all. Whether somebody else has changed something
 * meanwhile is told by how often rules have changed:
 *
 *   generation ─ leave the group ─ own transactions ─ join it ─ generation: more than those?
 */
export class NftWatch implements Disposable {
  readonly #tables: readonly WatchedTable[];
  readonly #socket: NetlinkSocket;
  /** Whether there may have been changes that were not heard. */
  #hasMissed = false;

  /** @throws SystemError */
  constructor(tables: readonly NftTableId[]) {
    this.#tables = tables.map(({ family, name }) => ({ family, name: utf8(`${name}\0`) }));
    this.#socket = new NetlinkSocket(NETLINK_NETFILTER, keptBytesMax);
    this.#socket.join(changesGroup);
    this.#socket.setNonBlocking();
  }

  /**
   * Whether one of the tables was changed since the last call by somebody else; `undefined` when there
   * was more to hear than was kept, or something that could not be heard. Never waits.
   */
  wasTouched(): boolean | undefined {
    const hasMissed = this.#hasMissed;
    this.#hasMissed = false;
    try {
      const wasTouched = this.#heard();
      return hasMissed && !wasTouched ? undefined : wasTouched;
    } catch (error) {
      if (!isSystemError(error)) throw error;
      // What was kept is of no use any more, and in the way of what comes.
      this.#heard();
      return undefined;
    }
  }

  /**
   * Changes tables, which does not count as touching them.
   *
   * @param change returns how many transactions it has made @throws what it throws; SystemError
   */
  unheard(netlink: Netlink, change: () => number): void {
    const before = rulesGeneration(netlink);
    this.#socket.leave(changesGroup);
    let own: number | undefined;
    try {
      own = change();
    } finally {
      // Those who change something between these two are heard and counted.
      this.#socket.join(changesGroup);
      const changes = (rulesGeneration(netlink) - before) >>> 0;
      this.#hasMissed ||= changes !== own;
    }
  }

  #heard(): boolean {
    let wasTouched = false;
    for (;;) {
      const datagram = this.#socket.receive();
      if (datagram === undefined) return wasTouched;
      wasTouched ||= decodeMessages(datagram).some((each) => this.#isAbout(each));
    }
  }

  [Symbol.dispose](): void {
    this.#socket.close();
  }

  #isAbout({ type, body }: NetlinkMessage): boolean {
    if (type === nftType(NFT.newGeneration)) return false;
    const ofFamily = this.#tables.filter(({ family }) => isOfFamily(body, family));
    if (ofFamily.length === 0) return false;
    for (const { type: kind, payload } of eachAttribute(body.subarray(nfgenBytes))) {
      // Whatever a message is about, it names its table so, and first.
      if (kind === TABLE_NAME) return ofFamily.some(({ name }) => equalBytes(payload, name));
    }
    return false;
  }
}

/** With its name as messages have it. */
interface WatchedTable {
  readonly family: NftFamily;
  readonly name: Uint8Array;
}
