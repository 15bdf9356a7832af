import { concatBytes } from "../../base/bytes.ts";
import type { Netlink } from "./conversation.ts";
import * as message from "./message.ts";
import { attributesBehind } from "./message.ts";

const RTM_GETNSID = 90;
const NETNSA = { id: 1, descriptor: 3 } as const;

/**
 * The number by which the socket's namespace knows the namespace open at `descriptor`, as links
 * name it ({@link Link.peerNamespace}); `undefined` when no link leads there. @throws SystemError
 */
export function namespaceId(netlink: Netlink, descriptor: number): number | undefined {
  const header = new Uint8Array(4);
  const body = concatBytes(header, message.uint32(NETNSA.descriptor, descriptor));
  const answer = netlink.request(RTM_GETNSID, 0, body, "namespace number")[0];
  const none = 0xffffffff;
  const id = answer && attributesBehind(header.length, answer.body).uint32(NETNSA.id);
  return id === none ? undefined : id;
}
