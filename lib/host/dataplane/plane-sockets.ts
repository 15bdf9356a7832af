import { closeDescriptor } from "../../../ffi/descriptor.ts";
import type { HostIp } from "../../base/ip.ts";
import type { Log } from "../../base/world.ts";
import { openPacketSocket } from "../packet-socket.ts";
import { openUnderlay } from "./underlay-descriptors.ts";

export interface PlaneSocketOptions {
  /** Index of the interface on which frames are captured and injected. */
  readonly captureInterface: number;
  /** Where that interface leads to a kernel datapath, which decides where frames go: its MTU. */
  readonly datapathMtu?: number | undefined;
  /** Local address of the UDP socket; 0 for all, with a socket a family. */
  readonly host: HostIp;
  /** Port of the UDP sockets; 0 for any. */
  readonly port: number;
  /** Default 8 MiB. */
  readonly captureBufferBytes?: number;
  /** In each direction. Default 4 MiB. */
  readonly udpBufferBytes?: number;
  /** Sockets of an earlier process, which serves them until the data plane begins. */
  readonly inherited?: InheritedSockets | undefined;
  readonly log: Log;
}

/** Descriptors, ours from now on. */
export interface InheritedSockets {
  readonly packetDescriptor: number;
  /** At most one a family. */
  readonly udpDescriptors: readonly number[];
}

/**
 * The sockets of a data plane: one that captures and injects, and of UDP one a family. Workers use them,
 * the main thread owns them: a thread that crashes closes nothing.
 *
 *   capture socket ──another takes its place──▶ retired ──the worker has let go of it, or ended──▶ closed
 */
export class PlaneSockets {
  readonly #options: PlaneSocketOptions;
  readonly #udpDescriptors: readonly number[];
  #packetDescriptor: number;
  /** Capture sockets that were replaced while the worker may still use them. */
  readonly #retired = new Set<number>();

  /** Opens what is not inherited. @throws WeaveError `CAPTURE_FAILED`, `UDP_BIND` */
  constructor(options: PlaneSocketOptions) {
    this.#options = options;
    const { captureInterface, inherited } = options;
    this.#packetDescriptor = inherited?.packetDescriptor ?? this.#openCapture(captureInterface);
    try {
      this.#udpDescriptors = this.#openUnderlay();
    } catch (error) {
      closeDescriptor(this.#packetDescriptor);
      throw error;
    }
  }

  get descriptors(): InheritedSockets {
    return { packetDescriptor: this.#packetDescriptor, udpDescriptors: this.#udpDescriptors };
  }

  /**
   * Captures on another interface from now on; gives the new descriptor.
   *
   * @throws WeaveError `CAPTURE_FAILED`; the former interface then stays
   */
  recapture(captureInterface: number): number {
    const descriptor = this.#openCapture(captureInterface);
    this.#retired.add(this.#packetDescriptor);
    this.#packetDescriptor = descriptor;
    return descriptor;
  }

  /** The worker does not use this one any more. */
  released(descriptor: number): void {
    if (this.#retired.delete(descriptor)) closeDescriptor(descriptor);
  }

  /** Nobody uses what was replaced. */
  workerEnded(): void {
    for (const descriptor of this.#retired) closeDescriptor(descriptor);
    this.#retired.clear();
  }

  /** Once no worker runs. */
  close(): void {
    for (const descriptor of [this.#packetDescriptor, ...this.#udpDescriptors]) {
      closeDescriptor(descriptor);
    }
  }

  #openUnderlay(): readonly number[] {
    const { host, port, inherited, udpBufferBytes = 4 << 20, log } = this.#options;
    const { descriptors, withoutIpv6 } = openUnderlay({
      ...{ host, port, inherited: inherited?.udpDescriptors },
      bufferBytes: udpBufferBytes,
    });
    if (withoutIpv6 !== "") log.info(`hosts are reached by IPv4 alone: ${withoutIpv6}`);
    return descriptors;
  }

  #openCapture(captureInterface: number): number {
    const { captureBufferBytes = 8 << 20, datapathMtu } = this.#options;
    const marks = datapathMtu !== undefined;
    return openPacketSocket(captureInterface, captureBufferBytes, { marks });
  }
}
