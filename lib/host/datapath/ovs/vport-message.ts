import { genericBody, genericHeaderBytes } from "../../netlink/generic.ts";
import * as message from "../../netlink/message.ts";
import { type Attributes, attributesBehind, viewOf } from "../../netlink/message.ts";

/**
 * Datapaths and their ports, as the openvswitch module is told of them (fastdp §4.2, §4.3;
 * linux/openvswitch.h). A message is a generic netlink header, this one, and attributes:
 *
 *   +---------------------+
 *   | datapath ifindex 4  |   0 while the datapath is being made or looked for by name
 *   +---------------------+
 */
export const ovsHeaderBytes = 4;

const datapathVersion = 2;
const vportVersion = 1;
const COMMAND = { create: 1, delete: 2, get: 3, set: 4 } as const;
const DATAPATH = { name: 1, upcallPort: 2, features: 5 } as const;
const VPORT = { number: 1, type: 2, name: 3, options: 4, upcallPorts: 5 } as const;
const VXLAN_PORT = 1;
/** Attributes may be unaligned; each port may have its own receiver of misses. */
const features = 3;

export const vportType = { netdev: 1, internal: 2, vxlan: 4 } as const;

export interface Vport {
  readonly number: number;
  readonly type: number;
  readonly name: string;
  /** The netlink port that is told of misses. */
  readonly upcallPort: number;
}

export function createDatapath(name: string): Uint8Array {
  return genericBody(
    COMMAND.create,
    datapathVersion,
    ovsHeader(0),
    message.text(DATAPATH.name, name),
    message.uint32(DATAPATH.upcallPort, 0),
    message.uint32(DATAPATH.features, features),
  );
}

export function findDatapath(name: string): Uint8Array {
  const attribute = message.text(DATAPATH.name, name);
  return genericBody(COMMAND.get, datapathVersion, ovsHeader(0), attribute);
}

export function deleteDatapath(datapath: number): Uint8Array {
  return genericBody(COMMAND.delete, datapathVersion, ovsHeader(datapath));
}

/** A device that exists becomes a port. */
export function addNetdev(datapath: number, name: string): Uint8Array {
  return createVport(datapath, name, vportType.netdev, new Uint8Array(0));
}

/** Makes a device of its own, in collect-metadata mode, that listens on a UDP port. */
export function addVxlan(datapath: number, name: string, port: number): Uint8Array {
  return createVport(datapath, name, vportType.vxlan, message.uint16(VXLAN_PORT, port));
}

function createVport(
  datapath: number,
  name: string,
  type: number,
  options: Uint8Array,
): Uint8Array {
  return genericBody(
    COMMAND.create,
    vportVersion,
    ovsHeader(datapath),
    message.text(VPORT.name, name),
    message.uint32(VPORT.type, type),
    message.attribute(VPORT.options, options),
    message.uint32(VPORT.upcallPorts, 0),
  );
}

/** To be dumped. */
export function listVports(datapath: number): Uint8Array {
  return genericBody(COMMAND.get, vportVersion, ovsHeader(datapath));
}

/** Misses of the port go to this netlink port from now on. */
export function setUpcallPort(datapath: number, number: number, port: number): Uint8Array {
  return genericBody(
    COMMAND.set,
    vportVersion,
    ovsHeader(datapath),
    message.uint32(VPORT.number, number),
    message.uint32(VPORT.upcallPorts, port),
  );
}

export function deleteVport(datapath: number, number: number): Uint8Array {
  const attribute = message.uint32(VPORT.number, number);
  return genericBody(COMMAND.delete, vportVersion, ovsHeader(datapath), attribute);
}

/** @throws WeaveError `NETLINK_FORMAT` */
export function decodeVport(body: Uint8Array): Vport {
  const attributes = ovsAttributes(body);
  return {
    number: attributes.uint32(VPORT.number) ?? 0,
    type: attributes.uint32(VPORT.type) ?? 0,
    name: attributes.text(VPORT.name) ?? "",
    upcallPort: attributes.uint32(VPORT.upcallPorts) ?? 0,
  };
}

/** Interface index of the datapath that a message is about. @throws WeaveError `NETLINK_FORMAT` */
export function datapathOf(body: Uint8Array): number {
  ovsAttributes(body);
  return viewOf(body).getInt32(genericHeaderBytes, true);
}

export function ovsAttributes(body: Uint8Array): Attributes {
  return attributesBehind(genericHeaderBytes + ovsHeaderBytes, body);
}

export function ovsHeader(datapath: number): Uint8Array {
  return new Uint8Array(Int32Array.of(datapath).buffer);
}
