import type { IpAddress, Ipv4Cidr } from "../base/ip.ts";
import type { SimPeer } from "./cluster.ts";
import type { History } from "./history.ts";
import type { Request } from "./plan.ts";

const universeStart = 0x0a20_0000;

/** Does what a user asked for; false when it was not possible at this time. */
export function carryOutRequest(history: History, request: Request): boolean {
  const peer = history.cluster.peer(request.peer);
  if (peer === undefined) return false;
  switch (request.kind) {
    case "allocate":
      allocate(history, peer, request.ident, request.half);
      return true;
    case "claim":
      claim(history, peer, request.ident, universeStart + request.offset);
      return true;
    case "free":
      return free(history, peer, request.ident);
    case "name":
      return addName(history, peer, request.name, request.address);
    case "unname":
      return removeName(history, peer, request.name);
    case "prime":
      prime(history, peer);
      return true;
  }
}

export function allocate(history: History, peer: SimPeer, ident: string, half: boolean): void {
  const prefix = history.shape.prefix + (half ? 1 : 0);
  const subnet: Ipv4Cidr = { address: universeStart, prefix };
  const tenancy = history.tenancyOf(peer.number);
  history.cluster
    .allocatorOf(peer)
    .allocate(ident, subnet, { isContainer: false })
    .then(({ address }) => given(history, peer, tenancy, ident, address), refused);
}

function claim(history: History, peer: SimPeer, ident: string, address: number): void {
  const cidr: Ipv4Cidr = { address, prefix: history.shape.prefix };
  const tenancy = history.tenancyOf(peer.number);
  history.cluster
    .allocatorOf(peer)
    .claim(ident, cidr, { isContainer: false, noErrorOnUnknown: false })
    .then(() => given(history, peer, tenancy, ident, address), refused);
}

/** A request may be cancelled by a stop, a claim refused, a disk full: nobody was given anything. */
function refused(): void {}

function given(
  history: History,
  { number }: SimPeer,
  tenancy: number,
  ident: string,
  address: number,
): void {
  if (history.tenancyOf(number) !== tenancy) return;
  history.given(number, ident, address);
}

/** Whoever is told that there is a ring must have one. */
function prime(history: History, { number, plane }: SimPeer): void {
  const allocator = plane.ipam?.allocator;
  allocator?.prime().then(() => {
    if (allocator.status().ranges !== undefined) return;
    history.break("a ring is announced when there is one", "there is none", [number]);
  }, refused);
}

function free(history: History, peer: SimPeer, ident: string): boolean {
  // What a full disk still remembers would come back after a crash.
  if (history.cluster.disk(peer.number)?.isFull) return false;
  if (!history.holdings.takenBack(peer.number, ident)) return false;
  const allocator = history.cluster.allocatorOf(peer);
  // Whoever was away too long with reclaim may have lost it.
  if (history.shape.reclaimAfterMs > 0 && allocator.lookup(ident).length === 0) return false;
  allocator.delete(ident);
  return true;
}

function addName(history: History, peer: SimPeer, name: string, value: number): boolean {
  if (peer.names.has(name)) return false;
  const address: IpAddress = { family: 4, value };
  history.cluster.namesOf(peer).add(name, "weave:extern", address);
  peer.names.set(name, address);
  return true;
}

function removeName(history: History, peer: SimPeer, name: string): boolean {
  if (!peer.names.delete(name)) return false;
  history.cluster.namesOf(peer).remove({ name });
  return true;
}
