import { NETLINK_XFRM, NetlinkSocket } from "../../../ffi/libnl.ts";
import { isSystemError } from "../../../ffi/system-error.ts";
import { errorText, WeaveError } from "../../base/errors.ts";
import { spiMin } from "../../overlay/fastdp/esp-keys.ts";
import type { EspPath, KernelEsp } from "../../overlay/fastdp/esp-session.ts";
import { Netlink } from "../netlink/conversation.ts";
import { flags } from "../netlink/message.ts";
import * as xfrm from "./xfrm-message.ts";
import { type Association, type Policy, XFRM } from "./xfrm-message.ts";

/** Tells our associations and policies from those of others on this host: "weav". */
const requestId = 0x77656176;

const spiMax = 0xffff_ffff;
const anySpi = 0;

/**
 * ESP of the kernel between this host and its neighbours (fastdp §8). Instead of rules of a packet
 * filter there are policies in both directions: they need no other program, and the reload of a
 * firewall does not open what they close.
 *
 *   out   UDP to the VXLAN port of the neighbour: blocked, later sealed for the peer's association
 *   in    UDP to that port from the neighbour: only what an association of ours has opened
 */
export class KernelIpsec implements KernelEsp {
  readonly #netlink: Netlink;
  /** How many sessions have a path. */
  readonly #sessions = new Map<string, number>();
  /** By which SPI a path is sealed. */
  readonly #sealedBy = new Map<string, number>();

  /** In the thread's network namespace. @throws SystemError */
  constructor() {
    this.#netlink = new Netlink(new NetlinkSocket(NETLINK_XFRM));
  }

  open(path: EspPath, key: Uint8Array): number {
    const name = nameOf(path);
    const sessions = this.#sessions.get(name) ?? 0;
    return explained(path, () => {
      if (sessions === 0) this.#closeToClear(path);
      this.#sessions.set(name, sessions + 1);
      try {
        return this.#accept(path, key);
      } catch (error) {
        this.#leave(path);
        throw error;
      }
    });
  }

  #closeToClear(path: EspPath): void {
    const blocked = { ...outbound(path), requestId, spi: anySpi };
    this.#setPolicy({ ...outPolicy(path), action: "block", template: blocked });
    const opened = { ...inbound(path), requestId, spi: anySpi };
    this.#setPolicy({ ...inPolicy(path), action: "allow", template: opened });
  }

  #accept(path: EspPath, key: Uint8Array): number {
    const way = inbound(path);
    const body = xfrm.allocateSpi(way, requestId, [spiMin, spiMax]);
    const [answer] = this.#ask(XFRM.allocateSpi, flags.create | flags.exclusive, body);
    if (answer === undefined) throw new WeaveError("IPSEC_FAILED", "the kernel gave no SPI");
    const association = { ...way, requestId, spi: xfrm.decodeAssociation(answer.body).spi };
    const whole = xfrm.describeAssociation(association, key);
    this.#ask(XFRM.updateAssociation, flags.create | flags.exclusive, whole);
    return association.spi;
  }

  seal(path: EspPath, spi: number, key: Uint8Array): void {
    explained(path, () => {
      const association = { ...outbound(path), requestId, spi };
      const body = xfrm.describeAssociation(association, key);
      this.#ask(XFRM.newAssociation, flags.create | flags.exclusive, body);
      this.#setPolicy({ ...outPolicy(path), action: "allow", template: association });
      this.#sealedBy.set(nameOf(path), spi);
    });
  }

  close(path: EspPath, inboundSpi: number, outboundSpi: number | undefined): void {
    this.#leave(path);
    this.#forget({ ...inbound(path), requestId, spi: inboundSpi });
    if (outboundSpi === undefined) return;
    const name = nameOf(path);
    if (this.#sealedBy.get(name) === outboundSpi) {
      this.#sealedBy.delete(name);
      const blocked = { ...outbound(path), requestId, spi: anySpi };
      const isShared = this.#sessions.has(name);
      if (isShared) this.#setPolicy({ ...outPolicy(path), action: "block", template: blocked });
    }
    this.#forget({ ...outbound(path), requestId, spi: outboundSpi });
  }

  #leave(path: EspPath): void {
    const name = nameOf(path);
    const left = (this.#sessions.get(name) ?? 0) - 1;
    if (left > 0) {
      this.#sessions.set(name, left);
      return;
    }
    this.#sessions.delete(name);
    for (const policy of [outPolicy(path), inPolicy(path)]) {
      this.#unlessGone(XFRM.deletePolicy, xfrm.namePolicy(policy));
    }
  }

  /** Removes what a process left that did not stop in order. Gives how many things that were. */
  removeLeftovers(): number {
    const policies = this.#netlink
      .dump(XFRM.getPolicy, new Uint8Array(64), "IPsec policies")
      .map(({ body }) => xfrm.decodePolicy(body))
      .filter(({ template }) => template?.requestId === requestId);
    const associations = this.#netlink
      .dump(XFRM.getAssociation, new Uint8Array(24), "IPsec associations")
      .map(({ body }) => xfrm.decodeAssociation(body))
      .filter((association) => association.requestId === requestId);
    for (const policy of policies) this.#unlessGone(XFRM.deletePolicy, xfrm.namePolicy(policy));
    for (const association of associations) this.#forget(association);
    return policies.length + associations.length;
  }

  /** Installs an association that no packet ever meets, to see whether the kernel knows the cipher. */
  probe(): void {
    const loopback = 0x7f00_0001;
    const association = { source: loopback, destination: loopback, requestId, spi: spiMin };
    const body = xfrm.describeAssociation(association, new Uint8Array(36));
    this.#ask(XFRM.newAssociation, flags.create | flags.exclusive, body);
    this.#forget(association);
  }

  dispose(): void {
    this.#netlink.close();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  #setPolicy(policy: Policy): void {
    const body = xfrm.describePolicy(policy);
    this.#ask(XFRM.updatePolicy, flags.create | flags.exclusive, body);
  }

  #forget(association: Association): void {
    this.#unlessGone(XFRM.deleteAssociation, xfrm.deleteAssociation(association));
  }

  #unlessGone(type: number, body: Uint8Array): void {
    try {
      this.#ask(type, 0, body);
    } catch (error) {
      if (!isSystemError(error, "ENOENT", "ESRCH")) throw error;
    }
  }

  #ask(type: number, extra: number, body: Uint8Array) {
    return this.#netlink.request(type, extra, body, "IPsec");
  }
}

/** Why frames cannot be encrypted by this kernel, as a clause; `undefined` when they can. */
export function ipsecRefusal(): string | undefined {
  try {
    using ipsec = new KernelIpsec();
    ipsec.probe();
    return undefined;
  } catch (error) {
    return `the kernel cannot encrypt them (ESP with AES-GCM): ${errorText(error)}`;
  }
}

/** Removes what is left of the encryption of an earlier run; nothing where there is no IPsec. */
export function removeIpsecLeftovers(): number {
  try {
    using ipsec = new KernelIpsec();
    return ipsec.removeLeftovers();
  } catch (error) {
    if (isSystemError(error)) return 0;
    throw error;
  }
}

function explained<Result>({ port }: EspPath, step: () => Result): Result {
  try {
    return step();
  } catch (cause) {
    const what = `cannot encrypt what goes to UDP port ${port}: ${errorText(cause)}`;
    throw new WeaveError("IPSEC_FAILED", what, { remedy: "sleeve carries the frames", cause });
  }
}

function outbound({ localIp, remoteIp }: EspPath): xfrm.Way {
  return { source: localIp, destination: remoteIp };
}

function inbound({ localIp, remoteIp }: EspPath): xfrm.Way {
  return { source: remoteIp, destination: localIp };
}

function outPolicy(path: EspPath): xfrm.PolicySelector & { readonly direction: "out" } {
  return { ...outbound(path), destinationPort: path.port, direction: "out" };
}

function inPolicy(path: EspPath): xfrm.PolicySelector & { readonly direction: "in" } {
  return { ...inbound(path), destinationPort: path.port, direction: "in" };
}

function nameOf({ localIp, remoteIp, port }: EspPath): string {
  return `${localIp} ${remoteIp} ${port}`;
}
