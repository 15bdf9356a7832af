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
 * With `raises` those made for smaller ones have it too: a neighbour on the same bridge that sends
 * larger packets gets no word from a bridge that loses them. Connections that are open stay with the
 * segments that they have agreed on.
 *
 * @throws WeaveError `BRIDGE_MISSING`
 */
export function fitContainerMtus(
  netlink: Netlink,
  bridge: string,
  { mtu, raises }: { readonly mtu: number; readonly raises: boolean },
  log: Log,
): void {
  for (const attachment of listAttachments(netlink, bridge)) {
    const port = findLink(netlink, { name: attachment.hostInterface });
    if (port === undefined || port.mtu === mtu || (port.mtu < mtu && !raises)) continue;
    const who = attachment.ident || attachment.hostInterface;
    const what = `the MTU of ${who} from ${port.mtu} to ${mtu}`;
    const ends = [
      () => setGuestMtu(attachment, mtu),
      () => changeLink(netlink, port.index, { mtu }),
    ];
    // Neither end is ever sent what the other does not take.
    if (port.mtu < mtu) ends.reverse();
    try {
      for (const set of ends) set();
      log.info(`set ${what}`);
    } catch (error) {
      log.warn(`cannot set ${what}: ${errorText(error)}; attach it anew`);
    }
  }
}

function setGuestMtu(attachment: Attachment, mtu: number): void {
  const path = namespacePath(attachment);
  if (path === undefined) throw new Error("its network namespace cannot be found");
  using namespace = new NetworkNamespace(path);
  using guest = openRoute(namespace);
  const link = findLink(guest, { name: attachment.guestInterface });
  if (link !== undefined) changeLink(guest, link.index, { mtu });
}
