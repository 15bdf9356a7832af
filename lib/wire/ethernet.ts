import { readUint16, readUint32, writeUint16, writeUint32 } from "../base/bytes.ts";

/**
 * An Ethernet frame as it crosses bridges and overlays: without preamble and FCS.
 *
 *    0                   6                   12        14
 *   +-------------------+-------------------+---------+-----------···
 *   |  destination MAC  |    source MAC     | type or |  payload
 *   |                   |                   | length  |
 *   +-------------------+-------------------+---------+-----------···
 */
export const ethernetHeaderSize = 14;

/** Shortest frame that real hardware sends; shorter payloads are padded with zeros to reach it. */
export const ethernetFrameMin = 60;

export const ethernetDestinationAt = 0;
export const ethernetSourceAt = 6;
export const ethernetTypeAt = 12;

export const etherType = { ipv4: 0x0800, arp: 0x0806, vlan: 0x8100, ipv6: 0x86dd } as const;

/** A MAC address as a 48-bit number, most significant octet first. */
export type Mac = number;

/** Bridges keep spanning tree frames to themselves: 01:80:c2:00:00:00. */
export const spanningTreeMac: Mac = 0x0180c2000000;

export function readMac(bytes: Uint8Array, at: number): Mac {
  return readUint16(bytes, at) * 2 ** 32 + readUint32(bytes, at + 2);
}

/** Whether the address stands for many receivers, as broadcast does: nobody may send from one. */
export function isGroupMac(mac: Mac): boolean {
  return ((mac / 2 ** 40) & 1) === 1;
}

export function writeMac(bytes: Uint8Array, at: number, mac: Mac): void {
  writeUint16(bytes, at, Math.floor(mac / 2 ** 32));
  writeUint32(bytes, at + 2, mac >>> 0);
}

/** `aa:bb:cc:dd:ee:ff` in lower case. */
export function formatMac(mac: Mac): string {
  return mac
    .toString(16)
    .padStart(12, "0")
    .replace(/..(?!$)/g, "$&:");
}

/** Six hex octets joined by colons, either case; `undefined` for anything else. */
export function tryParseMac(text: string): Mac | undefined {
  if (!/^[0-9a-fA-F]{2}(:[0-9a-fA-F]{2}){5}$/.test(text)) return undefined;
  return Number.parseInt(text.replaceAll(":", ""), 16);
}
