import { closeDescriptor } from "../../ffi/descriptor.ts";
import { addressOf, pinnedBytes } from "../../ffi/memory.ts";
import { AF_INET, controlDevice, openSocket, SOCK_DGRAM } from "../../ffi/socket.ts";
import { fromUtf8, utf8 } from "../base/bytes.ts";

const SIOCETHTOOL = 0x8946;
const ETHTOOL_GSTRINGS = 0x1b;
const ETHTOOL_GSSET_INFO = 0x37;
const ETHTOOL_GFEATURES = 0x3a;
const ETHTOOL_SFEATURES = 0x3b;
const ETH_SS_FEATURES = 4;
const nameBytes = 32;
const featuresMax = 1024;

/** Features by which a sender leaves checksums and cutting to an interface, by ethtool's names. */
const isOffload = (name: string): boolean =>
  /^tx-(checksum-.*|.*segmentation|gso-.*|.*-csum.*)$/.test(name);

/** What a reader understands who gets checksums and TCP super-frames described. */
export const describedOffloads: readonly string[] = [
  "tx-checksum-ip-generic",
  "tx-checksum-ipv4",
  "tx-checksum-ipv6",
  "tx-generic-segmentation",
  "tx-tcp-segmentation",
  "tx-tcp-ecn-segmentation",
  "tx-tcp-mangleid-segmentation",
  "tx-tcp6-segmentation",
];

/** The same of UDP super-frames. */
export const describedUdpOffload = "tx-udp-segmentation";

/**
 * Leaves an interface only those offloads of what it sends that are in `kept`; none is switched on
 * that somebody has switched off. The kernel then finishes or cuts everything else itself before it
 * sends it there, so that who reads at the other end understands all that comes. Does nothing when
 * that is so already. The interface is looked for in the thread's network namespace.
 *
 * @throws SystemError
 */
export function keepOffloads(interfaceName: string, kept: readonly string[]): void {
  using device = new EthtoolDevice(interfaceName);
  const names = device.featureNames();
  const active = device.activeFeatures(names.length);
  const unwanted = names.map(
    (name, bit) => active[bit]! && isOffload(name) && !kept.includes(name),
  );
  if (unwanted.includes(true)) device.switchOff(unwanted);
}

/** The names of all offloads that an interface has for what it sends. @throws SystemError */
export function activeOffloads(interfaceName: string): string[] {
  using device = new EthtoolDevice(interfaceName);
  const names = device.featureNames();
  const active = device.activeFeatures(names.length);
  return names.filter((name, bit) => active[bit]! && isOffload(name));
}

/**
 * One interface as the ethtool interface of the kernel shows it. Features are bits in words of 32.
 *
 *   struct ifreq (40)                       command                     replies and arguments
 *   +----------+--------------+-------+     +------------+-----···
 *   | name: 16 | pointer: 8 ──┼───────┼───▶ | command: 4 | …           sets     [pad 4][mask 8][count 4]
 *   +----------+--------------+-------+     +------------+-----···     strings  [set 4][count 4][name 32]…
 *                                                                      get      [words 4]{available, requested,
 *                                                                                         active, fixed: 4 each}…
 *                                                                      set      [words 4]{valid, requested}…
 */
class EthtoolDevice {
  readonly #name: string;
  readonly #socket = openSocket(AF_INET, SOCK_DGRAM, 0, "for ethtool");

  constructor(name: string) {
    this.#name = name;
  }

  [Symbol.dispose](): void {
    closeDescriptor(this.#socket);
  }

  /** Names by bit. */
  featureNames(): string[] {
    const info = argument(ETHTOOL_GSSET_INFO, 20);
    info.setBigUint64(8, 1n << BigInt(ETH_SS_FEATURES), true);
    this.#control(info);
    const count = Math.min(info.getUint32(16, true), featuresMax);
    const strings = argument(ETHTOOL_GSTRINGS, 12 + count * nameBytes);
    strings.setUint32(4, ETH_SS_FEATURES, true);
    strings.setUint32(8, count, true);
    this.#control(strings);
    const octets = new Uint8Array(strings.buffer, 12);
    return Array.from({ length: count }, (_, bit) => {
      const name = octets.subarray(bit * nameBytes, (bit + 1) * nameBytes);
      return fromUtf8(name.subarray(0, name.indexOf(0)));
    });
  }

  activeFeatures(count: number): boolean[] {
    const words = Math.ceil(count / 32);
    const features = argument(ETHTOOL_GFEATURES, 8 + words * 16);
    features.setUint32(4, words, true);
    this.#control(features);
    return Array.from({ length: count }, (_, bit) => {
      const active = features.getUint32(8 + (bit >>> 5) * 16 + 8, true);
      return ((active >>> (bit & 31)) & 1) === 1;
    });
  }

  switchOff(features: readonly boolean[]): void {
    const words = Math.ceil(features.length / 32);
    const change = argument(ETHTOOL_SFEATURES, 8 + words * 8);
    change.setUint32(4, words, true);
    for (const [bit, isOff] of features.entries()) {
      const validAt = 8 + (bit >>> 5) * 8;
      if (isOff)
        change.setUint32(validAt, change.getUint32(validAt, true) | (1 << (bit & 31)), true);
    }
    this.#control(change);
  }

  #control(value: DataView): void {
    const request = pinnedBytes(40);
    request.set(utf8(this.#name).subarray(0, 15));
    new DataView(request.buffer).setBigUint64(16, BigInt(addressOf(value)), true);
    controlDevice(this.#socket, SIOCETHTOOL, request, `offloads of ${this.#name}`);
  }
}

function argument(command: number, size: number): DataView<ArrayBuffer> {
  const view = new DataView(pinnedBytes(size).buffer);
  view.setUint32(0, command, true);
  return view;
}
