import { NETLINK_ROUTE, NetlinkSocket } from "../../ffi/libnl.ts";
import { isSystemError } from "../../ffi/system-error.ts";
import { decodeLink, linkChangesGroup } from "./netlink/link.ts";
import { decodeMessages } from "./netlink/message.ts";

/** The kernel keeps this much of what nobody has asked for yet; beyond it, it says so. */
const keptBytesMax = 256 * 1024;

/** Names of links that were made, changed or deleted; `undefined` when too many to keep were. */
export type LinkChanges = ReadonlySet<string> | undefined;

/** Hears of every change to the links of the thread's network namespace. */
export class LinkWatch {
  readonly #socket: NetlinkSocket;

  /** @throws SystemError */
  constructor() {
    this.#socket = new NetlinkSocket(NETLINK_ROUTE, keptBytesMax);
    this.#socket.join(linkChangesGroup);
    this.#socket.setNonBlocking();
  }

  /** What has changed since the last call. Never waits. */
  changes(): LinkChanges {
    const names = new Set<string>();
    try {
      for (;;) {
        const datagram = this.#socket.receive();
        if (datagram === undefined) return names;
        for (const message of decodeMessages(datagram)) names.add(decodeLink(message).name);
      }
    } catch (error) {
      if (isSystemError(error)) return undefined;
      throw error;
    }
  }

  close(): void {
    this.#socket.close();
  }
}
