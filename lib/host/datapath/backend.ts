import type { KernelDatapath } from "../../overlay/fastdp/ports.ts";
import type { DeviceNames } from "../device-names.ts";

/** How this host is to be wired for a kernel datapath. */
export interface DatapathOptions {
  readonly names: DeviceNames;
  /** Index of the bridge, which stands. The datapath makes itself a port of it. */
  readonly bridge: number;
  /** Inner MTU: of the bridge, of containers and of every device of the datapath. */
  readonly mtu: number;
  /** Our own VXLAN port: control port + 1. */
  readonly port: number;
}

/** A kernel datapath on this machine, as the router's process holds it. */
export interface HostDatapath extends KernelDatapath {
  /**
   * Index of the interface at which sleeve's worker meets the datapath: its end of the pair that
   * `ports.ts` calls the handover port. Named `DeviceNames.capture`.
   */
  readonly handoverPort: number;
  /**
   * Something to be watched by the thread that sleeps in epoll anyway, sleeve's worker: readable when
   * {@link serve} has something to do. Missing for a backend that has a thread of its own.
   */
  readonly descriptor?: number;
  /**
   * Takes what has come to the descriptor, until there is no more, and tells of it by
   * `DatapathEvents`. Called in the main thread, each time the descriptor became readable.
   */
  serve?(): void;
  /** Names of all devices that belong to it, so that whoever watches links knows which matter. */
  devices(): readonly string[];
  /**
   * Makes again what somebody removed or changed, tables included: `bridge` may be a new one.
   * Returns one sentence for each thing mended; nothing when all stood.
   *
   * @throws SystemError
   */
  mend(bridge: number): readonly string[];
}

/** One way of having a datapath; tried in order of preference. */
export interface DatapathBackend {
  readonly name: "ebpf" | "ovs";
  /**
   * Why it cannot run here, as a sentence for status; `undefined` when it can. Tries what it needs
   * and leaves nothing behind; never throws.
   */
  refusal(): string | undefined;
  /**
   * Makes or adopts devices, programs and tables. When it throws, what it made is gone again.
   *
   * @throws WeaveError
   */
  open(options: DatapathOptions): HostDatapath;
  /**
   * Removes all that is this backend's, whether or not a process of ours still runs, and nothing of
   * another's; does nothing where there is nothing, and loads no module for that. Names of devices.
   *
   * @throws SystemError
   */
  remove(names: DeviceNames): readonly string[];
}
