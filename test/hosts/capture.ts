import type { Host } from "./lab.ts";
import { linesOf } from "./traffic.ts";

/** Octets before the first packet of a capture file, and before each one (pcap). */
const fileHeaderBytes = 24;
const packetHeaderBytes = 16;
const lengthAt = 8;

const ethernetBytes = 14;

/** Packets that pass an interface of a host, from the start until disposal. */
export class Capture implements AsyncDisposable {
  /** From the Ethernet header on, in the order of their passing. */
  readonly packets: Uint8Array[] = [];
  readonly #child: Bun.Subprocess<"ignore", "pipe", "pipe">;
  readonly #read: Promise<void>;

  private constructor(child: Bun.Subprocess<"ignore", "pipe", "pipe">) {
    this.#child = child;
    this.#read = this.#readAll();
  }

  /**
   * Resolves when packets are being captured.
   *
   * @param filter as tcpdump takes it
   */
  static async start(host: Host, device: string, filter: string): Promise<Capture> {
    const options = ["-n", "-s", "0", "--immediate-mode", "-U", "-w", "-"];
    const child = Bun.spawn(
      [
        ...["nsenter", `--net=/run/netns/${host.namespace}`],
        ...["tcpdump", "-i", device, ...options, filter],
      ],
      { stdin: "ignore", stdout: "pipe", stderr: "pipe", timeout: 120_000 },
    );
    const capture = new Capture(child);
    for await (const line of linesOf(child.stderr)) {
      if (line.includes("listening on")) return capture;
    }
    throw new Error(`tcpdump did not start at ${host.namespace}`);
  }

  async #readAll(): Promise<void> {
    let bytes = Buffer.alloc(0);
    let begun = false;
    for await (const chunk of this.#child.stdout) {
      bytes = Buffer.concat([bytes, chunk]);
      if (!begun && bytes.length < fileHeaderBytes) continue;
      bytes = this.#take(begun ? bytes : bytes.subarray(fileHeaderBytes));
      begun = true;
    }
  }

  /** Takes whole packets; gives what is left. */
  #take(bytes: Buffer<ArrayBuffer>): Buffer<ArrayBuffer> {
    let rest = bytes;
    while (rest.length >= packetHeaderBytes) {
      const end = packetHeaderBytes + rest.readUInt32LE(lengthAt);
      if (rest.length < end) break;
      this.packets.push(rest.subarray(packetHeaderBytes, end));
      rest = rest.subarray(end);
    }
    return rest;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGINT");
    await this.#read;
  }
}

/** Of a captured packet, e.g. 17 for UDP. */
export function ipProtocol(packet: Uint8Array): number {
  return packet[ethernetBytes + 9]!;
}

/** What peers see of a VXLAN packet, but for the frame in it (fastdp §2.1). */
export interface VxlanHeaders {
  readonly source: number;
  readonly destination: number;
  readonly tos: number;
  /** Flags and offset: `0x4000` is "do not fragment". */
  readonly fragment: number;
  readonly ttl: number;
  readonly port: number;
  readonly checksum: number;
  /** Flags of VXLAN with the reserved octets behind them, and the last reserved octet. */
  readonly flags: number;
  readonly reserved: number;
  readonly vni: number;
}

/** As every peer sends it, with the default port. */
export const plainVxlan = {
  tos: 0,
  fragment: 0x4000,
  ttl: 64,
  port: 6784,
  checksum: 0,
  flags: 0x0800_0000,
  reserved: 0,
} as const;

/** Of a captured packet that is one of VXLAN; its IP header has no options. */
export function vxlanHeaders(packet: Uint8Array): VxlanHeaders {
  const view = new DataView(packet.buffer, packet.byteOffset + ethernetBytes);
  return {
    source: view.getUint32(12),
    destination: view.getUint32(16),
    tos: view.getUint8(1),
    fragment: view.getUint16(6),
    ttl: view.getUint8(8),
    port: view.getUint16(22),
    checksum: view.getUint16(26),
    flags: view.getUint32(28),
    reserved: view.getUint8(35),
    vni: view.getUint32(32) >>> 8,
  };
}
