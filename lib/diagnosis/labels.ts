import { splitHostPort } from "../base/endpoint.ts";
import type { MeshFacts } from "./facts.ts";

/** `host2 (00:00:00:00:00:02)`: as people call a peer, and as it is called. */
export function peerLabel({ name, nickname }: { name: string; nickname: string }): string {
  return nickname === "" ? name : `${nickname} (${name})`;
}

/** The same for a peer that may not be known any more. */
export function labelOf(mesh: Pick<MeshFacts, "peers">, name: string): string {
  return peerLabel(mesh.peers.find((peer) => peer.name === name) ?? { name, nickname: "" });
}

/** How a command is told of a peer: the nickname where no other peer has it. */
export function peerWord(mesh: Pick<MeshFacts, "peers">, name: string): string {
  const nickname = mesh.peers.find((peer) => peer.name === name)?.nickname ?? "";
  const isUnique = mesh.peers.filter((peer) => peer.nickname === nickname).length === 1;
  return nickname !== "" && isUnique ? nickname : name;
}

/** The host of an address as connections show it. */
export function hostOf(address: string): string {
  return splitHostPort(address)?.host ?? address;
}

/** Whether the host at `address` is reached by IPv6, so that no tunnel of the datapath leads there. */
export function isByIpv6(address: string): boolean {
  return hostOf(address).includes(":");
}
