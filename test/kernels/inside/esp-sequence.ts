import { NETLINK_XFRM, NetlinkSocket } from "../../../ffi/libnl.ts";
import { concatBytes } from "../../../lib/base/bytes.ts";
import { parseIpv4 } from "../../../lib/base/ip.ts";
import * as xfrm from "../../../lib/host/ipsec/xfrm-message.ts";
import { Netlink } from "../../../lib/host/netlink/conversation.ts";
import { attribute, flags } from "../../../lib/host/netlink/message.ts";
import { NetworkNamespace, namedNamespaceFolder } from "../../../lib/host/netns.ts";
import type { Host } from "../../hosts/lab.ts";
import { must } from "../../hosts/shell.ts";

const newCounters = 30;
const REPLAY = 23;
const windowPackets = 256;

/**
 * Lets the associations from one host to another go on counting at `sequence`, as if so many packets
 * had been sent (XFRM_MSG_NEWAE of linux/xfrm.h).
 *
 *   counters (48)   destination 16 | SPI 4 | family 2 | protocol 1 | pad 1 | source 16 | flags 4
 *                   | request id 4
 *   replay          words of the bitmap 4 | sent, received 4, 4 | their high halves 4, 4 | window 4
 *                   | bitmap
 */
export function continueAt(sequence: number, from: Host, to: Host): void {
  // Who receives goes first: what arrives meanwhile is old, and not from the future.
  for (const host of [to, from]) {
    using namespace = new NetworkNamespace(`${namedNamespaceFolder}/${host.namespace}`);
    namespace.run(() => setCounters(sequence, parseIpv4(from.ip), parseIpv4(to.ip)));
  }
}

function setCounters(sequence: number, source: number, destination: number): void {
  const netlink = new Netlink(new NetlinkSocket(NETLINK_XFRM));
  try {
    const all = netlink.dump(xfrm.XFRM.getAssociation, new Uint8Array(24), "associations");
    for (const { body } of all) {
      const association = xfrm.decodeAssociation(body);
      if (association.source !== source || association.destination !== destination) continue;
      const rest = new DataView(new ArrayBuffer(24));
      rest.setUint32(0, source);
      const words = windowPackets / 32;
      const replay = Uint32Array.of(words, sequence, sequence, 0, 0, windowPackets);
      const bitmap = new Uint8Array(4 * words);
      const message = concatBytes(
        xfrm.deleteAssociation(association),
        new Uint8Array(rest.buffer),
        attribute(REPLAY, concatBytes(new Uint8Array(replay.buffer), bitmap)),
      );
      netlink.request(newCounters, flags.replace, message, "an association");
    }
  } finally {
    netlink.close();
  }
}

/** How many packets each association of a host has counted: 64 bits, the higher of both ways. */
export async function counted(host: Host): Promise<bigint[]> {
  const text = await must(["ip", "-n", host.namespace, "xfrm", "state"]);
  const contexts = text.matchAll(
    /seq-hi (0x[0-9a-f]+), seq (0x[0-9a-f]+), oseq-hi (0x[0-9a-f]+), oseq (0x[0-9a-f]+)/g,
  );
  return [...contexts].map(([, inHigh, inLow, outHigh, outLow]) => {
    const received = (BigInt(inHigh!) << 32n) | BigInt(inLow!);
    const sent = (BigInt(outHigh!) << 32n) | BigInt(outLow!);
    return received > sent ? received : sent;
  });
}
