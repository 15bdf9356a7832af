import { NETLINK_NETFILTER, NetlinkSocket } from "../../../ffi/libnl.ts";
import { isSystemError } from "../../../ffi/system-error.ts";
import { errorText, WeaveError } from "../../base/errors.ts";
import type { BlockedPacket } from "../../policy/enforcer.ts";
import { packetEnds } from "../../wire/packet-ends.ts";
import { Netlink } from "../netlink/conversation.ts";
import { decodeMessages, type NetlinkMessage } from "../netlink/message.ts";
import { bindLogGroup, type LoggedPacket, loggedPacket } from "../netlink/nflog.ts";
import { type LogLabels, logGroup } from "./log-labels.ts";

/** The kernel keeps this much of what nobody has asked for yet; beyond it, it counts. */
const keptBytesMax = 256 * 1024;
/** Enough for the headers up to the ports, those of IPv6 with extensions included. */
const octetsMax = 128;

const protocols: ReadonlyMap<number, BlockedPacket["protocol"]> = new Map([
  [1, "ICMP"],
  [6, "TCP"],
  [17, "UDP"],
  [58, "ICMP"],
  [132, "SCTP"],
]);

/**
 * Hears of packets that policies drop, in the thread's network namespace: of some when there are
 * many, for the rules tell of so many a second.
 */
export class BlockedPackets implements Disposable {
  readonly #labels: Pick<LogLabels, "meaningOf">;
  readonly #socket: NetlinkSocket;
  #overruns = 0;

  /** @throws WeaveError `POLICY_LOG` when somebody else hears of them, or the kernel tells nobody */
  constructor(labels: Pick<LogLabels, "meaningOf">) {
    this.#labels = labels;
    this.#socket = new NetlinkSocket(NETLINK_NETFILTER, keptBytesMax);
    try {
      bindLogGroup(new Netlink(this.#socket), logGroup, octetsMax);
      this.#socket.setNonBlocking();
    } catch (cause) {
      this.#socket.close();
      throw unheard(cause);
    }
  }

  /** How often there was more to hear than was kept. */
  get overruns(): number {
    return this.#overruns;
  }

  /** Those that were dropped since the last call. Never waits. */
  read(): BlockedPacket[] {
    const packets: BlockedPacket[] = [];
    for (;;) {
      try {
        const datagram = this.#socket.receive();
        if (datagram === undefined) return packets;
        packets.push(...blockedPackets(decodeMessages(datagram), this.#labels));
      } catch (error) {
        if (error instanceof WeaveError) continue;
        if (!isSystemError(error)) throw error;
        this.#overruns++;
        return packets;
      }
    }
  }

  [Symbol.dispose](): void {
    this.#socket.close();
  }
}

/** What messages of the log tell of drops by policies; all else is somebody else's, or cut short. */
export function blockedPackets(
  messages: readonly NetlinkMessage[],
  labels: Pick<LogLabels, "meaningOf">,
): BlockedPacket[] {
  return messages.flatMap((each) => {
    const logged = loggedPacket(each);
    return logged === undefined ? [] : (blockedPacket(logged, labels) ?? []);
  });
}

function blockedPacket(
  { prefix, packet }: LoggedPacket,
  labels: Pick<LogLabels, "meaningOf">,
): BlockedPacket | undefined {
  const meaning = labels.meaningOf(prefix);
  const ends = packetEnds(packet);
  if (meaning === undefined || ends === undefined) return undefined;
  const { protocol, ...between } = ends;
  return { ...meaning, protocol: protocols.get(protocol) ?? "other", ...between };
}

function unheard(cause: unknown): WeaveError {
  // Which of the two it is depends on the kernel's age.
  const isTaken = isSystemError(cause, "EBUSY", "EPERM");
  const why = isTaken ? `another program has log group ${logGroup}` : errorText(cause);
  return new WeaveError("POLICY_LOG", `packets that policies drop cannot be told of: ${why}`, {
    remedy: isTaken
      ? "stop the program that hears of them: the original's weave-npc, or ulogd"
      : "load the kernel's module nfnetlink_log",
    cause,
  });
}
