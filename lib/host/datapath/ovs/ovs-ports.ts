import { isSystemError, SystemError } from "../../../../ffi/system-error.ts";
import { WeaveError } from "../../../base/errors.ts";
import type { Netlink } from "../../netlink/conversation.ts";
import { findLink } from "../../netlink/link.ts";
import type { PortNumbers } from "./actions.ts";
import type { Odp } from "./odp.ts";
import { bridgeSideName, sleeveSideName } from "./ovs-devices.ts";
import { type Vport, vportType } from "./vport-message.ts";

/** A port that somebody just gave up stays taken for a moment. */
const vxlanTries = 5;
const vxlanPauseMs = 10;

const EADDRINUSE = 98;

/** The ports of our datapath: the two pairs, and one VXLAN port for each UDP port in use. */
export class OvsPorts implements PortNumbers {
  readonly #odp: Odp;
  readonly #netlink: Netlink;
  readonly #datapath: number;
  readonly #upcallPort: number;
  #containers = 0;
  #sleeve = 0;
  readonly #vxlan = new Map<number, number>();
  #knowsLengths: boolean | undefined;

  /** @param upcallPort netlink port that hears of misses */
  constructor(options: { odp: Odp; netlink: Netlink; datapath: number; upcallPort: number }) {
    this.#odp = options.odp;
    this.#netlink = options.netlink;
    this.#datapath = options.datapath;
    this.#upcallPort = options.upcallPort;
  }

  get containers(): number {
    return this.#containers;
  }

  get sleeve(): number {
    return this.#sleeve;
  }

  get vxlan(): ReadonlyMap<number, number> {
    return this.#vxlan;
  }

  get knowsLengths(): boolean {
    this.#knowsLengths ??= this.#odp.knowsLengths(this.#datapath);
    return this.#knowsLengths;
  }

  /** UDP port by number of the port. */
  udpPortOf(number: number): number | undefined {
    for (const [udpPort, each] of this.#vxlan) if (each === number) return udpPort;
    return undefined;
  }

  /**
   * Adds what is missing and has all misses told here. Gives names of what was added.
   *
   * @throws WeaveError `FASTDP_PORT`, SystemError
   */
  prepare(udpPort: number): string[] {
    const present = this.#odp.vports(this.#datapath);
    const added: string[] = [];
    const netdev = (name: string): number => {
      const found = present.find((vport) => vport.name === name);
      if (found !== undefined) return this.#listen(found.number);
      added.push(name);
      return this.#listen(this.#odp.addNetdev(this.#datapath, name));
    };
    this.#containers = netdev(bridgeSideName);
    this.#sleeve = netdev(sleeveSideName);
    const wanted = new Set([udpPort, ...this.#vxlan.keys()]);
    this.#vxlan.clear();
    for (const vport of present) {
      const port = udpPortIn(vport);
      if (port === undefined) continue;
      this.#vxlan.set(port, this.#listen(vport.number));
      wanted.delete(port);
    }
    for (const port of wanted) {
      this.openVxlan(port);
      added.push(vxlanName(port));
    }
    return added;
  }

  /** @throws WeaveError `FASTDP_PORT` */
  openVxlan(udpPort: number): void {
    if (this.#vxlan.has(udpPort)) return;
    for (let left = vxlanTries; ; left--) {
      try {
        this.#vxlan.set(udpPort, this.#listen(this.#addVxlan(udpPort)));
        return;
      } catch (error) {
        if (left > 1 && isSystemError(error, "EADDRINUSE")) {
          Bun.sleepSync(vxlanPauseMs);
          continue;
        }
        throw portRefused(udpPort, error);
      }
    }
  }

  #addVxlan(udpPort: number): number {
    const name = vxlanName(udpPort);
    const number = this.#odp.addVxlan(this.#datapath, name, udpPort);
    // Some kernels report success although they could not bind the port: their device stays down.
    const device = findLink(this.#netlink, { name });
    if (device === undefined || device.up) return number;
    this.#odp.deleteVport(this.#datapath, number);
    throw new SystemError({ call: "netlink", errno: EADDRINUSE, about: name });
  }

  #listen(number: number): number {
    this.#odp.setUpcallPort(this.#datapath, number, this.#upcallPort);
    return number;
  }
}

export function vxlanName(udpPort: number): string {
  return `vxlan-${udpPort}`;
}

function udpPortIn({ type, name }: Vport): number | undefined {
  const digits = /^vxlan-(\d+)$/.exec(name)?.[1];
  return type === vportType.vxlan && digits !== undefined ? Number(digits) : undefined;
}

function portRefused(udpPort: number, cause: unknown): WeaveError {
  const why = isSystemError(cause, "EADDRINUSE", "EEXIST") ? "is in use" : "cannot be opened";
  return new WeaveError("FASTDP_PORT", `UDP port ${udpPort} for VXLAN ${why}`, {
    remedy: `look for another program or VXLAN device on UDP port ${udpPort}`,
    cause,
  });
}
