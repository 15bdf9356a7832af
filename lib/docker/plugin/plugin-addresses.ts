import { errorCode, WeaveError } from "../../base/errors.ts";
import { formatIpv4, type Ipv4, type Ipv4Cidr } from "../../base/ip.ts";
import type { Allocator } from "../../ipam/allocator.ts";
import { anonymousIdent } from "../../ipam/request.ts";

/** How long Docker is kept waiting for an address before it is told why there is none yet. */
const addressWaitMs = 60_000;

/** What the IPAM driver asks of the cluster's allocator. */
export interface PluginAddresses {
  readonly defaultSubnet: Ipv4Cidr;
  /** @throws WeaveError `PLUGIN_ADDRESS_LATE` and those of the allocator */
  allocate(subnet: Ipv4Cidr, signal: AbortSignal): Promise<Ipv4Cidr>;
  /** @throws WeaveError `PLUGIN_ADDRESS_TAKEN`, `PLUGIN_ADDRESS_LATE` and those of the allocator */
  claim(cidr: Ipv4Cidr, signal: AbortSignal): Promise<void>;
  /** What is not held is no error. */
  release(address: Ipv4): void;
}

/**
 * Addresses for Docker, which gives them back itself: they belong to no container, and each is held
 * under its own text. Who asks for an address that Docker has had before gets it again, because an
 * engine that died has given nothing back.
 */
export class AllocatorAddresses implements PluginAddresses {
  readonly defaultSubnet: Ipv4Cidr;
  readonly #allocator: Pick<Allocator, "allocate" | "claim" | "free" | "list">;
  readonly #waitMs: number;

  /** @param waitMs default {@link addressWaitMs} */
  constructor(
    ipam: {
      readonly allocator: Pick<Allocator, "allocate" | "claim" | "free" | "list">;
      readonly defaultSubnet: Ipv4Cidr;
    },
    waitMs = addressWaitMs,
  ) {
    this.defaultSubnet = ipam.defaultSubnet;
    this.#allocator = ipam.allocator;
    this.#waitMs = waitMs;
  }

  allocate(subnet: Ipv4Cidr, signal: AbortSignal): Promise<Ipv4Cidr> {
    return inTime(this.#waitMs, signal, (limited) =>
      this.#allocator.allocate(anonymousIdent, subnet, { isContainer: false, signal: limited }),
    );
  }

  async claim(cidr: Ipv4Cidr, signal: AbortSignal): Promise<void> {
    const holder = this.#holderOf(cidr.address);
    if (holder !== undefined && holder !== formatIpv4(cidr.address)) {
      throw new WeaveError(
        "PLUGIN_ADDRESS_TAKEN",
        `address ${formatIpv4(cidr.address)} is in use by ${holder}`,
        { remedy: "choose another one, or let weave choose" },
      );
    }
    await inTime(this.#waitMs, signal, (limited) =>
      this.#allocator.claim(anonymousIdent, cidr, {
        ...{ isContainer: false, noErrorOnUnknown: false, signal: limited },
      }),
    );
  }

  release(address: Ipv4): void {
    try {
      this.#allocator.free(formatIpv4(address), address);
    } catch (error) {
      if (errorCode(error) !== "IPAM_NOT_HELD") throw error;
    }
  }

  #holderOf(address: Ipv4): string | undefined {
    return this.#allocator
      .list()
      .find(({ cidrs }) => cidrs.some((cidr) => cidr.address === address))?.ident;
  }
}

/** Turns an end without result into an explanation. */
async function inTime<Result>(
  waitMs: number,
  signal: AbortSignal,
  ask: (limited: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const limit = AbortSignal.timeout(waitMs);
  try {
    return await ask(AbortSignal.any([signal, limit]));
  } catch (cause) {
    if (!limit.aborted) throw cause;
    throw new WeaveError(
      "PLUGIN_ADDRESS_LATE",
      `no address could be had within ${waitMs / 1000} seconds`,
      {
        remedy: "see 'weave status ipam': the peers may not have agreed yet on who has which",
        cause,
      },
    );
  }
}
