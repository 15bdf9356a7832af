import { NETLINK_ROUTE, NetlinkSocket } from "../../ffi/libnl.ts";
import { isSystemError } from "../../ffi/system-error.ts";
import { addressChanges } from "./netlink/address.ts";
import { decodeLink, linkChanges } from "./netlink/link.ts";
import { decodeMessages } from "./netlink/message.ts";

/** The kernel keeps this much of what nobody has asked for yet; beyond it, it says so. */
const keptBytesMax = 256 * 1024;

/** What was changed on a host. */
export interface HostChanges {
  /** Names of links that were made, changed or deleted. */
  readonly links: ReadonlySet<string>;
  /** Whether an interface lost an IPv4 address. */
  readonly addressLost: boolean;
}

/** Hears of every change to links and addresses of the thread's network namespace. */
export class HostWatch {
  readonly #socket: NetlinkSocket;

  /** @throws SystemError */
  constructor() {
    this.#socket = new NetlinkSocket(NETLINK_ROUTE, keptBytesMax);
    this.#socket.join(linkChanges.group);
    this.#socket.join(addressChanges.group);
    this.#socket.setNonBlocking();
  }

  /** What has changed since the last call; `undefined` when more than was kept. Never waits. */
  changes(): HostChanges | undefined {
    const links = new Set<string>();
    let addressLost = false;
    try {
      for (;;) {
        const datagram = this.#socket.receive();
        if (datagram === undefined) return { links, addressLost };
        for (const message of decodeMessages(datagram)) {
          if (linkChanges.types.includes(message.type)) links.add(decodeLink(message).name);
          else if (message.type === addressChanges.lost) addressLost = true;
        }
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
