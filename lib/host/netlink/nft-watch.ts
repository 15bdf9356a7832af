import { NETLINK_NETFILTER, NetlinkSocket } from "../../../ffi/libnl.ts";
import { isSystemError } from "../../../ffi/system-error.ts";
import { equalBytes, utf8 } from "../../base/bytes.ts";
import { decodeMessages, eachAttribute, type NetlinkMessage } from "./message.ts";
import { isOfFamily, NFT, type NftTableId, nfgenBytes, nftType } from "./nft-message.ts";

/** The multicast group that is told of every change of nf_tables (linux/netfilter/nfnetlink.h). */
const changesGroup = 7;
/** The kernel keeps this much of what nobody has asked for yet; beyond it, it says so. */
const keptBytesMax = 1 << 20;
const TABLE_NAME = 1;

/**
 * Hears of changes of one table, from now on, in the thread's network namespace. Costs the same
 * whatever the table holds, and next to nothing while nobody changes any.
 */
export class NftWatch implements Disposable {
  readonly #table: NftTableId;
  /** As messages have it. */
  readonly #name: Uint8Array;
  readonly #socket: NetlinkSocket;

  /** @throws SystemError */
  constructor(table: NftTableId) {
    this.#table = table;
    this.#name = utf8(`${table.name}\0`);
    this.#socket = new NetlinkSocket(NETLINK_NETFILTER, keptBytesMax);
    this.#socket.join(changesGroup);
    this.#socket.setNonBlocking();
  }

  /**
   * Whether the table was changed since the last call by another socket than the one that has this
   * netlink port; `undefined` when there was more to hear than was kept. Never waits.
   */
  wasTouched(ownPort: number): boolean | undefined {
    try {
      return this.#heardOf(ownPort);
    } catch (error) {
      if (!isSystemError(error)) throw error;
      // What was kept is of no use any more, and in the way of what comes.
      this.#heardOf(ownPort);
      return undefined;
    }
  }

  #heardOf(ownPort: number): boolean {
    let wasTouched = false;
    for (;;) {
      const datagram = this.#socket.receive();
      if (datagram === undefined) return wasTouched;
      wasTouched ||= decodeMessages(datagram).some(
        (each) => each.port !== ownPort && this.#isAbout(each),
      );
    }
  }

  [Symbol.dispose](): void {
    this.#socket.close();
  }

  #isAbout({ type, body }: NetlinkMessage): boolean {
    if (type === nftType(NFT.newGeneration) || !isOfFamily(body, this.#table.family)) return false;
    for (const { type: kind, payload } of eachAttribute(body.subarray(nfgenBytes))) {
      // Whatever a message is about, it names its table so, and first.
      if (kind === TABLE_NAME) return equalBytes(payload, this.#name);
    }
    return false;
  }
}
