import type { AddressToken } from "../base/address-token.ts";
import { errorCode, WeaveError } from "../base/errors.ts";
import { formatIpv4Cidr, type Ipv4Cidr } from "../base/ip.ts";
import type { Allocator } from "../ipam/allocator.ts";
import { parseSubnet } from "../ipam/range.ts";
import { waitAttributes } from "./tracing/address-wait.ts";
import { inSpan, type Span } from "./tracing/span.ts";

/** Addresses got for somebody, and the way back. */
export interface Acquired {
  /** In the order of the tokens. */
  readonly cidrs: readonly Ipv4Cidr[];
  /** Gives back what was not held before, last first. */
  undo(): void;
}

function tokenText(token: AddressToken): string {
  return token.kind === "subnet" ? `net:${token.text}` : formatIpv4Cidr(token.cidr);
}

/** Notes for whom a request waits that could not be answered at once. */
function tellWait(span: Span, allocator: Allocator, ident: string): void {
  if (!span.isRecording) return;
  const status = allocator.status();
  const waiting = [...status.pendingAllocations, ...status.pendingClaims];
  if (waiting.some((each) => each.ident === ident)) span.event("waiting", waitAttributes(status));
}

/** Turns the tokens of an operator into addresses held in the allocator, and back. */
export class AddressBook {
  readonly #allocator: Allocator | undefined;
  readonly #defaultSubnet: Ipv4Cidr | undefined;

  /** Without an allocator only given addresses work, and nobody keeps track of them. */
  constructor(allocator: Allocator | undefined, defaultSubnet: Ipv4Cidr | undefined) {
    this.#allocator = allocator;
    this.#defaultSubnet = defaultSubnet;
  }

  /** Allocates and claims; on failure nothing stays held that was not held before. */
  async acquire(
    ident: string,
    tokens: readonly AddressToken[],
    options: { isContainer: boolean; signal: AbortSignal },
  ): Promise<Acquired> {
    const before = new Set(this.#allocator?.lookup(ident).map((held) => held.address));
    const cidrs: Ipv4Cidr[] = [];
    const undo = (): void => {
      const got = cidrs.reverse().filter(({ address }) => !before.has(address));
      if (got.length === 0) return;
      inSpan("give addresses back", { "weave.addresses": got.map(formatIpv4Cidr) }, () =>
        this.release(
          ident,
          got.map(({ address }) => address),
        ),
      );
    };
    const attributes = { "weave.addresses.asked": tokens.map(tokenText) };
    await inSpan("acquire addresses", attributes, async (span) => {
      try {
        for (const token of tokens) cidrs.push(await this.#acquireOne(ident, token, options, span));
      } catch (error) {
        undo();
        throw error;
      }
      span.set({ "weave.addresses": cidrs.map(formatIpv4Cidr) });
    });
    return { cidrs: [...cidrs], undo };
  }

  async #acquireOne(
    ident: string,
    token: AddressToken,
    options: { isContainer: boolean; signal: AbortSignal },
    span: Span,
  ): Promise<Ipv4Cidr> {
    if (token.kind === "subnet") {
      const allocator = this.#required();
      const allocated = allocator.allocate(ident, this.#subnet(token.text), options);
      tellWait(span, allocator, ident);
      return allocated;
    }
    const { cidr } = token;
    const claimed = this.#allocator?.claim(ident, cidr, { ...options, noErrorOnUnknown: false });
    if (this.#allocator !== undefined) tellWait(span, this.#allocator, ident);
    await claimed;
    return cidr;
  }

  /** What `tokens` mean for addresses already held; a subnet in which none is held adds nothing. */
  find(ident: string, tokens: readonly AddressToken[]): Ipv4Cidr[] {
    return tokens.flatMap((token) =>
      token.kind === "address"
        ? [token.cidr]
        : this.#required().lookup(ident, this.#subnet(token.text)),
    );
  }

  /** Frees what `ident` holds of `addresses`; what it does not hold is no error. */
  release(ident: string, addresses: readonly number[]): void {
    for (const address of addresses) {
      try {
        this.#allocator?.free(ident, address);
      } catch (error) {
        if (errorCode(error) !== "IPAM_NOT_HELD") throw error;
      }
    }
  }

  /** Frees all that `ident` holds; nothing held is no error. */
  releaseAll(ident: string): void {
    try {
      this.#allocator?.delete(ident);
    } catch (error) {
      if (errorCode(error) !== "IPAM_NOT_HELD") throw error;
    }
  }

  /** Whether `ident` holds this address; nobody can tell without an allocator. */
  holds(ident: string, { address }: Ipv4Cidr): boolean | undefined {
    return this.#allocator?.lookup(ident).some((held) => held.address === address);
  }

  #subnet(text: string): Ipv4Cidr {
    return text === "default" && this.#defaultSubnet !== undefined
      ? this.#defaultSubnet
      : parseSubnet(text);
  }

  #required(): Allocator {
    if (this.#allocator !== undefined) return this.#allocator;
    throw new WeaveError("IPAM_OFF", "IP address allocation must be enabled to use 'net:'", {
      remedy: "give an address such as 10.2.1.1/24, or launch with --ipalloc-range",
    });
  }
}
