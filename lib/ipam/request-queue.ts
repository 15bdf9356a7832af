import { errorText, WeaveError } from "../base/errors.ts";
import { formatIpv4Cidr } from "../base/ip.ts";
import type { PeerName } from "../base/peer-name.ts";
import type { Log } from "../base/world.ts";
import type { AddressSet } from "./address-set.ts";
import { tryAllocate } from "./allocations.ts";
import { ownedElsewhere, tryClaim } from "./claims.ts";
import type { ContainerDeaths } from "./container-deaths.ts";
import type { Ledger } from "./ledger.ts";
import { cancelled, type Deliverable } from "./pending.ts";
import { type AddressRange, cidrRange, contains, hostRange, singleAddress } from "./range.ts";
import type { Allocation, Claim, Prime, Request } from "./request.ts";
import type { RestingAddresses } from "./resting-addresses.ts";
import type { SpaceTrade } from "./space-trade.ts";

/** What requests need of the allocator around them. */
export interface RequestContext {
  readonly ledger: Ledger;
  readonly deaths: ContainerDeaths;
  readonly resting: RestingAddresses | undefined;
  readonly log: Log;
  readonly space: Pick<SpaceTrade, "ask" | "askDonors">;
  /** Starts the election unless there is a ring or one is being elected. */
  needRing(): void;
  /** Whether addresses of our ranges may be given out at all. */
  mayUse(): boolean;
  /** The part of our ranges of which they may be. */
  usable(): AddressSet;
  nickname(peer: PeerName): string;
}

/** Tries to reach the owner of a claimed address, one a tick, before the claim is given up. */
const claimTriesMax = 5;
const requestsMax = 16_384;

/**
 * Requests that wait, in three queues in order of arrival: primes, claims, allocations. Their
 * decisions gather in {@link takeDecisions} until the state behind them is stored.
 */
export class RequestQueue {
  readonly #context: RequestContext;
  #primes: Prime[] = [];
  #claims: Claim[] = [];
  #allocations: Allocation[] = [];
  #decisions: Deliverable[] = [];
  #tick = 0;

  constructor(context: RequestContext) {
    this.#context = context;
  }

  get primes(): readonly Prime[] {
    return this.#primes;
  }

  get claims(): readonly Claim[] {
    return this.#claims;
  }

  get allocations(): readonly Allocation[] {
    return this.#allocations;
  }

  get #size(): number {
    return this.#primes.length + this.#claims.length + this.#allocations.length;
  }

  /** Tries a new request, and keeps it if it has to wait. */
  add(request: Request): void {
    if (request.pending?.isAborted === true) this.#cancel(request);
    else if (this.#try(request)) this.#decided(request);
    else this.wait(request);
  }

  /** Keeps a request that is not to be tried yet. */
  wait(request: Request): void {
    if (this.#size >= requestsMax) this.#turnAway(request);
    else if (request.kind === "prime") this.#primes.push(request);
    else if (request.kind === "claim") this.#claims.push(request);
    else this.#allocations.push(request);
  }

  retry(): void {
    this.#primes = this.#unfinished(this.#primes);
    this.#claims = this.#unfinished(this.#claims);
    this.#allocations = this.#unfinished(this.#allocations);
  }

  /** Another try to reach owners of claimed addresses counts from now on. */
  nextTick(): void {
    this.#tick++;
  }

  /** The owner of `range` gives nothing of it. */
  denied(range: AddressRange): void {
    this.#claims = this.#claims.filter((claim) => {
      if (!contains(range, claim.cidr.address)) return true;
      const { ring } = this.#context.ledger;
      const owner = ring.ownerOf(claim.cidr.address);
      if (owner === undefined || owner === ring.self) return true;
      this.#refuse(claim, ownedElsewhere(claim, owner, this.#context.nickname(owner)));
      this.#decided(claim);
      return false;
    });
  }

  /** Gives up what `isGivenUp` says, at once. */
  cancel(isGivenUp: (request: Request) => boolean): void {
    const isKept = (request: Request): boolean => {
      if (!isGivenUp(request)) return true;
      this.#cancel(request);
      return false;
    };
    this.#primes = this.#primes.filter(isKept);
    this.#claims = this.#claims.filter(isKept);
    this.#allocations = this.#allocations.filter(isKept);
  }

  /** Decisions to be told, each once. */
  takeDecisions(): readonly Deliverable[] {
    const decisions = this.#decisions;
    this.#decisions = [];
    return decisions;
  }

  #unfinished<R extends Request>(requests: readonly R[]): R[] {
    return requests.filter((request) => {
      if (!this.#try(request)) return true;
      this.#decided(request);
      return false;
    });
  }

  #cancel(request: Request): void {
    request.pending?.fail(cancelled());
    this.#decided(request);
  }

  #turnAway(request: Request): void {
    const message = `more than ${requestsMax} requests are waiting for addresses`;
    request.pending?.fail(
      new WeaveError("IPAM_BUSY", message, { remedy: "see 'weave status' for what they wait for" }),
    );
    this.#decided(request);
  }

  #decided(request: Request): void {
    if (request.pending !== undefined) this.#decisions.push(request.pending);
  }

  /** Whether the request is done with. */
  #try(request: Request): boolean {
    switch (request.kind) {
      case "prime":
        return this.#tryPrime(request);
      case "claim":
        return this.#tryClaim(request);
      case "allocation":
        return this.#tryAllocate(request);
    }
  }

  #tryPrime(prime: Prime): boolean {
    this.#context.needRing();
    if (!this.#context.ledger.hasRing) return false;
    prime.pending.succeed();
    return true;
  }

  #tryAllocate(allocation: Allocation): boolean {
    const { ledger, deaths, resting } = this.#context;
    deaths.forget(allocation.ident);
    if (tryAllocate(allocation, ledger, resting, this.#context.usable())) return true;
    if (!this.#context.mayUse()) return false;
    if (ledger.hasRing) {
      // What is free and not yet known to be ours will be soon.
      const isComing = ledger.space.free.countIn(hostRange(allocation.subnet)) > 0;
      if (!isComing) this.#context.space.askDonors(cidrRange(allocation.subnet));
      return false;
    }
    this.#context.needRing();
    if (!ledger.hasRing) return false;
    // What was found in use at the start has waited for a ring, and is nobody else's.
    this.#claims = this.#unfinished(this.#claims);
    return tryAllocate(allocation, ledger, resting, this.#context.usable());
  }

  #tryClaim(claim: Claim): boolean {
    const { ledger, deaths } = this.#context;
    const isDead = (ident: string): boolean => deaths.isDead(ident);
    if (contains(ledger.ring.universe, claim.cidr.address)) deaths.forget(claim.ident);
    let step = tryClaim(claim, ledger, isDead, this.#context.usable());
    if (step.kind === "needs-ring") {
      this.#context.needRing();
      if (ledger.hasRing) step = tryClaim(claim, ledger, isDead, this.#context.usable());
    }
    switch (step.kind) {
      case "granted":
        claim.pending?.succeed();
        return true;
      case "refused":
        this.#refuse(claim, step.error);
        return true;
      case "needs-ring":
      case "needs-lease":
        this.#answerUnknown(claim);
        return false;
      case "needs-owner":
        return this.#askOwner(claim, step.owner);
    }
  }

  #askOwner(claim: Claim, owner: PeerName): boolean {
    if (this.#context.space.ask(owner, singleAddress(claim.cidr.address))) return false;
    if (claim.noErrorOnUnknown) {
      this.#answerUnknown(claim);
      return false;
    }
    if (claim.lastTryTick !== this.#tick) claim.failedTries++;
    claim.lastTryTick = this.#tick;
    if (claim.failedTries < claimTriesMax) return false;
    const nickname = this.#context.nickname(owner);
    this.#refuse(claim, ownedElsewhere(claim, owner, nickname, "there is no route to it"));
    return true;
  }

  /** Success for now; the claim stays in its queue. */
  #answerUnknown(claim: Claim): void {
    if (!claim.noErrorOnUnknown || claim.pending?.isDecided !== false) return;
    claim.pending.succeed();
    this.#decisions.push(claim.pending);
  }

  /** Whoever was told that all is well, or never asked, can only read of it in the log. */
  #refuse(claim: Claim, error: WeaveError): void {
    if (claim.pending?.isDecided === false) {
      claim.pending.fail(error);
      return;
    }
    const who = `${formatIpv4Cidr(claim.cidr)} for ${claim.ident}`;
    this.#context.log.warn(`[allocator] claim of ${who} failed: ${errorText(error)}`);
  }
}
