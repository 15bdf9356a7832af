import { errorText } from "../base/errors.ts";
import type { Log } from "../base/world.ts";
import { type Attachment, listAttachments, namespacePath } from "./attachments.ts";
import type { Netlink } from "./netlink/conversation.ts";
import { changeLink, findLink } from "./netlink/link.ts";
import { openRoute } from "./netlink/open.ts";
import { NetworkNamespace } from "./netns.ts";

/**
 * Gives containers whose interfaces were made for larger frames than a kernel datapath carries its
 * MTU: theirs would be lost without a word. The container's kernel takes account of it at once, in
 * connections that are open as well.
 *
 * @throws WeaveError `BRIDGE_MISSING`
 */
export function lowerContainerMtus(netlink: Netlink, bridge: string, mtu: number, log: Log): void {
  for (const attachment of listAttachments(netlink, bridge)) {
    const port = findLink(netlink, { name: attachment.hostInterface });
    if (port === undefined || port.mtu <= mtu) continue;
    const who = attachment.ident || attachment.hostInterface;
    try {
      lowerGuest(attachment, mtu);
      changeLink(netlink, port.index, { mtu });
      log.info(`lowered the MTU of ${who} from ${port.mtu} to ${mtu}`);
    } catch (error) {
      const why = errorText(error);
      log.warn(`cannot lower the MTU of ${who} from ${port.mtu} to ${mtu}: ${why}; attach it anew`);
    }
  }
}

function lowerGuest(attachment: Attachment, mtu: number): void {
  const path = namespacePath(attachment);
  if (path === undefined) throw new Error("its network namespace cannot be found");
  using namespace = new NetworkNamespace(path);
  using guest = openRoute(namespace);
  const link = findLink(guest, { name: attachment.guestInterface });
  if (link !== undefined) changeLink(guest, link.index, { mtu });
}
