import { WeaveError } from "../base/errors.ts";
import { formatIpv4, formatIpv4Cidr } from "../base/ip.ts";
import { formatPeerName, type PeerName } from "../base/peer-name.ts";
import type { Ledger } from "./ledger.ts";
import { contains } from "./range.ts";
import { anonymousIdent, type Claim } from "./request.ts";

/**
 * Claiming a given address (ipam §11.3).
 *
 *   outside the universe ──▶ record, whatever the ring     no ring ──▶ wait for one
 *   owned by another peer ──▶ ask it for this one address  ours ──▶ take it, or say who has it
 *                                                          ours without a lease ──▶ wait for one
 */
export type ClaimStep =
  | { readonly kind: "granted" }
  | { readonly kind: "refused"; readonly error: WeaveError }
  | { readonly kind: "needs-ring" }
  | { readonly kind: "needs-lease" }
  | { readonly kind: "needs-owner"; readonly owner: PeerName };

const granted: ClaimStep = { kind: "granted" };

export function tryClaim(
  claim: Claim,
  ledger: Ledger,
  isDead: (ident: string) => boolean,
  usable = ledger.space.owned,
): ClaimStep {
  if (!contains(ledger.ring.universe, claim.cidr.address)) {
    return claimOutside(claim, ledger, isDead);
  }
  const owner = ledger.ring.ownerOf(claim.cidr.address);
  if (owner === undefined) return { kind: "needs-ring" };
  if (owner !== ledger.ring.self) return { kind: "needs-owner", owner };
  const isHeld = ledger.held.holderOf(claim.cidr.address) !== undefined;
  return isHeld || usable.has(claim.cidr.address)
    ? claimOwn(claim, ledger)
    : { kind: "needs-lease" };
}

/** Nobody else keeps track of such addresses, so they only must not be used twice here. */
function claimOutside(claim: Claim, ledger: Ledger, isDead: (ident: string) => boolean): ClaimStep {
  const holder = ledger.held.holderOf(claim.cidr.address);
  if (holder === claim.ident) return keep(claim, ledger);
  if (holder !== undefined && claim.ident === anonymousIdent) return granted;
  if (holder !== undefined) {
    if (!isDead(holder)) return refused(claim, `already in use by ${holder}`);
    ledger.release(claim.cidr.address);
  }
  return record(claim, ledger);
}

function claimOwn(claim: Claim, ledger: Ledger): ClaimStep {
  const { address } = claim.cidr;
  const holder = ledger.held.holderOf(address);
  const anonymousHolder = formatIpv4(address);
  if (holder === undefined) {
    if (!ledger.space.isInUse({ start: address, end: address + 1 })) return record(claim, ledger);
    return refusal(`Address ${formatIpv4Cidr(claim.cidr)} is not free to claim`);
  }
  if (holder === claim.ident) return keep(claim, ledger);
  if (claim.ident === anonymousIdent) return granted;
  if (holder === anonymousHolder) return refused(claim, "already in use");
  return refused(claim, `is already owned by ${holder}`);
}

/** A repeated claim may tell us for the first time that the holder is a container. */
function keep(claim: Claim, ledger: Ledger): ClaimStep {
  if (claim.isContainer) ledger.markContainer(claim.ident);
  return granted;
}

function record({ ident, isContainer, cidr, pending }: Claim, ledger: Ledger): ClaimStep {
  const holder = ident === anonymousIdent ? formatIpv4(cidr.address) : ident;
  ledger.hold({ ident: holder, isContainer, cidr });
  pending?.succeed(undefined, () => ledger.release(cidr.address));
  return granted;
}

/** The error for an address that another peer will not or cannot give. */
export function ownedElsewhere(
  claim: Claim,
  owner: PeerName,
  nickname: string,
  reason?: string,
): WeaveError {
  const text = `address ${formatIpv4Cidr(claim.cidr)} is owned by other peer ${formatPeerName(owner)} (${nickname})`;
  return claimError(reason === undefined ? text : `${text} - ${reason}`);
}

function refused(claim: Claim, text: string): ClaimStep {
  return refusal(`address ${formatIpv4Cidr(claim.cidr)} ${text}`);
}

function refusal(message: string): ClaimStep {
  return { kind: "refused", error: claimError(message) };
}

function claimError(message: string): WeaveError {
  return new WeaveError("IPAM_CLAIM_REFUSED", message, {
    remedy: "claim another address, or release this one where it is held",
  });
}
