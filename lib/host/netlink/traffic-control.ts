import { isSystemError } from "../../../ffi/system-error.ts";
import { concatBytes } from "../../base/bytes.ts";
import type { Netlink } from "./conversation.ts";
import * as message from "./message.ts";
import { Attributes, attributesBehind, flags, viewOf } from "./message.ts";

/**
 * Programs at the edges of a device by the qdisc `clsact`, which queues nothing (tc-bpf(8),
 * linux/rtnetlink.h).
 *
 *   tcmsg (20)
 *   +-----------+------------+----------+-----------+-----------+---------+
 *   | family: 1 | padding: 3 | index: 4 | handle: 4 | parent: 4 | info: 4 |   then attributes
 *   +-----------+------------+----------+-----------+-----------+---------+
 *   info of a filter: preference << 16 | protocol, big-endian
 */
const tcmsgBytes = 20;
const RTM = { newQdisc: 36, newFilter: 44, getFilter: 46 } as const;
const TCA = { kind: 1, options: 2 } as const;
const BPF = { descriptor: 6, name: 7, flags: 8, id: 11 } as const;
const directAction = 1;
const clsactHandle = 0xffff_0000;
const clsactParent = 0xffff_fff1;
const everyProtocol = 0x0300;
const handle = 1;

export type Edge = "ingress" | "egress";
const parents: Readonly<Record<Edge, number>> = { ingress: 0xffff_fff2, egress: 0xffff_fff3 };

export interface ProgramFilter {
  readonly index: number;
  readonly edge: Edge;
  /** Order among filters: lower ones come first. 1–65535 */
  readonly preference: number;
}

/** Makes sure that filters can be put at the edges of a device. @throws SystemError */
export function prepareEdges(netlink: Netlink, index: number): void {
  const body = concatBytes(
    tcmsg({ index, handle: clsactHandle, parent: clsactParent }),
    message.text(TCA.kind, "clsact"),
  );
  try {
    netlink.request(RTM.newQdisc, flags.create | flags.exclusive, body, `interface ${index}`);
  } catch (error) {
    if (!isSystemError(error, "EEXIST")) throw error;
  }
}

/** Puts a program at its place, also where another one is: no frame meets neither. @throws SystemError */
export function putProgramFilter(
  netlink: Netlink,
  filter: ProgramFilter,
  program: { readonly descriptor: number; readonly name: string },
): void {
  const body = concatBytes(
    filterHeader(filter),
    message.text(TCA.kind, "bpf"),
    message.attribute(
      TCA.options,
      concatBytes(
        message.uint32(BPF.descriptor, program.descriptor),
        message.text(BPF.name, program.name),
        message.uint32(BPF.flags, directAction),
      ),
    ),
  );
  const about = `interface ${filter.index}`;
  netlink.request(RTM.newFilter, flags.create | flags.replace, body, about);
}

/** The id of the program at a place, and the name it was put there under. @throws SystemError */
export function programFilter(
  netlink: Netlink,
  filter: ProgramFilter,
): { readonly id: number; readonly name: string } | undefined {
  const { index, edge } = filter;
  const header = tcmsg({ index, handle: 0, parent: parents[edge] });
  for (const { body } of netlink.dump(RTM.getFilter, header, `filters of interface ${index}`)) {
    const attributes = attributesBehind(tcmsgBytes, body);
    if (attributes.text(TCA.kind) !== "bpf") continue;
    if (viewOf(body).getUint32(16, true) >>> 16 !== filter.preference) continue;
    const options = new Attributes(attributes.bytes(TCA.options) ?? new Uint8Array(0));
    const id = options.uint32(BPF.id);
    if (id !== undefined) return { id, name: options.text(BPF.name) ?? "" };
  }
  return undefined;
}

function filterHeader({ index, edge, preference }: ProgramFilter): Uint8Array {
  const info = ((preference << 16) | everyProtocol) >>> 0;
  return tcmsg({ index, handle, parent: parents[edge], info });
}

function tcmsg(fields: {
  readonly index: number;
  readonly handle: number;
  readonly parent: number;
  readonly info?: number;
}): Uint8Array {
  const bytes = new Uint8Array(tcmsgBytes);
  const view = viewOf(bytes);
  view.setInt32(4, fields.index, true);
  view.setUint32(8, fields.handle, true);
  view.setUint32(12, fields.parent, true);
  view.setUint32(16, fields.info ?? 0, true);
  return bytes;
}
